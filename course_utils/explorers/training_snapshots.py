"""Snapshots of training runs on a slider: what a generator drew at each step, and which classes it covered."""

from collections.abc import Sequence

import ipywidgets
import torch
from PIL import Image

from course_utils.explorers.base import Explorer
from course_utils.explorers.canvas import Canvas
from course_utils.plots import BLACK, BLUE, GREY, VERMILION, as_grey

COLUMNS, SIDE = 8, 56
MARGIN, TOP = 10, 34
HEIGHT = COLUMNS * SIDE  # of the images, and of the bars beside them
BARS_LEFT = MARGIN + COLUMNS * SIDE + MARGIN
BARS_WIDTH, LABELS_WIDTH = 300, 90
LARGEST_SHARE = 0.5
ENOUGH = 0.05


class TrainingSnapshots(Explorer):
    """A slider over the snapshots of a run, and a drop-down if there are several runs.

    `runs` maps a run's name to its snapshots in the order of the run, each a tuple (step, images, shares): images
    (N, 1, 28, 28) in [0, 1], of which the first 64 are shown, and the share of each class (10,) among the samples
    of that step. Classes with less than 5 % are marked. Raises ValueError if a run has no snapshots, or a snapshot
    not one share for each of the classes.
    """

    def __init__(
        self, runs: dict[str, Sequence[tuple[int, torch.Tensor, torch.Tensor]]], classes: Sequence[str]
    ):
        if not runs or not all(runs.values()):
            raise ValueError(
                f"runs must hold at least one snapshot each; got {[len(snapshots) for snapshots in runs.values()]}"
            )
        for name, snapshots in runs.items():
            for step, _, shares in snapshots:
                if len(shares) != len(classes):
                    raise ValueError(
                        f"shares must be one for each of {len(classes)} classes; got {len(shares)} at step {step} of "
                        f"{name!r}"
                    )
        self.runs, self.classes = runs, classes
        last = len(next(iter(runs.values()))) - 1
        controls = {
            "run": ipywidgets.Dropdown(options=list(runs), description="run"),
            "snapshot": ipywidgets.IntSlider(last, max=last, description="snapshot"),
        }
        if len(runs) == 1:
            controls["run"].layout.display = "none"
        alt = (
            "Left: images of the generator at one step of its training. Right: the share of each class among its "
            "samples as bars, with a line at 5 percent."
        )
        width = BARS_LEFT + LABELS_WIDTH + BARS_WIDTH + MARGIN
        super().__init__(controls, alt, width, TOP + HEIGHT + MARGIN)

    def largest(self, run: str, **others) -> dict[str, int]:
        return {"snapshot": len(self.runs[run]) - 1}

    def draw(self, run: str, snapshot: int) -> Image.Image:
        """The picture for a snapshot, counted from 0."""
        step, images, shares = self.runs[run][snapshot]
        canvas = Canvas(*self.size)
        canvas.write(MARGIN, 8, f"{run}: images at step {step:,}")
        canvas.put(as_grey(images[: COLUMNS**2]), MARGIN, TOP, SIDE, COLUMNS)
        self._draw_shares(canvas, [float(share) for share in shares])
        return canvas.picture

    def _draw_shares(self, canvas: Canvas, shares: list[float]) -> None:
        """Bars of the shares, from top to bottom, and the line of the smallest share that counts as covered."""
        covered = sum(share >= ENOUGH for share in shares)
        canvas.write(BARS_LEFT, 8, f"{covered} of {len(shares)} classes have at least 5 %")
        zero, pitch = BARS_LEFT + LABELS_WIDTH, HEIGHT / len(shares)
        for i, (name, share) in enumerate(zip(self.classes, shares, strict=True)):
            middle = TOP + (i + 0.5) * pitch
            colour, remark = (BLUE, "") if share >= ENOUGH else (VERMILION, "  too few")
            end = zero + BARS_WIDTH * min(share, LARGEST_SHARE) / LARGEST_SHARE
            canvas.write(zero - 6, middle, name, anchor="rm")
            bar = (zero, middle - 0.3 * pitch, max(end, zero + 1), middle + 0.3 * pitch)
            canvas.pen.rectangle(bar, fill=colour)
            # The number moves into the bar where there is no room behind it.
            inside = end > zero + BARS_WIDTH - 60
            canvas.write(
                end - 6 if inside else end + 6,
                middle,
                f"{share:.1%}{remark}",
                anchor="rm" if inside else "lm",
                colour="white" if inside else BLACK,
            )
        line = zero + BARS_WIDTH * ENOUGH / LARGEST_SHARE
        for y in range(TOP, TOP + HEIGHT, 8):
            canvas.pen.line((line, y, line, y + 4), fill=GREY)
