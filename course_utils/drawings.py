"""Pictures that somebody drew, as the data sets store theirs."""

import numpy as np
from PIL import Image, ImageFilter

SIZE, BOX = 28, 20
# Work at this many pixels at most: enough for a smooth result, and the cost does not grow with the picture.
LARGEST = 8 * BOX
# Pens thinner than this, in pixels of the final image, hardly occur in handwriting data.
THINNEST_PEN = 2.0


def prepare_drawing(picture: Image.Image) -> np.ndarray:
    """A picture of any size and mode as the data sets store theirs: uint8 (28, 28), 0 background, 255 ink.

    The steps are those of MNIST (LeCun et al. 1998, "Gradient-based learning applied to document
    recognition", section III.A): the ink is fitted into a box of 20 x 20 pixels with its proportions kept,
    and its centre of mass is put into the middle. Before that, a very thin pen is thickened. A picture
    without ink gives zeros.
    """
    return fit_and_centre(ink_of(picture))


def ink_of(picture: Image.Image) -> Image.Image:
    """The ink of a picture, as a grey image (mode L): 255 where it is strongest, 0 where there is none.

    In a picture with transparent parts, ink is what is opaque. Otherwise it is what differs from the
    background, the median colour along the border; so any colour on any other one will do.
    """
    rgba = np.asarray(picture.convert("RGBA")).astype(float)
    colours, opacity = rgba[..., :3], rgba[..., 3]
    if opacity.min() < 255:
        ink = opacity
    else:
        border = np.concatenate([colours[0], colours[-1], colours[:, 0], colours[:, -1]])
        ink = np.abs(colours - np.median(border, axis=0)).max(axis=2)
    # Without the floor, the noise of an empty sheet would be stretched to ink.
    strongest = max(ink.max(), 64)
    return Image.fromarray(np.rint(255 * ink / strongest).clip(0, 255).astype(np.uint8))


def move(ink: Image.Image, right: int, down: int, turn: int) -> Image.Image:
    """The ink shifted by pixels of a 28 x 28 image, and turned counter-clockwise by degrees."""
    if right == down == turn == 0:
        return ink
    unit = max(ink.size) / SIZE
    turned = ink.rotate(turn, resample=Image.Resampling.BICUBIC)
    # Image.transform asks where each output pixel comes from, hence the minus signs.
    coefficients = (1, 0, -right * unit, 0, 1, -down * unit)
    return turned.transform(ink.size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)


def fit_and_centre(ink: Image.Image) -> np.ndarray:
    """The ink (mode L) in a box of 20 x 20 pixels, its centre of mass in the middle of uint8 (28, 28)."""
    box = ink.point(lambda value: 255 if value > 16 else 0).getbbox()
    if box is None:
        return np.zeros((SIZE, SIZE), dtype=np.uint8)
    fitted = ink.crop(box)
    if max(fitted.size) > LARGEST:
        fitted = _resize_longest(fitted, LARGEST)
    fitted = thicken(fitted)
    # Resampling blurs: ink that fits already, as that of the data does, is left alone.
    if abs(max(fitted.size) - BOX) > 2:
        fitted = _resize_longest(fitted, BOX)
    fitted = np.asarray(fitted).astype(float)
    height, width = fitted.shape
    mass = fitted.sum()
    # The middle of 28 pixels lies between pixels 13 and 14.
    top = round(13.5 - (fitted.sum(axis=1) @ np.arange(height)) / mass)
    left = round(13.5 - (fitted.sum(axis=0) @ np.arange(width)) / mass)
    top, left = min(max(top, 0), SIZE - height), min(max(left, 0), SIZE - width)
    image = np.zeros((SIZE, SIZE), dtype=np.uint8)
    image[top : top + height, left : left + width] = np.rint(fitted)
    return image


def shrink(ink: Image.Image) -> np.ndarray:
    """The whole sheet, uint8 (28, 28), with the ink where it stands."""
    return np.array(ink.resize((SIZE, SIZE), Image.Resampling.BOX))


def thicken(ink: Image.Image) -> Image.Image:
    """Ink (mode L, cropped) whose pen would be too thin in a box of 20 pixels is thickened."""
    wanted = THINNEST_PEN * max(ink.size) / BOX
    padded = Image.new("L", (ink.width + 2, ink.height + 2))
    padded.paste(ink, (1, 1))
    area = np.asarray(padded).sum(dtype=float)
    # Erosion by one pixel from both sides takes 2 of a pen's w pixels: area / (area lost) = w / 2.
    eroded = np.asarray(padded.filter(ImageFilter.MinFilter(3))).sum(dtype=float)
    pen = 2 * area / (area - eroded)
    missing = round((wanted - pen) / 2)
    if missing < 1:
        return ink
    roomy = Image.new("L", (ink.width + 2 * missing, ink.height + 2 * missing))
    roomy.paste(ink, (missing, missing))
    return roomy.filter(ImageFilter.MaxFilter(2 * missing + 1))


def _resize_longest(ink: Image.Image, longest: int) -> Image.Image:
    scale = longest / max(ink.size)
    size = [max(1, round(side * scale)) for side in ink.size]
    return ink.resize(size, Image.Resampling.BICUBIC)
