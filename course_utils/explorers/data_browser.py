"""Browse a data set by class and, where they are known, by generative factor."""

import ipywidgets
import torch
from matplotlib.figure import Figure

from course_utils.data import FACTORS, ImageData
from course_utils.explorers.base import Explorer, of_class
from course_utils.plots import image_grid

COLUMNS, ROWS = 10, 3
SHOWN = COLUMNS * ROWS
ALL_CLASSES = "all classes"
STORED_ORDER = "the order of storage"


class DataBrowser(Explorer):
    """Pictures of one class, or all, in the order of storage or sorted by a factor; a slider turns the pages."""

    def __init__(self, data: ImageData):
        self.images, self.labels, self.classes = (
            data.train_images.cpu(),
            data.train_labels.cpu(),
            data.classes,
        )
        self.factors = {name: values.cpu() for name, values in data.train_factors.items()}
        orders = [STORED_ORDER, *(name for name in FACTORS if name in self.factors and name != "variant")]
        controls = {
            "class_name": ipywidgets.Dropdown(options=[ALL_CLASSES, *data.classes], description="class"),
            "order": ipywidgets.Dropdown(options=orders, description="sorted by"),
            "position": ipywidgets.IntSlider(step=SHOWN, description="position"),
        }
        alt = f"{SHOWN} images of the data set {data.name}, with controls for class, order and position"
        super().__init__(controls, alt, width=825, height=356)

    def largest(self, class_name: str, **others) -> dict[str, int]:
        """So many images come before the last page."""
        count = len(of_class(self.labels, self.classes, class_name))
        return {"position": max(count - 1, 0) // SHOWN * SHOWN}

    def draw(self, class_name: str, order: str, position: int) -> Figure:
        """The thirty images after the first `position` ones of a class in an order, or else the last thirty."""
        rows = self._chosen(class_name, order)
        start = max(min(position, len(rows) - SHOWN), 0)
        shown = rows[start : start + SHOWN]
        if order == STORED_ORDER:
            captions = [self.classes[label] for label in self.labels[shown].tolist()]
        else:
            captions = [f"{value:.2f}" for value in self.factors[order][shown].tolist()]
        title = f"{class_name}: images {start + 1:,} to {start + len(shown):,} of {len(rows):,}, by {order}"
        return image_grid(self.images[shown], COLUMNS, captions, title=title)

    def _chosen(self, class_name: str, order: str) -> torch.Tensor:
        rows = of_class(self.labels, self.classes, class_name)
        return rows if order == STORED_ORDER else rows[self.factors[order][rows].argsort(stable=True)]
