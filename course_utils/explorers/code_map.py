"""The map of the codes of an autoencoder: choose what to plot, what to colour by, and which image to look at."""

from collections.abc import Sequence

import ipywidgets
import numpy as np
import torch
from matplotlib.figure import Figure

from course_utils.data import check_labels, to_pixels
from course_utils.explorers.base import Explorer
from course_utils.plots import BLACK, as_grey, draw_class_map, draw_digit, plain_figure

BY_CLASS = "class"
DIRECTIONS = 4


class CodeMap(Explorer):
    """Two coordinates of the codes as a map, and one of the images with its reconstruction.

    `model` has `encode` (B, 1, 28, 28) to (B, n) and `decode` back; it is used in eval mode. `images` are uint8
    (N, 28, 28), at least 5 of them, with `labels` (N,). `factors` maps names of further colourings to tensors (N,);
    it may be empty. The coordinates on offer are the first principal directions of the codes (PCA 1, 2, ...) and the
    numbers of the code themselves (z1, z2, ...). Raises ValueError for fewer images, if labels are not one of the
    classes for each image, or factors not as many as images.
    """

    @torch.no_grad()
    def __init__(
        self,
        model: torch.nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        factors: dict[str, torch.Tensor],
        classes: Sequence[str],
    ):
        # Imported here, because scikit-learn takes long to import.
        from sklearn.decomposition import PCA

        if len(images) <= DIRECTIONS:
            raise ValueError(f"images must hold at least {DIRECTIONS + 1} images; got {len(images)}")
        check_labels(labels, len(images), len(classes))
        for name, values in factors.items():
            if len(values) != len(images):
                raise ValueError(
                    f"{name} must be one for each image; got {len(values)} for {len(images)} images"
                )
        model.eval()
        x = to_pixels(images)
        codes = model.encode(x)
        x_hat = model.decode(codes)
        self.errors = (x_hat - x).square().flatten(1).sum(dim=1).tolist()
        self.images, self.reconstructions = as_grey(images), as_grey(x_hat)
        self.labels = labels.cpu().numpy()
        self.factors = {name: values.cpu().numpy() for name, values in factors.items()}
        self.classes = classes
        rows = codes.cpu().numpy()
        directions = min(DIRECTIONS, rows.shape[1])
        principal = PCA(n_components=directions).fit_transform(rows)
        self.coordinates = {f"PCA {i + 1}": principal[:, i] for i in range(directions)}
        self.coordinates |= {f"z{i + 1}": rows[:, i] for i in range(rows.shape[1])}
        self._shown: tuple[str, str, str] | None = None
        names = list(self.coordinates)
        controls = {
            "across": ipywidgets.Dropdown(options=names, description="across"),
            "up": ipywidgets.Dropdown(options=names, index=min(1, len(names) - 1), description="up"),
            "colour": ipywidgets.Dropdown(options=[BY_CLASS, *self.factors], description="colour"),
            "image": ipywidgets.IntSlider(max=len(images) - 1, description="image"),
        }
        alt = "A map of codes, one point for each image; the chosen image and its reconstruction beside it."
        super().__init__(controls, alt, width=760, height=440, control_width=320)

    def draw(self, across: str, up: str, colour: str, image: int) -> Figure:
        if self._shown != (across, up, colour):
            self._draw_map(across, up, colour)
            self._shown = (across, up, colour)
        self._marker.set_data([self.coordinates[across][image]], [self.coordinates[up][image]])
        self._original.set_data(self.images[image])
        self._reconstruction.set_data(self.reconstructions[image])
        self._caption.set_text(
            f"x: {self.classes[self.labels[image]]}"
            + "".join(f"\n{name} = {values[image]:.2f}" for name, values in self.factors.items())
        )
        self._error.set_text(f"x_hat: squared error {self.errors[image]:.1f}")
        return self.figure

    def _draw_map(self, across: str, up: str, colour: str) -> None:
        """Draw everything that stays while the reader moves from image to image."""
        self.figure = plain_figure(7.6, 4.4)
        axis = self.figure.add_axes((0.08, 0.12, 0.5, 0.8))
        points = np.stack([self.coordinates[across], self.coordinates[up]], axis=1)
        if colour == BY_CLASS:
            draw_class_map(axis, points, self.labels)
        else:
            dots = axis.scatter(
                points[:, 0], points[:, 1], s=6, c=self.factors[colour], cmap="cividis", linewidths=0
            )
            self.figure.colorbar(dots, cax=self.figure.add_axes((0.6, 0.12, 0.015, 0.8)), label=colour)
        axis.set_xlabel(across)
        axis.set_ylabel(up)
        axis.set_title(f"{len(points):,} codes, coloured by {colour}", fontsize=10)
        (self._marker,) = axis.plot(
            [], [], "o", markersize=13, fillstyle="none", color=BLACK, markeredgewidth=2.5
        )
        top = self.figure.add_axes((0.74, 0.46, 0.24, 0.32))
        bottom = self.figure.add_axes((0.74, 0.04, 0.24, 0.32))
        self._original = draw_digit(top, self.images[0], "x")
        self._reconstruction = draw_digit(bottom, self.reconstructions[0], "x_hat")
        self._caption, self._error = top.title, bottom.title
