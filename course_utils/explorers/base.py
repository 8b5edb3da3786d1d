"""The base of every interactive demo: controls, one picture, and errors that are shown."""

import html
from collections.abc import Callable, Sequence

import ipywidgets
import matplotlib.style
import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from PIL import Image

from course_utils.plots import image_bundle, to_png

ANY_CLASS = "any class"  # where a demo offers a class to choose


class Picture(ipywidgets.Image):
    """A PNG picture with a description that screen readers read, `tooltip`.

    ipywidgets sets it as the title of an image only if there is a `description`, too, which is empty.
    """

    tooltip = traitlets.Unicode().tag(sync=True)
    description = traitlets.Unicode().tag(sync=True)


class Explorer:
    """Controls above (or beside) a picture that follows them.

    A demo subclasses it, gives its controls by name to `super().__init__`, and implements `draw`, which takes
    the values of the controls by those names and returns the picture; so a test calls `draw`, or sets
    `demo.controls["name"].value`, without a browser. Controls are `control_width` pixels wide, of which the
    description takes `label_width`, unless they have a width of their own. The picture is `width` x `height` pixels.

    An error in `draw` is shown to the reader below the controls and kept in `error` (else None). Where no
    kernel runs (a saved notebook on a web page), the picture stands alone.
    """

    def __init__(
        self,
        controls: dict[str, ipywidgets.Widget],
        alt: str,
        width: int,
        height: int,
        control_width: int = 420,
        label_width: int = 90,
    ):
        self.controls = controls
        self.alt = alt
        self.size = (width, height)
        self.error: Exception | None = None
        self._updates = False
        # Both sides are fixed: in a box, an image is stretched to its neighbour's height otherwise.
        layout = ipywidgets.Layout(width=f"{width}px", height=f"{height}px", flex="0 0 auto")
        self.picture = Picture(format="png", layout=layout, tooltip=alt)
        self.message = ipywidgets.HTML()
        for control in controls.values():
            control.layout.width = control.layout.width or f"{control_width}px"
            control.style.description_width = f"{label_width}px"
            control.observe(self._control_changed, names="value")
        self.view = self.arrange()
        self.update()

    def draw(self, **values) -> Figure | Image.Image | np.ndarray:
        """The picture for the given values of the controls."""
        raise NotImplementedError

    def largest(self, **values) -> dict[str, int]:
        """The largest value, for the given values of the controls, of each slider whose end depends on them."""
        return {}

    def arrange(self) -> ipywidgets.Widget:
        """The layout: the controls in a column above the picture, unless a demo overrides it."""
        return ipywidgets.VBox([*self.controls.values(), self.message, self.picture])

    def values(self) -> dict:
        """The current values of the controls, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def update(self) -> None:
        """Draw the picture again from the current values; an error becomes a message below the controls."""
        self._updates = True
        try:
            for name, end in self.largest(**self.values()).items():
                self.controls[name].max = end
            # A figure that a demo keeps makes new ticks while it is drawn: in the style in which it was made.
            with matplotlib.style.context("default"):
                self.picture.value = to_png(self.draw(**self.values()))
        except Exception as error:
            self.error = error
            text = html.escape(f"{type(error).__name__}: {error}")
            self.message.value = f"<b role='alert'>This demo met an error. {text}</b>"
        else:
            self.error = None
            self.message.value = ""
        finally:
            self._updates = False

    def _control_changed(self, change) -> None:
        # Not for a slider whose new end has moved its value: that is drawn already.
        if not self._updates:
            self.update()

    def _repr_mimebundle_(self, **keywords):
        # Written out, since the widgets of ipywidgets 7, as on Colab, have no such method. Viewers without a kernel
        # fall back to the picture.
        view = {"version_major": 2, "version_minor": 0, "model_id": self.view.model_id}
        still = image_bundle(bytes(self.picture.value), self.alt)
        return still | {"application/vnd.jupyter.widget-view+json": view}


def of_class(labels: torch.Tensor, classes: Sequence[str], name: str) -> torch.Tensor:
    """The indices (n,) of the labels (N,) of a class by its name, or of all if the name is of none of the classes."""
    if name not in classes:
        return torch.arange(len(labels))
    return torch.nonzero(labels == list(classes).index(name))[:, 0]


@torch.no_grad()
def evaluate(function: Callable, *inputs: torch.Tensor):
    """`function(*inputs)` without gradients; a network, or the network of a method, is put into eval mode first.

    In train mode BatchNorm would mix the images of a demo, learn from them, and refuse a single one. Of any other
    function nobody knows the network: it must be in eval mode.
    """
    network = getattr(function, "__self__", function)
    if isinstance(network, torch.nn.Module):
        network.eval()
    try:
        return function(*inputs)
    except ValueError as error:
        if "Expected more than 1 value per channel" in str(error):
            raise ValueError(
                "a network in train mode cannot take a single image: call its eval() first"
            ) from None
        raise
