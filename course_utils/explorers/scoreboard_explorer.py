"""The scoreboard to play with: choose measures and models, and see every seed beside what real images score."""

from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from PIL import Image

from course_utils.explorers.base import Explorer
from course_utils.explorers.canvas import drawn
from course_utils.plots import BLACK, BLUE, BROWN, GREEN, GREY, ORANGE, VERMILION, plain_figure
from course_utils.scoreboard import MEASURES, MODELS, REAL, Scoreboard

NOTHING = "nothing: the seeds, row by row"
# Colour and shape of each model's dots, so that nobody needs to tell colours apart.
STYLES = dict(zip(MODELS, zip((BLUE, ORANGE, VERMILION, GREEN, BROWN), "osD^v", strict=True), strict=True))
WIDTH, HEIGHT = 760, 380
# From this ratio of the largest to the smallest value on, an axis is logarithmic.
WIDE = 20


class ScoreboardExplorer(Explorer):
    """One measure of the chosen models, row by row, or two measures against each other.

    Every dot is a model trained from one seed; a dashed line is what real images score, and its band their spread.
    Raises ValueError for a scoreboard without runs of a model.
    """

    def __init__(self, board: Scoreboard):
        if not board.models:
            raise ValueError("board must hold runs of at least one model; got none")
        self.board = board
        self._pictures: dict[tuple, Image.Image] = {}
        measures = [(measure.label, name) for name, measure in MEASURES.items()]
        against = [(NOTHING, ""), *measures]
        controls = {
            "measure": ipywidgets.Dropdown(options=measures, value="frechet", description="measure"),
            "against": ipywidgets.Dropdown(options=against, value="", description="against"),
        }
        # Checkboxes and not one list: in JupyterLab a list does not hear the arrow keys.
        box = {"indent": False, "layout": ipywidgets.Layout(width="120px")}
        controls |= {
            name: ipywidgets.Checkbox(True, description=MODELS[name], **box) for name in board.models
        }
        alt = "The scoreboard as dots: one for each model and seed, beside a dashed line for real images."
        super().__init__(controls, alt, WIDTH, HEIGHT, control_width=480, label_width=70)

    def arrange(self) -> ipywidgets.Widget:
        """The measures above each other, the models beside them, and the picture below."""
        measure, against, *boxes = self.controls.values()
        chosen = ipywidgets.HBox([ipywidgets.VBox([measure, against]), ipywidgets.VBox(boxes)])
        return ipywidgets.VBox([chosen, self.message, self.picture])

    def values(self) -> dict:
        """The two measures, and which models are checked."""
        values = super().values()
        models = tuple(name for name in self.board.models if values.pop(name))
        return {**values, "models": models}

    def draw(self, measure: str, against: str, models: Sequence[str]) -> Image.Image:
        # The choices are few, so every picture is drawn once.
        key = (measure, against, tuple(models))
        if key not in self._pictures:
            picture = drawn(self.figure(measure, against, models))
            self._pictures[key] = picture.quantize(256, Image.Quantize.FASTOCTREE)
        return self._pictures[key]

    def figure(self, measure: str, against: str, models: Sequence[str]) -> Figure:
        """What `draw` shows, as a figure."""
        figure = plain_figure(WIDTH / 100, HEIGHT / 100)
        if against:
            self._draw_pairs(figure, measure, against, models)
        else:
            self._draw_rows(figure, measure, models)
        return figure

    def _draw_rows(self, figure: Figure, measure: str, models: Sequence[str]) -> None:
        axis = figure.add_axes((0.1, 0.15, 0.74, 0.72))
        beside: dict[str, Any] = {"transform": axis.get_yaxis_transform(), "va": "center"}
        rows = [name for name in self.board.models if name in models]
        for row, name in enumerate(rows):
            values = self.board.values(name, measure)
            if not values:
                axis.text(0.02, row, "none", color="#555555", **beside)
                continue
            colour, shape = STYLES[name]
            axis.plot([min(values), max(values)], [row, row], color=colour, linewidth=6, alpha=0.35)
            axis.plot(values, [row] * len(values), shape, color=colour, markersize=7, markeredgecolor="white")
            axis.text(1.02, row, f"mean {_short(float(np.mean(values)))}", fontsize=10, **beside)
        axis.set_yticks(range(len(rows)), [MODELS[name] for name in rows])
        axis.set_ylim(len(rows) - 0.4, -0.6)
        self._set_out(axis, "x", measure, rows)
        real = "; dashed: real images" if self.board.values(REAL, measure) else ""
        axis.set_title(f"one dot for each seed: {MEASURES[measure].advice}{real}", fontsize=10)

    def _draw_pairs(self, figure: Figure, measure: str, against: str, models: Sequence[str]) -> None:
        axis = figure.add_axes((0.1, 0.15, 0.7, 0.72))
        missing, shown = [], []
        for name in (name for name in self.board.models if name in models):
            values = self.board.values(name, measure), self.board.values(name, against)
            if not all(values):
                missing.append(MODELS[name])
                continue
            shown.append(name)
            colour, shape = STYLES[name]
            axis.plot(*values, shape, color=colour, markersize=8, markeredgecolor="white", label=MODELS[name])
        self._set_out(axis, "x", measure, shown)
        self._set_out(axis, "y", against, shown)
        advice = f"across: {MEASURES[measure].advice}; up: {MEASURES[against].advice}"
        axis.set_title(f"{advice}; dashed: real images", fontsize=10)
        if shown:
            axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
        if missing:
            text = "without one of\nthe measures:\n" + "\n".join(missing)
            axis.text(1.03, 0.02, text, transform=axis.transAxes, fontsize=10, color="#555555")

    def _set_out(self, axis, side: str, measure: str, models: Sequence[str]) -> None:
        """The axis across (side "x") or up ("y"): its name, what real images score, and room for all values.

        Values that differ much get a logarithmic axis.
        """
        axis.set(**{f"{side}label": MEASURES[measure].label})
        axis.grid(color="#E5E5E5")
        axis.set_axisbelow(True)
        if real := self.board.values(REAL, measure):
            line, band = (axis.axvline, axis.axvspan) if side == "x" else (axis.axhline, axis.axhspan)
            line(np.mean(real), color=BLACK, linestyle="--", linewidth=1.2)
            band(min(real), max(real), color=GREY, alpha=0.4, linewidth=0)
        values = [value for name in (*models, REAL) for value in self.board.values(name, measure)]
        if not values:
            return
        low, high = min(values), max(values)
        if low > 0 and high > WIDE * low:
            room = (high / low) ** 0.08
            axis.set(**{f"{side}scale": "log", f"{side}lim": (low / room, high * room)})
            getattr(axis, f"{side}axis").set_minor_formatter(NullFormatter())
        else:
            room = 0.08 * ((high - low) or 1.0)
            axis.set(**{f"{side}lim": (low - room, high + room)})


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
