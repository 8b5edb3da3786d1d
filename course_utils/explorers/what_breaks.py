"""What breaks: go on training a conditional GAN with some of its rules switched off, and watch images and gradients."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ipywidgets
import numpy as np
import torch
from PIL import Image, ImageDraw

from course_utils.data import check_labels, to_pixels
from course_utils.environment import forked_random_numbers
from course_utils.explorers.base import Explorer
from course_utils.explorers.canvas import Canvas
from course_utils.judges import ToProbabilities, fidelity
from course_utils.plots import BLACK, BLUE, GREY, VERMILION, as_grey

CHUNK = 20  # training steps from one picture to the next
CHUNKS = 6
BATCH_SIZE = 64
ROWS_SHOWN, ROWS_JUDGED = 5, 20  # noises, each under every label
SIDE = 42
WIDTH, HEIGHT = 800, 268
# What is missing when a rule is off.
RULES = {
    "detach": "without detach",
    "zero_grad": "without zero_grad",
    "matched": "real images with labels of others",
}


@dataclass(frozen=True)
class Frame:
    """What there is to see after some steps.

    `images` are uint8 (ROWS_SHOWN * K, 28, 28), `fidelity` the share of generated images that the judge puts into the
    class they were asked for. `followed` gives for G and D the cosine between the gradient that the last update
    followed and the one that it would have followed with all rules on; None before the first update.
    """

    images: np.ndarray
    fidelity: float
    followed: dict[str, float | None]


class WhatBreaks(Explorer):
    """Switches for three rules of the training, and a slider for the steps taken since they were set.

    Every choice of switches starts from the same trained `G` and `D`, which are copied and left alone. A choice is
    trained when it is first looked at, CHUNK steps at a time, and kept.

    - `update(G, D, optimizer_g, optimizer_d, x, y, detach, zero_grad, matched)` makes one update of both networks, as
      notebook 11 defines it; x are pixels (B, 1, 28, 28), y labels (B,). The rules are on if True.
    - `images`, uint8 (N, 28, 28), and `labels` (N,) are the training data.
    - `judge` is what `load_judge` returns, or a function from pixels (B, 1, 28, 28) to probabilities (B, K): the share
      of images that it reads as the label asked for is shown.
    - `classes` are the names of the G.num_classes labels.

    Raises ValueError if labels are not one of the classes for each image, or classes not as many as G.num_classes.
    """

    def __init__(
        self,
        G: torch.nn.Module,
        D: torch.nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        update: Callable,
        judge: ToProbabilities,
        classes: Sequence[str],
        rate: float = 1e-3,
    ):
        if len(classes) != G.num_classes:
            raise ValueError(
                f"classes must be as many as G.num_classes; got {len(classes)} names for {G.num_classes} classes"
            )
        check_labels(labels, len(images), len(classes))
        self.G, self.D, self.update_both, self.judge = G, D, update, judge
        self.images, self.labels, self.classes, self.rate = images, labels.long(), classes, rate
        self.runs: dict[tuple[bool, ...], _Run] = {}
        words = ("fakes.detach() in step 3", "zero_grad()", "D's labels match")
        box = {"indent": False, "layout": ipywidgets.Layout(width="230px")}
        controls = {
            rule: ipywidgets.Checkbox(True, description=text, **box) for rule, text in zip(RULES, words)
        }
        controls["steps"] = ipywidgets.IntSlider(CHUNK, max=CHUNK * CHUNKS, step=CHUNK, description="steps")
        alt = (
            "Left: images of a conditional GAN, one column per label, after some steps with the chosen rules. "
            "Right: bars for the share with the right label and for the direction of the gradients."
        )
        super().__init__(controls, alt, WIDTH, HEIGHT)

    def arrange(self) -> ipywidgets.Widget:
        """The switches in a row, the slider, and the picture."""
        *switches, steps = self.controls.values()
        return ipywidgets.VBox([ipywidgets.HBox(switches), steps, self.message, self.picture])

    def frame(self, detach: bool, zero_grad: bool, matched: bool, steps: int) -> Frame:
        """What there is to see after `steps` steps with the given rules."""
        rules = (detach, zero_grad, matched)
        run = self.runs.pop(rules, None) or _Run(self, rules)
        frame = run.frame(steps // CHUNK)
        # Only now: a run that was broken off in the middle of its steps cannot go on, and starts anew.
        self.runs[rules] = run
        return frame

    def draw(self, detach: bool, zero_grad: bool, matched: bool, steps: int) -> Image.Image:
        """Images and bars after `steps` steps with the given rules."""
        frame = self.frame(detach, zero_grad, matched, steps)
        canvas, columns = Canvas(WIDTH, HEIGHT), len(self.classes)
        side = SIDE * 10 // columns if columns > 10 else SIDE
        for column, name in enumerate(self.classes):
            canvas.write(column * side + side // 2, 30, name[:5], anchor="mm")
        canvas.put(frame.images, 0, 42, side, columns)
        off = [missing for missing, on in zip(RULES.values(), (detach, zero_grad, matched)) if not on]
        canvas.write(0, 4, f"after {steps} steps, {', '.join(off) or 'all rules on'}")
        left = columns * side + 30
        canvas.write(left, 48, f"read as the label asked for: {100 * frame.fidelity:.0f} %")
        _bar(canvas.pen, left, 68, 0, frame.fidelity)
        for top, (network, cosine) in zip((118, 188), frame.followed.items()):
            told = "no update yet" if cosine is None else f"{cosine:+.2f}".replace("-", "−")
            canvas.write(left, top, f"{network}'s last gradient against the right one: {told}")
            _bar(canvas.pen, left, top + 20, 0.5, 0.5 + (cosine or 0) / 2)
        return canvas.picture


def _bar(pen: ImageDraw.ImageDraw, left: int, top: int, start: float, end: float) -> None:
    """A bar on a scale of 300 pixels, from share `start` to share `end` of it; vermilion to the left of its start."""
    width, height = 300, 20
    pen.rectangle((left, top, left + width, top + height), outline=GREY)
    low, high = sorted((start, end))
    colour = VERMILION if end < start else BLUE
    pen.rectangle((left + width * low, top, left + width * high, top + height), fill=colour)
    pen.line((left + width * start, top - 3, left + width * start, top + height + 3), fill=BLACK)


class _Run:
    """The training with one choice of rules, as far as it was looked at."""

    def __init__(self, demo: WhatBreaks, rules: tuple[bool, ...]):
        self.demo, self.rules, self.step = demo, rules, 0
        G, D = copy.deepcopy((demo.G, demo.D))
        optimizers = (torch.optim.Adam(own.parameters(), lr=demo.rate, betas=(0.5, 0.99)) for own in (G, D))
        self.networks = (G, D, *optimizers)
        self.frames = [self._look({"G": None, "D": None})]

    def frame(self, chunks: int) -> Frame:
        while len(self.frames) <= chunks:
            for _ in range(CHUNK - 1):
                self._update(self.networks, self.rules)
                self.step += 1
            self.frames.append(self._look(self._update_and_compare()))
        return self.frames[chunks]

    def _update(self, networks: tuple, rules: tuple[bool, ...]) -> list[torch.Tensor]:
        """One update of G and D, which `networks` holds before their optimisers; the gradients that it followed.

        Each gradient is in one row. Images and random numbers are the same at the same step of every run.
        """
        G, D, *optimizers = networks
        followed: dict[torch.optim.Optimizer, torch.Tensor] = {}

        def remember(optimizer: torch.optim.Optimizer, *rest) -> None:
            gradients = [p.grad.flatten() for group in optimizer.param_groups for p in group["params"]]
            followed[optimizer] = torch.cat(gradients)

        handles = [optimizer.register_step_pre_hook(remember) for optimizer in optimizers]
        with forked_random_numbers(self.step):
            chosen = torch.randint(len(self.demo.images), (BATCH_SIZE,))
            device = next(G.parameters()).device
            x = to_pixels(self.demo.images[chosen.to(self.demo.images.device)]).to(device)
            y = self.demo.labels[chosen.to(self.demo.labels.device)].to(device)
            self.demo.update_both(G.train(), D.train(), *optimizers, x, y, **dict(zip(RULES, rules)))
        for handle in handles:
            handle.remove()
        return [followed[optimizer] for optimizer in optimizers]

    def _update_and_compare(self) -> dict[str, float | None]:
        """One update, and the cosines between the gradients it followed and those of an update with all rules on."""
        right = self._update(copy.deepcopy(self.networks), (True,) * len(RULES))
        own = self._update(self.networks, self.rules)
        self.step += 1
        return {
            name: torch.cosine_similarity(*pair, dim=0).item() for name, pair in zip("GD", zip(own, right))
        }

    @torch.no_grad()
    def _look(self, followed: dict[str, float | None]) -> Frame:
        """Images in eval mode: the same noises at every time, each under every label."""
        G = self.networks[0].eval()
        K, device = G.num_classes, next(G.parameters()).device
        z = torch.randn(ROWS_JUDGED, G.noise_size, generator=torch.Generator().manual_seed(0))
        z = z.repeat_interleave(K, dim=0).to(device)
        y = torch.arange(K, device=device).repeat(ROWS_JUDGED)
        x = G(z, y)
        return Frame(as_grey(x[: ROWS_SHOWN * K]), fidelity(self.demo.judge, x, y), followed)
