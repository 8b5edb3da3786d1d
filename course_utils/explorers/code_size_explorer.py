"""Original, PCA and autoencoder side by side, at a code size that the reader chooses."""

from collections.abc import Mapping, Sequence

import ipywidgets
import torch
from PIL import Image

from course_utils.data import check_labels, to_pixels
from course_utils.explorers.base import ANY_CLASS, Explorer, of_class
from course_utils.explorers.canvas import Canvas
from course_utils.plots import tiles
from course_utils.settings import DIGITS

SHOWN = 6
SIDE = 84


class CodeSizeExplorer(Explorer):
    """Move the code size, and compare what PCA and an autoencoder keep of the same images.

    Arguments: `images`, uint8 (N, 28, 28), and `labels`, int64 (N,); `by_pca` and `by_autoencoder`, for each code
    size the reconstructions (N, 1, 28, 28) of these images, with the same sizes in both; `classes`, their names.

    Below each reconstruction stands its squared error, summed over the pixels.
    """

    def __init__(
        self,
        images: torch.Tensor,
        labels: torch.Tensor,
        by_pca: Mapping[int, torch.Tensor],
        by_autoencoder: Mapping[int, torch.Tensor],
        classes: Sequence[str] = DIGITS,
    ):
        sizes = list(by_pca)
        if sizes != list(by_autoencoder) or not sizes:
            raise ValueError(
                "by_pca and by_autoencoder must hold the same code sizes, at least one; got "
                f"{sizes} and {list(by_autoencoder)}"
            )
        check_labels(labels, len(images), len(classes))
        self.x = to_pixels(images).cpu()
        for pictures in (*by_pca.values(), *by_autoencoder.values()):
            if pictures.shape != self.x.shape:
                raise ValueError(
                    f"reconstructions must have the shape of the images, {tuple(self.x.shape)}; got "
                    f"{tuple(pictures.shape)}"
                )
        self.labels, self.classes = labels.cpu(), classes
        self.rows = {"PCA": by_pca, "autoencoder": by_autoencoder}
        middle = sizes[len(sizes) // 2]
        controls = {
            "code_size": ipywidgets.SelectionSlider(options=sizes, value=middle, description="code size"),
            "chosen_class": ipywidgets.Dropdown(options=[ANY_CLASS, *classes], description="class"),
            "first": ipywidgets.IntSlider(description="first image"),
        }
        alt = (
            "Six held-out images above their reconstructions by PCA and by an autoencoder of the same code size, "
            "each with its squared error."
        )
        super().__init__(controls, alt, width=660, height=390, control_width=520, label_width=110)

    def largest(self, chosen_class: str, **others) -> dict[str, int]:
        return {"first": max(len(of_class(self.labels, self.classes, chosen_class)) - SHOWN, 0)}

    def draw(self, code_size: int, chosen_class: str, first: int) -> Image.Image:
        chosen = of_class(self.labels, self.classes, chosen_class)[first : first + SHOWN]
        canvas = Canvas(*self.size)
        if len(chosen) == 0:
            canvas.write(10, 10, f"No image is of class {chosen_class}.")
            return canvas.picture
        names = [self.classes[label] for label in self.labels[chosen].tolist()]
        _draw_row(canvas, 0, "original", self.x[chosen], names)
        for i, (name, by_size) in enumerate(self.rows.items(), start=1):
            x_hat = by_size[code_size].detach().cpu()
            errors = (x_hat - self.x).square().sum(dim=(1, 2, 3))
            captions = [f"error {error:.1f}" for error in errors[chosen].tolist()]
            heading = f"{name}\n{code_size} number{'s' * (code_size > 1)}\n\nall {len(self.x)}:\n{errors.mean():.1f}"
            _draw_row(canvas, i, heading, x_hat[chosen], captions)
        return canvas.picture


def _draw_row(canvas: Canvas, row: int, heading: str, images: torch.Tensor, captions: list[str]) -> None:
    top = 8 + row * (SIDE + 44)
    canvas.write(4, top + 4, heading)
    canvas.picture.paste(tiles(images, captions, columns=SHOWN, side=SIDE), (104, top))
