"""Draw a picture, see what a network makes of it, and which images of the data set lie nearest to it."""

from collections.abc import Callable, Sequence

import ipywidgets
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter
from wigglystuff import Paint

from course_utils.data import DIGITS, to_pixels
from course_utils.explorers.base import Explorer
from course_utils.plots import BLUE, ORANGE, pil_font, tiles

SIZE, BOX = 28, 20
# Work at this many pixels at most: enough for a smooth result, and the cost does not grow with the picture.
LARGEST = 8 * BOX
# Pens thinner than this, in pixels of the final image, hardly occur in handwriting data.
THINNEST_PEN = 2.0
PAD = 280
NEIGHBOURS = 6
DRAWING, HELD_OUT = "my drawing", "held-out image"


class DrawingPad(Explorer):
    """A pad to draw on, the network's answer to the drawing, and the nearest images in feature space.

    Arguments: `classify`, a function from pixels (N, 1, 28, 28) in [0, 1] to class scores (N, C) before the
    softmax; `embed`, one from pixels to features (N, ...); `gallery`, uint8 images (G, 28, 28) among which
    the neighbours are sought, and their `gallery_labels`, int64 (G,); `examples`, uint8 images (E, 28, 28)
    to choose with a slider instead of drawing; `classes`, the C names. Both functions are called without
    gradients, on the device of `gallery`.

    The drawing reaches the network as the data do, see `prepare_drawing`. Sliders shift and turn it first;
    with the box "centre" unticked, the network gets it where it stands.
    """

    def __init__(
        self,
        classify: Callable[[torch.Tensor], torch.Tensor],
        embed: Callable[[torch.Tensor], torch.Tensor],
        gallery: torch.Tensor,
        gallery_labels: torch.Tensor,
        examples: torch.Tensor,
        classes: Sequence[str] = DIGITS,
    ):
        if len(gallery) != len(gallery_labels) or len(gallery) < NEIGHBOURS:
            raise ValueError(
                f"gallery must hold at least {NEIGHBOURS} images and one label for each; "
                f"got {len(gallery)} images and {len(gallery_labels)} labels"
            )
        if len(examples) == 0:
            raise ValueError("examples must hold at least one image; got none")
        self.classify, self.embed, self.classes = classify, embed, classes
        self.gallery, self.gallery_labels = gallery, gallery_labels.cpu()
        self.examples = examples.cpu()
        with torch.no_grad():
            self.gallery_rows = torch.cat([embed(to_pixels(part)).flatten(1) for part in gallery.split(1000)])
        # The pad's thin brush would leave lines of a fraction of a pixel.
        self.paint = Paint(width=PAD, height=PAD, brush=False, color_picker=False)
        alt = (
            "The image that the network sees, a bar for the probability of each class, and the nearest "
            "training images in feature space with their classes and distances."
        )
        super().__init__(self._make_controls(), alt, width=600, height=350)
        self.paint.observe(self._drawn, names="base64")
        self.controls["example"].observe(self._example_chosen, names="value")

    def _make_controls(self) -> dict[str, ipywidgets.Widget]:
        wide = {"layout": ipywidgets.Layout(width="290px"), "style": {"description_width": "85px"}}
        return {
            "source": ipywidgets.ToggleButtons(
                options=[DRAWING, HELD_OUT], value=HELD_OUT, style={"button_width": "130px"}
            ),
            "example": ipywidgets.IntSlider(max=len(self.examples) - 1, description="image", **wide),
            "right": ipywidgets.IntSlider(min=-8, max=8, description="move right", **wide),
            "down": ipywidgets.IntSlider(min=-8, max=8, description="move down", **wide),
            "turn": ipywidgets.IntSlider(min=-90, max=90, step=5, description="turn (°)", **wide),
            "centre": ipywidgets.Checkbox(value=True, description="centre, as the data are", indent=False),
        }

    def arrange(self) -> ipywidgets.Widget:
        """The pad and its controls on the left, what the network makes of the picture on the right."""
        left = ipywidgets.VBox(
            [self.paint, *self.controls.values()], layout=ipywidgets.Layout(flex="0 0 auto")
        )
        right = ipywidgets.VBox([self.message, self.picture])
        return ipywidgets.HBox([left, right])

    def draw(self, source: str, example: int, right: int, down: int, turn: int, centre: bool) -> Image.Image:
        original = (
            self.paint.get_pil() if source == DRAWING else Image.fromarray(self.examples[example].numpy())
        )
        moved = move(ink_of(original), right, down, turn)
        image = fit_and_centre(moved) if centre else shrink(moved)
        if not image.any():
            return _message_picture(
                "Nothing to see yet. Draw a digit on the pad,",
                f"or press “{HELD_OUT}” and move the sliders.",
            )
        probabilities, distances, indices = self.look(torch.from_numpy(image))
        return self._picture(image, probabilities, distances, indices)

    @torch.no_grad()
    def look(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Of a uint8 image (28, 28): probabilities (C,), distances (k,) and indices (k,) of neighbours."""
        pixels = to_pixels(image[None].to(self.gallery.device))
        probabilities = self.classify(pixels).softmax(dim=1)[0]
        row = self.embed(pixels).flatten(1)
        distances, indices = (self.gallery_rows - row).norm(dim=1).topk(NEIGHBOURS, largest=False)
        return probabilities.cpu(), distances.cpu(), indices.cpu()

    def _picture(self, image, probabilities, distances, indices) -> Image.Image:
        picture = Image.new("RGB", (600, 350), "white")
        pen = ImageDraw.Draw(picture)
        pen.text((4, 4), "what the network sees", fill="black", font=pil_font(12))
        picture.paste(Image.fromarray(image).resize((168, 168), Image.Resampling.NEAREST), (4, 24))
        pen.text((196, 4), "what it answers: the probability of each class", fill="black", font=pil_font(12))
        _draw_bars(pen, 196, 24, self.classes, probabilities.tolist())
        pen.text(
            (4, 204),
            "nearest training images in feature space: class, distance",
            fill="black",
            font=pil_font(12),
        )
        labels = self.gallery_labels[indices].tolist()
        captions = [
            f"{self.classes[label]}\n{distance:.2f}"
            for label, distance in zip(labels, distances.tolist(), strict=True)
        ]
        nearest = self.gallery[indices.to(self.gallery.device)]
        picture.paste(tiles(nearest, captions, columns=NEIGHBOURS, side=84), (0, 222))
        return picture

    def _drawn(self, change) -> None:
        self._show(DRAWING)

    def _example_chosen(self, change) -> None:
        self._show(HELD_OUT)

    def _show(self, source: str) -> None:
        if self.controls["source"].value == source:
            self.update()
        else:
            # The change of the button redraws.
            self.controls["source"].value = source


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


def _draw_bars(
    pen: ImageDraw.ImageDraw, left: int, top: int, classes: Sequence[str], shares: list[float]
) -> None:
    """One horizontal bar for each class, the largest in orange and with its name in front as all others."""
    height, longest, best = 17, 210, int(np.argmax(shares))
    for i, (name, share) in enumerate(zip(classes, shares, strict=True)):
        y = top + i * height
        pen.text((left + 78, y), name, fill="black", font=pil_font(11), anchor="ra")
        colour = ORANGE if i == best else BLUE
        pen.rectangle((left + 84, y + 1, left + 84 + round(longest * share), y + height - 5), fill=colour)
        if share >= 0.005:
            text = f"{100 * share:.0f} %" + ("  ←" if i == best else "")
            pen.text((left + 90 + round(longest * share), y), text, fill="black", font=pil_font(11))


def _message_picture(*lines: str) -> Image.Image:
    picture = Image.new("RGB", (600, 350), "white")
    ImageDraw.Draw(picture).multiline_text(
        (20, 60), "\n".join(lines), fill="black", font=pil_font(14), spacing=8
    )
    return picture
