"""Original, PCA and autoencoder side by side, at a code size that the reader chooses."""

from collections.abc import Mapping, Sequence

import ipywidgets
import torch
from PIL import Image, ImageDraw

from course_utils.data import check_labels, to_pixels
from course_utils.explorers.base import Explorer, sized
from course_utils.plots import pil_font, tiles
from course_utils.settings import DIGITS

ANY_CLASS = "any class"
SHOWN = 6
SIDE = 84
WIDTH, HEIGHT = 660, 400


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
        if list(by_pca) != list(by_autoencoder) or not by_pca:
            raise ValueError(
                "by_pca and by_autoencoder must hold the same code sizes, at least one; got "
                f"{list(by_pca)} and {list(by_autoencoder)}"
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
        wide = sized(520, label=110)
        controls = {
            "code_size": ipywidgets.SelectionSlider(
                options=list(by_pca), value=list(by_pca)[len(by_pca) // 2], description="code size", **wide
            ),
            "chosen_class": ipywidgets.Dropdown(options=[ANY_CLASS, *classes], description="class", **wide),
            "first": ipywidgets.IntSlider(
                value=0, max=max(len(images) - SHOWN, 0), description="first image", **wide
            ),
        }
        alt = (
            "Six held-out images above their reconstructions by PCA and by an autoencoder of the same code size, "
            "each with its squared error."
        )
        super().__init__(controls, alt, width=WIDTH, height=HEIGHT)

    def candidates(self, chosen_class: str) -> torch.Tensor:
        """The indices (n,) of the images of a class, or of all of them."""
        if chosen_class == ANY_CLASS:
            return torch.arange(len(self.labels))
        return torch.nonzero(self.labels == list(self.classes).index(chosen_class))[:, 0]

    def draw(self, code_size: int, chosen_class: str, first: int) -> Image.Image:
        candidates = self.candidates(chosen_class)
        chosen = candidates[first : first + SHOWN]
        picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
        pen = ImageDraw.Draw(picture)
        if len(chosen) == 0:
            pen.text((10, 10), f"No image is of class {chosen_class}.", fill="black", font=pil_font())
            return picture
        names = [self.classes[label] for label in self.labels[chosen].tolist()]
        self._draw_row(picture, 0, "original", self.x[chosen], names)
        for i, (name, by_size) in enumerate(self.rows.items(), start=1):
            x_hat = by_size[code_size].detach().cpu()
            errors = (x_hat - self.x).square().sum(dim=(1, 2, 3))
            captions = [f"error {error:.1f}" for error in errors[chosen].tolist()]
            heading = f"{name}\n{code_size} number{'s' * (code_size > 1)}\n\nall {len(self.x)}:\n{errors.mean():.1f}"
            self._draw_row(picture, i, heading, x_hat[chosen], captions)
        return picture

    def _draw_row(self, picture, row: int, heading: str, images: torch.Tensor, captions: list[str]) -> None:
        top = 8 + row * (SIDE + 44)
        ImageDraw.Draw(picture).multiline_text((4, top + 4), heading, fill="black", font=pil_font())
        picture.paste(tiles(images, captions, columns=SHOWN, side=SIDE), (104, top))

    def _control_changed(self, change) -> None:
        if change.owner is self.controls["chosen_class"]:
            with self.without_drawing():
                self.controls["first"].max = max(len(self.candidates(change.new)) - SHOWN, 0)
        super()._control_changed(change)
