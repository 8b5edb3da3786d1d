"""Pictures that somebody drew, as the data sets store theirs; explorers/web/drawing.js does the same in the page."""

import numpy as np
from PIL import Image, ImageFilter, ImageOps

SIZE, BOX = 28, 20
# Work at this many pixels at most: enough for a smooth result, and the cost does not grow with the picture.
LARGEST_PICTURE, LARGEST = 1000, 8 * BOX
# Images of data sets are at most as large as this: clean, and often filled with ink up to their border.
LARGEST_IMAGE = 32
# Pens thinner than this, in pixels of the final image, hardly occur in handwriting data.
THINNEST_PEN = 2.0


def prepare_drawing(picture: Image.Image) -> np.ndarray:
    """A picture of any size and mode as the data sets store theirs: uint8 (28, 28), 0 background, 255 ink.

    The steps are those of MNIST (LeCun et al. 1998, "Gradient-based learning applied to document
    recognition", section III.A): the ink is fitted into a box of 20 x 20 pixels with its proportions kept,
    and its centre of mass is put into the middle. Before that, a very thin pen is thickened. A picture
    without ink gives zeros. Raises ValueError for what is no picture, or has no pixels.
    """
    return fit_and_centre(ink_of(picture))


def ink_of(picture: Image.Image) -> Image.Image:
    """The ink of a picture, as a grey image (mode L): 255 where it is strongest, 0 where there is none.

    Where most of the picture is transparent, ink is what is opaque. Otherwise it is what differs from the
    background, the median colour along the border; so any colour on any other one will do. In a photograph the
    light may fall off. What is as faint as other things along the border, such as noise and the lines of ruled
    paper, is background, too. Raises ValueError as `prepare_drawing` does.
    """
    rgba = _as_rgba(picture)
    is_opaque = rgba.getchannel("A").point(lambda alpha: 255 if alpha >= 128 else 0)
    if np.mean(np.asarray(is_opaque)) < 128:
        ink = np.asarray(rgba.getchannel("A")).astype(float)
    else:
        ink = _unlike_the_background(rgba.crop(is_opaque.getbbox()))
    # Without the floor, the noise of an empty sheet would be stretched to ink.
    strongest = max(ink.max(), 64)
    return Image.fromarray(np.rint(255 * ink / strongest).clip(0, 255).astype(np.uint8))


def _as_rgba(picture: Image.Image) -> Image.Image:
    """The picture the right way up, in mode RGBA, and not larger than is worth the work."""
    if not isinstance(picture, Image.Image):
        raise ValueError(f"picture must be a PIL image; got {type(picture).__name__}")
    if 0 in picture.size:
        raise ValueError(f"picture must have pixels; got {picture.width} x {picture.height}")
    picture = ImageOps.exif_transpose(picture)
    if picture.mode[0] in "FI":
        # PIL would cut numbers off at 255: these are shares of 1, bytes, or 16 bits.
        numbers = np.asarray(picture).astype(float)
        full = next((full for full in (1, 255) if numbers.max() <= full), 65535)
        picture = Image.fromarray(np.rint(255 * numbers / full).clip(0, 255).astype(np.uint8))
    rgba = picture.convert("RGBA")
    rgba.thumbnail((LARGEST_PICTURE, LARGEST_PICTURE))
    return rgba


def _unlike_the_background(page: Image.Image) -> np.ndarray:
    """How much each pixel of a page (mode RGBA) differs from the background: floats (H, W), 0 to 255."""
    rgba = np.asarray(page).astype(float)
    opacity = rgba[..., 3:] / 255
    paper = np.median(_border(rgba[..., :3]), axis=0)
    colours = opacity * rgba[..., :3] + (1 - opacity) * paper
    if max(page.size) <= LARGEST_IMAGE:
        return np.abs(colours - paper).max(axis=2)
    # Ink may leave the page along one of its sides; where more of the border has another colour, it is the light.
    is_lit_evenly = np.quantile(np.abs(_border(colours) - paper).max(axis=1), 0.7) <= 10
    background = paper if is_lit_evenly else _lighting(colours)
    # Ink takes the same share of the light everywhere; the 16 keeps the noise of dark corners small.
    ink = (np.abs(colours - background) * (paper + 16) / (background + 16)).max(axis=2)
    along_border = _border(ink)
    # What is stronger than half of the ink is ink that leaves the page.
    noise = along_border.max(where=along_border <= ink.max() / 2, initial=0)
    # The border is a sample: within the page, the strongest noise is a little stronger.
    return (ink - 1.25 * noise).clip(min=0)


def _border(image: np.ndarray) -> np.ndarray:
    return np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])


def _lighting(colours: np.ndarray) -> np.ndarray:
    """The background (H, W, 3) of a page in uneven light: in each place the median colour of a large surrounding."""
    page = Image.fromarray(np.rint(colours).astype(np.uint8))
    coarse = page.resize((32, 32), Image.Resampling.BOX).filter(ImageFilter.MedianFilter(17))
    return np.asarray(coarse.resize(page.size, Image.Resampling.BICUBIC)).astype(float)


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
    pixels = np.asarray(fitted).astype(float)
    height, width = pixels.shape
    mass = pixels.sum()
    # The middle of 28 pixels lies between pixels 13 and 14.
    top = round(13.5 - (pixels.sum(axis=1) @ np.arange(height)) / mass)
    left = round(13.5 - (pixels.sum(axis=0) @ np.arange(width)) / mass)
    top, left = min(max(top, 0), SIZE - height), min(max(left, 0), SIZE - width)
    image = np.zeros((SIZE, SIZE), dtype=np.uint8)
    image[top : top + height, left : left + width] = np.rint(pixels)
    return image


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
    width, height = (max(1, round(side * scale)) for side in ink.size)
    # One side after the other: which one goes first changes the bytes, and versions of Pillow differ in it.
    narrow = ink.resize((width, ink.height), Image.Resampling.BICUBIC)
    return narrow.resize((width, height), Image.Resampling.BICUBIC)
