"""Drawings of networks, grids and graphical models, in one style: boxes and arrows, drawn by code, shown as SVG.

A drawing stands on a white card of its own, so that it can be read on a dark page, too. Its colours are those of the
figures, its texts at least LETTERS high, and formulas are written as matplotlib's mathtext ("$z$").
"""

import io
from collections.abc import Mapping
from typing import Any, NamedTuple

import matplotlib
import torch
from IPython.display import display
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, Polygon, Rectangle

from course_utils.plots import BLACK, SKY, image_bundle

INCHES = 0.5
LETTERS = 12  # points
INK = "#222222"
# Not those of the reader's matplotlibrc, so that a drawing is the same everywhere.
FONT: dict[str, Any] = {"family": "DejaVu Sans", "color": INK, "usetex": False}
# Appended to a colour: pale fills, so that black text can be read on each of them.
PALE, PALER = "66", "44"

Point = tuple[float, float]


class Place(NamedTuple):
    """Where a part of a drawing is: its middle, and the middle of each of its sides."""

    middle: Point
    left: Point
    right: Point
    top: Point
    bottom: Point


def _place(x: float, y: float, width: float, height: float) -> Place:
    return Place((x, y), (x - width / 2, y), (x + width / 2, y), (x, y + height / 2), (x, y - height / 2))


class Schematic:
    """An empty drawing of width x height units of half an inch; y grows upwards, parts are placed by their middle."""

    def __init__(self, width: float, height: float):
        self.figure = Figure(figsize=(INCHES * width, INCHES * height), facecolor="white")
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(0, height))
        self.axes.set_axis_off()

    def box(
        self,
        x: float,
        y: float,
        text: str,
        width: float = 3,
        height: float = 1.6,
        colour: str = SKY,
        taper: float = 1,
    ) -> Place:
        """A box with a text. With `taper`, its right side is that many times as high as its left one, or the left one
        1 / taper times as high as the right one: an encoder narrows (taper < 1), a decoder widens (taper > 1)."""
        left, right = height / 2 * min(1, 1 / taper), height / 2 * min(1, taper)
        w = width / 2
        corners = [(x - w, y - left), (x - w, y + left), (x + w, y + right), (x + w, y - right)]
        self.axes.add_patch(Polygon(corners, facecolor=colour + PALER, edgecolor=INK, linewidth=1.5))
        self.text(x, y, text)
        return _place(x, y, width, height)

    def node(self, x: float, y: float, text: str, observed: bool = False, radius: float = 0.8) -> Place:
        """A circle of a graphical model, filled if what it stands for is observed."""
        fill = BLACK + PALER if observed else "white"
        self.axes.add_patch(Circle((x, y), radius, facecolor=fill, edgecolor=INK, linewidth=1.5))
        self.text(x, y, text, size=15)
        return _place(x, y, 2 * radius, 2 * radius)

    def frame(self, x: float, y: float, width: float, height: float, text: str) -> Place:
        """A frame around parts, with its text inside at the lower right: a plate, or "trained", "frozen"."""
        corner = (x - width / 2, y - height / 2)
        self.axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=INK, linestyle="--"))
        inside = (x + width / 2 - 0.15, y - height / 2 + 0.15)
        self.axes.text(*inside, text, ha="right", va="bottom", fontsize=LETTERS, **FONT)
        return _place(x, y, width, height)

    def grid(
        self,
        x: float,
        y: float,
        values: torch.Tensor,
        side: float = 0.8,
        marked: Mapping[tuple[int, int], str] | None = None,
        title: str = "",
    ) -> Place:
        """The numbers of a matrix (rows, columns) in cells; `marked` gives cells (row, column) a colour."""
        rows, columns = values.shape
        place = _place(x, y, side * columns, side * rows)
        for i in range(rows):
            for j in range(columns):
                colour = (marked or {}).get((i, j))
                left, bottom = place.left[0] + side * j, place.top[1] - side * (i + 1)
                fill = colour + PALE if colour else "white"
                self.axes.add_patch(Rectangle((left, bottom), side, side, facecolor=fill, edgecolor=INK))
                self.text(left + side / 2, bottom + side / 2, f"{values[i, j].item():g}")
        if title:
            self.text(x, place.top[1] + 0.45, title)
        return place

    def arrow(self, start: Point, end: Point, text: str = "", bend: float = 0, dashed: bool = False) -> None:
        """An arrow, with its text above its middle; `bend` curves it to its left (positive) or right."""
        style: dict[str, Any] = {
            "arrowstyle": "-|>",
            "mutation_scale": 16,
            "shrinkA": 2,
            "shrinkB": 2,
            "color": INK,
            "linewidth": 1.5,
        }
        line = "--" if dashed else "-"
        bow = f"arc3,rad={-bend}"
        self.axes.add_patch(FancyArrowPatch(start, end, connectionstyle=bow, linestyle=line, **style))
        if text:
            self.text((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + 0.45, text)

    def text(self, x: float, y: float, text: str, size: float = LETTERS) -> None:
        """A text around its middle."""
        self.axes.text(x, y, text, ha="center", va="center", fontsize=size, **FONT)

    def svg(self) -> str:
        """The drawing as an SVG image, the same text each time. Letters are outlines: no font is needed to read it."""
        buffer = io.BytesIO()
        with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "course"}):
            self.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        return buffer.getvalue().decode()

    def show(self, alt: str) -> None:
        """Display the drawing below the cell. `alt` says in a sentence what there is to see."""
        if not alt.strip():
            raise ValueError("alt must be a sentence that says what the drawing shows; got an empty text")
        display(image_bundle(self.svg().encode(), alt, "svg+xml"), raw=True)
