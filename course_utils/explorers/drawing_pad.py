"""Draw a picture, see what a network makes of it, and which images of the data set lie nearest to it."""

from collections.abc import Callable, Sequence

import ipywidgets
import numpy as np
import torch
from PIL import Image, ImageDraw

from course_utils.data import check_labels, to_pixels
from course_utils.drawings import fit_and_centre, ink_of, move, shrink
from course_utils.explorers.base import DrawingExplorer, evaluate
from course_utils.plots import BLUE, ORANGE, pil_font, tiles
from course_utils.settings import DIGITS

NEIGHBOURS = 6
WIDTH, HEIGHT = 600, 350


class DrawingPad(DrawingExplorer):
    """A pad to draw on, the network's answer to the drawing, and the nearest images in feature space.

    Arguments: `classify`, a function from pixels (N, 1, 28, 28) in [0, 1] to class scores (N, C) before the
    softmax; `embed`, one from pixels to features (N, ...); `gallery`, uint8 images (G, 28, 28) among which
    the neighbours are sought, and their `gallery_labels`, int64 (G,); `examples`, uint8 images (E, 28, 28)
    to choose with a slider instead of drawing; `classes`, the C names. Both functions are called without
    gradients, on the device of `gallery`; networks among them are put into eval mode.

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
        if len(gallery) < NEIGHBOURS:
            raise ValueError(f"gallery must hold at least {NEIGHBOURS} images; got {len(gallery)}")
        check_labels(gallery_labels, len(gallery), len(classes), "gallery_labels")
        self.classify, self.embed, self.classes = classify, embed, classes
        self.gallery, self.gallery_labels = gallery, gallery_labels.cpu()
        parts = [evaluate(embed, to_pixels(part)).flatten(1) for part in gallery.split(1000)]
        self.gallery_rows = torch.cat(parts)
        wide = {"layout": ipywidgets.Layout(width="290px"), "style": {"description_width": "85px"}}
        controls = {
            "right": ipywidgets.IntSlider(min=-8, max=8, description="move right", **wide),
            "down": ipywidgets.IntSlider(min=-8, max=8, description="move down", **wide),
            "turn": ipywidgets.IntSlider(min=-90, max=90, step=5, description="turn (°)", **wide),
            "centre": ipywidgets.Checkbox(value=True, description="centre, as the data are", indent=False),
        }
        alt = (
            "The image that the network sees, a bar for the probability of each class, and the nearest "
            "training images in feature space with their classes and distances."
        )
        super().__init__(examples, controls, alt, WIDTH, HEIGHT)

    def draw(self, source: str, example: int, right: int, down: int, turn: int, centre: bool) -> Image.Image:
        moved = move(ink_of(self.original(source, example)), right, down, turn)
        image = fit_and_centre(moved) if centre else shrink(moved)
        if not image.any():
            return self.nothing_drawn()
        probabilities, distances, indices = self.look(torch.from_numpy(image))
        return self._picture(image, probabilities, distances, indices)

    def look(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Of a uint8 image (28, 28): probabilities (C,), distances (k,) and indices (k,) of neighbours."""
        pixels = to_pixels(image[None].to(self.gallery.device))
        probabilities = evaluate(self.classify, pixels).softmax(dim=1)[0]
        row = evaluate(self.embed, pixels).flatten(1)
        distances, indices = (self.gallery_rows - row).norm(dim=1).topk(NEIGHBOURS, largest=False)
        return probabilities.cpu(), distances.cpu(), indices.cpu()

    def _picture(self, image, probabilities, distances, indices) -> Image.Image:
        picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
        pen = ImageDraw.Draw(picture)
        pen.text((4, 4), "what the network sees", fill="black", font=pil_font())
        picture.paste(Image.fromarray(image).resize((168, 168), Image.Resampling.NEAREST), (4, 24))
        pen.text((196, 4), "what it answers: the probability of each class", fill="black", font=pil_font())
        _draw_bars(pen, 196, 24, self.classes, probabilities.tolist())
        pen.text(
            (4, 204),
            "nearest training images in feature space: class, distance",
            fill="black",
            font=pil_font(),
        )
        labels = self.gallery_labels[indices].tolist()
        captions = [
            f"{self.classes[label]}\n{distance:.2f}"
            for label, distance in zip(labels, distances.tolist(), strict=True)
        ]
        nearest = self.gallery[indices.to(self.gallery.device)]
        picture.paste(tiles(nearest, captions, columns=NEIGHBOURS, side=84), (0, 222))
        return picture


def _draw_bars(
    pen: ImageDraw.ImageDraw, left: int, top: int, classes: Sequence[str], shares: list[float]
) -> None:
    """One horizontal bar for each class, the largest in orange and with its name in front as all others."""
    height, longest, best = 17, 210, int(np.argmax(shares))
    for i, (name, share) in enumerate(zip(classes, shares, strict=True)):
        y = top + i * height
        pen.text((left + 78, y), name, fill="black", font=pil_font(), anchor="ra")
        colour = ORANGE if i == best else BLUE
        pen.rectangle((left + 84, y + 1, left + 84 + round(longest * share), y + height - 5), fill=colour)
        if share >= 0.005:
            text = f"{100 * share:.0f} %" + ("  ←" if i == best else "")
            pen.text((left + 90 + round(longest * share), y), text, fill="black", font=pil_font())
