"""The scoreboard to play with: choose measures and models, and see every seed beside what real images score."""

import io
from collections.abc import Sequence

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from PIL import Image

from course_utils.explorers.base import Explorer, sized
from course_utils.plots import BLACK, BLUE, BROWN, GREEN, GREY, ORANGE, VERMILION, plain_figure, to_png
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
        wide = sized(480, label=70)
        controls = {
            "measure": ipywidgets.Dropdown(options=measures, value="frechet", description="measure", **wide),
            "against": ipywidgets.Dropdown(
                options=[(NOTHING, ""), *measures], value="", description="against", **wide
            ),
        }
        # Checkboxes and not one list: in JupyterLab a list does not hear the arrow keys.
        for name in board.models:
            controls[name] = ipywidgets.Checkbox(
                True, description=MODELS[name], indent=False, layout=ipywidgets.Layout(width="120px")
            )
        alt = "The scoreboard as dots: one for each model and seed, beside a dashed line for real images."
        super().__init__(controls, alt, WIDTH, HEIGHT)

    def arrange(self) -> ipywidgets.Widget:
        """The measures above each other, the models beside them, and the picture below."""
        c = self.controls
        boxes = ipywidgets.VBox([c[name] for name in self.board.models])
        chosen = ipywidgets.HBox([ipywidgets.VBox([c["measure"], c["against"]]), boxes])
        return ipywidgets.VBox([chosen, self.message, self.picture])

    def values(self) -> dict:
        """The two measures, and which models are checked."""
        c = self.controls
        models = tuple(name for name in self.board.models if c[name].value)
        return {"measure": c["measure"].value, "against": c["against"].value, "models": models}

    def draw(self, measure: str, against: str, models: Sequence[str]) -> Image.Image:
        # The choices are few, so every picture is drawn once.
        key = (measure, against, tuple(models))
        if key not in self._pictures:
            png = io.BytesIO(to_png(self.figure(measure, against, models)))
            self._pictures[key] = Image.open(png).convert("RGB").quantize(256, Image.Quantize.FASTOCTREE)
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
        rows = [name for name in self.board.models if name in models]
        every = [*self.board.values(REAL, measure)]
        for row, name in enumerate(rows):
            values = self.board.values(name, measure)
            every += values
            if not values:
                axis.text(
                    0.02, row, "none", transform=axis.get_yaxis_transform(), va="center", color="#555555"
                )
                continue
            colour, shape = STYLES[name]
            axis.plot([min(values), max(values)], [row, row], color=colour, linewidth=6, alpha=0.35)
            axis.plot(values, [row] * len(values), shape, color=colour, markersize=7, markeredgecolor="white")
            average = f"mean {_short(float(np.mean(values)))}"
            axis.text(1.02, row, average, transform=axis.get_yaxis_transform(), va="center", fontsize=10)
        axis.set_yticks(range(len(rows)), [MODELS[name] for name in rows])
        axis.set_ylim(len(rows) - 0.4, -0.6)
        self._mark_real(axis, "x", measure)
        _scale(axis, "x", every)
        axis.set_xlabel(MEASURES[measure].label)
        real = "; dashed: real images" if self.board.values(REAL, measure) else ""
        axis.set_title(f"one dot for each seed: {MEASURES[measure].advice}{real}", fontsize=10)

    def _draw_pairs(self, figure: Figure, measure: str, against: str, models: Sequence[str]) -> None:
        axis = figure.add_axes((0.1, 0.15, 0.7, 0.72))
        missing = []
        for name in (name for name in self.board.models if name in models):
            values = self.board.values(name, measure), self.board.values(name, against)
            if not all(values):
                missing.append(MODELS[name])
                continue
            colour, shape = STYLES[name]
            axis.plot(*values, shape, color=colour, markersize=8, markeredgecolor="white", label=MODELS[name])
        for side, which in (("x", measure), ("y", against)):
            self._mark_real(axis, side, which)
            models_here = [name for name in models if MODELS[name] not in missing]
            every = [value for name in (*models_here, REAL) for value in self.board.values(name, which)]
            _scale(axis, side, every)
        axis.set_xlabel(MEASURES[measure].label)
        axis.set_ylabel(MEASURES[against].label)
        advice = f"across: {MEASURES[measure].advice}; up: {MEASURES[against].advice}"
        axis.set_title(f"{advice}; dashed: real images", fontsize=10)
        if axis.get_legend_handles_labels()[0]:
            axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
        if missing:
            axis.text(
                1.03, 0.02, "without one of\nthe measures:\n" + "\n".join(missing), transform=axis.transAxes,
                fontsize=10, color="#555555",
            )  # fmt: skip

    def _mark_real(self, axis, side: str, measure: str) -> None:
        """A dashed line and a band, across or up, for what real images score, where they have the measure."""
        values = self.board.values(REAL, measure)
        if not values:
            return
        line, band = (axis.axvline, axis.axvspan) if side == "x" else (axis.axhline, axis.axhspan)
        line(np.mean(values), color=BLACK, linestyle="--", linewidth=1.2)
        band(min(values), max(values), color=GREY, alpha=0.4, linewidth=0)


def _scale(axis, side: str, values: Sequence[float]) -> None:
    """A logarithmic axis for values that differ much, and some room around them."""
    if not values:
        return
    low, high = min(values), max(values)
    wide = low > 0 and high > WIDE * low
    set_limits = axis.set_xlim if side == "x" else axis.set_ylim
    if wide:
        (axis.set_xscale if side == "x" else axis.set_yscale)("log")
        (axis.xaxis if side == "x" else axis.yaxis).set_minor_formatter(NullFormatter())
        room = high / low
        set_limits(low / room**0.08, high * room**0.08)
    else:
        room = (high - low) or 1.0
        set_limits(low - 0.08 * room, high + 0.08 * room)
    axis.grid(color="#E5E5E5")
    axis.set_axisbelow(True)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
