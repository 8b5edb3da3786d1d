"""Browse a data set by class and, where they are known, by generative factor."""

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from course_utils.data import FACTORS, ImageData
from course_utils.explorers.base import Explorer, sized
from course_utils.plots import image_grid

COLUMNS, ROWS = 10, 3
SHOWN = COLUMNS * ROWS
ALL_CLASSES = "all classes"
STORED_ORDER = "the order of storage"


class DataBrowser(Explorer):
    """Pictures of one class, or all, in the order of storage or sorted by a factor; a slider turns the pages."""

    def __init__(self, data: ImageData):
        self.images = data.train_images.cpu().numpy()
        self.labels = data.train_labels.cpu().numpy()
        self.factors = {name: values.cpu().numpy() for name, values in data.train_factors.items()}
        self.classes = data.classes
        orders = [STORED_ORDER, *(name for name in FACTORS if name in self.factors and name != "variant")]
        wide = sized(420, label=90)
        controls = {
            "class_name": ipywidgets.Dropdown(
                options=[ALL_CLASSES, *data.classes], description="class", **wide
            ),
            "order": ipywidgets.Dropdown(options=orders, description="sorted by", **wide),
            "position": ipywidgets.IntSlider(
                max=_last_page(len(self.labels)), step=SHOWN, description="position", **wide
            ),
        }
        alt = f"{SHOWN} images of the data set {data.name}, with controls for class, order and position"
        super().__init__(controls, alt, width=750, height=350)

    def draw(self, class_name: str, order: str, position: int) -> Figure:
        """The thirty images after the first `position` ones of a class in an order, or else the last thirty."""
        rows = self._chosen(class_name, order)
        start = max(min(position, len(rows) - SHOWN), 0)
        shown = rows[start : start + SHOWN]
        if order == STORED_ORDER:
            captions = [self.classes[label] for label in self.labels[shown]]
        else:
            captions = [f"{value:.2f}" for value in self.factors[order][shown]]
        title = f"{class_name}: images {start + 1:,} to {start + len(shown):,} of {len(rows):,}, by {order}"
        return image_grid(self.images[shown], COLUMNS, captions, title=title)

    def _control_changed(self, change) -> None:
        if change.owner is self.controls["class_name"]:
            with self.without_drawing():
                self.controls["position"].max = _last_page(len(self._chosen(change.new, STORED_ORDER)))
        super()._control_changed(change)

    def _chosen(self, class_name: str, order: str) -> np.ndarray:
        rows = np.arange(len(self.labels))
        if class_name != ALL_CLASSES:
            rows = rows[self.labels == self.classes.index(class_name)]
        if order == STORED_ORDER:
            return rows
        return rows[np.argsort(self.factors[order][rows], kind="stable")]


def _last_page(count: int) -> int:
    """How many of `count` images come before the last page."""
    return max(count - 1, 0) // SHOWN * SHOWN
