"""The drawings of the lessons: one function for each, which shows it below the cell that calls it."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F

from course_utils.plots import ORANGE, SKY
from course_utils.schematics import Schematic

CELL = 0.8  # side of a cell of a grid, in units of half an inch


def grids_in_a_row(
    grids: Sequence[torch.Tensor],
    titles: Sequence[str],
    alt: str,
    marked: Sequence[Mapping[tuple[int, int], str]] = (),
) -> None:
    """Matrices of numbers side by side; `marked` gives cells (row, column) of each of them a colour."""
    # A title needs about a quarter of a unit for each letter.
    widths = [max(CELL * grid.shape[1], 0.24 * len(title)) for grid, title in zip(grids, titles, strict=True)]
    height = CELL * max(len(grid) for grid in grids)
    drawing = Schematic(sum(widths) + 0.7 * (len(grids) + 1), height + 1.4)
    left = 0.7
    for i, (grid, title, width) in enumerate(zip(grids, titles, widths, strict=True)):
        drawing.grid(
            left + width / 2, height / 2 + 0.3, grid, CELL, marked[i] if marked else None, title=title
        )
        left += width + 0.7
    drawing.show(alt)


def gather_and_scatter(x: torch.Tensor, w: torch.Tensor, h: torch.Tensor) -> None:
    """A convolution of x (4, 4) gathers a patch into h[0, 1]; its transpose scatters h[0, 1] over the same places."""
    places = {(i, j): ORANGE for i in range(3) for j in range(1, 4)}
    written = F.pad(h[0, 1] * w, (1, 0, 0, 1))
    drawing = Schematic(21, 5.4)
    image = drawing.grid(2.2, 2.4, x, CELL, places, title="x")
    gathered = drawing.grid(7.6, 2.4, h, CELL, {(0, 1): ORANGE}, title="h")
    drawing.arrow(image.right, gathered.left, "gather")
    drawing.text(4.9, 0.3, "convolution: times w, added up", size=13)
    small = drawing.grid(13, 2.4, h, CELL, {(0, 1): SKY}, title="h")
    large = drawing.grid(18.4, 2.4, written, CELL, dict.fromkeys(places, SKY), title="added to the output")
    drawing.arrow(small.right, large.left, "scatter")
    drawing.text(15.7, 0.3, "transpose convolution: 7 times w", size=13)
    drawing.show(
        "On the left nine marked cells of a 4 by 4 image lead to one cell of a 2 by 2 map. On the right an arrow leads "
        "from that cell to the same nine cells, which hold seven times the kernel."
    )


def zeros_in_between(spread: torch.Tensor, turned: torch.Tensor, x: torch.Tensor) -> None:
    """A window of a map with zeros in between (7, 7), the turned kernel (3, 3), and the output (5, 5) of it."""
    window = {(i, j): ORANGE for i in range(2, 5) for j in range(2, 5)}
    drawing = Schematic(18.6, 7.4)
    zeros = drawing.grid(3.3, 3.2, spread, CELL, window, title="h with zeros in between and around")
    kernel = drawing.grid(9.6, 3.2, turned, CELL, title="w turned")
    result = drawing.grid(15.6, 3.2, x, CELL, {(2, 2): ORANGE}, title="output")
    drawing.text((zeros.right[0] + kernel.left[0]) / 2, 3.2, "∗", size=20)
    drawing.text((kernel.right[0] + result.left[0]) / 2, 3.2, "=", size=20)
    drawing.show(
        "A 7 by 7 grid with the four numbers of h, zeros between and around them, and a marked window of 3 by 3; the "
        "kernel turned by half a turn; the 5 by 5 output with the marked number that this window gives."
    )
