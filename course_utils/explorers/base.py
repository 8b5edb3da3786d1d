"""The base of every interactive demo: controls, one picture, and errors that are shown."""

import html
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import ipywidgets
import matplotlib.style
import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from PIL import Image

from course_utils.plots import image_bundle, to_png


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
    `demo.controls["name"].value`, without a browser.

    An error in `draw` is shown to the reader below the controls and kept in `error` (else None). Where no
    kernel runs (a saved notebook on a web page), the picture stands alone.
    """

    def __init__(self, controls: dict[str, ipywidgets.Widget], alt: str, width: int, height: int):
        self.controls = controls
        self.alt = alt
        self.size = (width, height)
        self.error: Exception | None = None
        self._may_draw = True
        # Both sides are fixed: in a box, an image is stretched to its neighbour's height otherwise.
        layout = ipywidgets.Layout(width=f"{width}px", height=f"{height}px", flex="0 0 auto")
        self.picture = Picture(format="png", layout=layout, tooltip=alt)
        self.message = ipywidgets.HTML()
        for control in controls.values():
            control.observe(self._control_changed, names="value")
        self.view = self.arrange()
        self.update()

    def draw(self, **values) -> Figure | Image.Image | np.ndarray:
        """The picture for the given values of the controls."""
        raise NotImplementedError

    def arrange(self) -> ipywidgets.Widget:
        """The layout: the controls in a column above the picture, unless a demo overrides it."""
        return ipywidgets.VBox([*self.controls.values(), self.message, self.picture])

    def values(self) -> dict:
        """The current values of the controls, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def update(self) -> None:
        """Draw the picture again from the current values; an error becomes a message for the reader."""
        self.run_safely(self._redraw)

    def run_safely(self, action) -> None:
        """Run a callback; an error becomes a message below the controls, instead of vanishing in a log."""
        try:
            action()
        except Exception as error:
            self.error = error
            text = html.escape(f"{type(error).__name__}: {error}")
            self.message.value = f"<b role='alert'>This demo met an error. {text}</b>"
        else:
            self.error = None
            self.message.value = ""

    def _redraw(self) -> None:
        # A figure that a demo keeps makes new ticks while it is drawn: in the style in which it was made.
        with matplotlib.style.context("default"):
            self.picture.value = to_png(self.draw(**self.values()))

    @contextmanager
    def without_drawing(self) -> Iterator[None]:
        """Within it, controls change and nothing is drawn: for one picture of several changes."""
        self._may_draw = False
        try:
            yield
        finally:
            self._may_draw = True

    def _control_changed(self, change) -> None:
        if self._may_draw:
            self.update()

    def still(self) -> bytes:
        """The PNG bytes of the picture that stands for the demo where no kernel runs."""
        return bytes(self.picture.value)

    def _repr_mimebundle_(self, **keywords):
        # Written out, since the widgets of ipywidgets 7, as on Colab, have no such method. Viewers without a kernel
        # fall back to the picture.
        view = {"version_major": 2, "version_minor": 0, "model_id": self.view.model_id}
        return image_bundle(self.still(), self.alt) | {"application/vnd.jupyter.widget-view+json": view}


def sized(width: int, label: int) -> dict:
    """The keywords of a control that is `width` pixels wide, of which its description takes `label`."""
    return {"layout": ipywidgets.Layout(width=f"{width}px"), "style": {"description_width": f"{label}px"}}


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
