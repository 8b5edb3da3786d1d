"""The base of every interactive demo: controls, one picture, and errors that are shown."""

import html

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from course_utils.plots import to_png


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
        self.error: Exception | None = None
        # Both sides are fixed: in a box, an image is stretched to its neighbour's height otherwise.
        layout = ipywidgets.Layout(width=f"{width}px", height=f"{height}px", flex="0 0 auto")
        self.picture = ipywidgets.Image(format="png", layout=layout)
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
        self.picture.value = to_png(self.draw(**self.values()))

    def _control_changed(self, change) -> None:
        self.update()

    def _repr_mimebundle_(self, **keywords):
        data = dict(self.view._repr_mimebundle_(**keywords) or {})
        data["text/plain"] = self.alt
        # Viewers without a kernel fall back to the picture.
        data["image/png"] = bytes(self.picture.value)
        return data, {"image/png": {"alt": self.alt}}
