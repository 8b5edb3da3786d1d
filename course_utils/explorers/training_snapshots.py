"""Snapshots of training runs on a slider: what a generator drew at each step, and which classes it covered."""

from collections.abc import Sequence

import ipywidgets
import numpy as np
import torch
from PIL import Image, ImageDraw

from course_utils.explorers.base import Explorer, sized
from course_utils.plots import BLACK, BLUE, GREY, VERMILION, as_grey, pil_font

COLUMNS = 8
SCALE = 2
MARGIN, TOP = 10, 34
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
        first = next(iter(runs))
        wide = sized(420, label=90)
        controls = {
            "run": ipywidgets.Dropdown(options=list(runs), description="run", **wide),
            "snapshot": ipywidgets.IntSlider(
                len(runs[first]) - 1, min=0, max=len(runs[first]) - 1, description="snapshot", **wide
            ),
        }
        if len(runs) == 1:
            controls["run"].layout.display = "none"
        self.side = COLUMNS * 28 * SCALE
        width = MARGIN + self.side + MARGIN + LABELS_WIDTH + BARS_WIDTH + MARGIN
        alt = (
            "Left: images of the generator at one step of its training. Right: the share of each class among its "
            "samples as bars, with a line at 5 percent."
        )
        self.size = (width, TOP + self.side + MARGIN)
        super().__init__(controls, alt, *self.size)

    def draw(self, run: str, snapshot: int) -> Image.Image:
        """The picture for a snapshot, counted from 0; a run with fewer of them shows its last one."""
        snapshots = self.runs[run]
        step, images, shares = snapshots[min(snapshot, len(snapshots) - 1)]
        canvas = Image.new("RGB", self.size, "white")
        pen = ImageDraw.Draw(canvas)
        pen.text((MARGIN, 8), f"{run}: images at step {step:,}", font=pil_font(), fill=BLACK)
        canvas.paste(_mosaic(as_grey(images[: COLUMNS**2])), (MARGIN, TOP))
        _draw_shares(pen, MARGIN + self.side + MARGIN, np.asarray(shares), self.classes, self.side)
        return canvas

    def _control_changed(self, change) -> None:
        if change.owner is self.controls["run"]:
            with self.without_drawing():
                self.controls["snapshot"].max = len(self.runs[change.new]) - 1
        super()._control_changed(change)


def _mosaic(grey: np.ndarray) -> Image.Image:
    """Images (N, 28, 28), uint8, row by row without gaps."""
    rows = -(-len(grey) // COLUMNS)
    padded = np.zeros((rows * COLUMNS, 28, 28), dtype=np.uint8)
    padded[: len(grey)] = grey
    joined = padded.reshape(rows, COLUMNS, 28, 28).swapaxes(1, 2).reshape(rows * 28, COLUMNS * 28)
    return Image.fromarray(joined).resize((COLUMNS * 28 * SCALE, rows * 28 * SCALE), Image.Resampling.NEAREST)


def _draw_shares(pen: ImageDraw.ImageDraw, left: int, shares: np.ndarray, classes, height: int) -> None:
    """Bars of the shares, from top to bottom, and the line of the smallest share that counts as covered."""
    font, pitch = pil_font(), height / len(classes)
    zero = left + LABELS_WIDTH
    covered = int((shares >= ENOUGH).sum())
    pen.text((left, 8), f"{covered} of {len(classes)} classes have at least 5 %", font=font, fill=BLACK)
    for i, (name, share) in enumerate(zip(classes, shares, strict=True)):
        middle = TOP + (i + 0.5) * pitch
        enough = share >= ENOUGH
        length = BARS_WIDTH * min(share, LARGEST_SHARE) / LARGEST_SHARE
        colour = BLUE if enough else VERMILION
        pen.text((zero - 6, middle), name, font=font, fill=BLACK, anchor="rm")
        pen.rectangle((zero, middle - 0.3 * pitch, zero + max(length, 1), middle + 0.3 * pitch), fill=colour)
        # The number moves into the bar where there is no room behind it.
        inside = length > BARS_WIDTH - 60
        place, anchor = (zero + length - 6, "rm") if inside else (zero + length + 6, "lm")
        text = f"{share:.1%}" if enough else f"{share:.1%}  too few"
        pen.text((place, middle), text, font=font, fill="white" if inside else BLACK, anchor=anchor)
    line = zero + BARS_WIDTH * ENOUGH / LARGEST_SHARE
    for y in range(TOP, TOP + height, 8):
        pen.line((line, y, line, y + 4), fill=GREY, width=1)
