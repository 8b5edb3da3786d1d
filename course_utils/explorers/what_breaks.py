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
from course_utils.judges import ToProbabilities, fidelity
from course_utils.plots import BLACK, BLUE, GREY, VERMILION, as_grey, pil_font

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
        words = {
            "detach": "fakes.detach() in step 3",
            "zero_grad": "zero_grad()",
            "matched": "D's labels match",
        }
        box = {"indent": False, "layout": ipywidgets.Layout(width="230px")}
        controls = {rule: ipywidgets.Checkbox(True, description=words[rule], **box) for rule in RULES}
        controls["steps"] = ipywidgets.IntSlider(
            CHUNK,
            max=CHUNK * CHUNKS,
            step=CHUNK,
            description="steps",
            layout=ipywidgets.Layout(width="420px"),
        )
        alt = (
            "Left: images of a conditional GAN, one column per label, after some steps with the chosen rules. "
            "Right: bars for the share with the right label and for the direction of the gradients."
        )
        super().__init__(controls, alt, WIDTH, HEIGHT)

    def arrange(self) -> ipywidgets.Widget:
        """The switches in a row, the slider, and the picture."""
        switches = ipywidgets.HBox([self.controls[rule] for rule in RULES])
        return ipywidgets.VBox([switches, self.controls["steps"], self.message, self.picture])

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
        picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
        pen, font = ImageDraw.Draw(picture), pil_font()
        columns = len(self.classes)
        side = SIDE * 10 // columns if columns > 10 else SIDE
        for column, name in enumerate(self.classes):
            pen.text((column * side + side // 2, 30), name[:5], fill=BLACK, font=font, anchor="mm")
        for i, image in enumerate(frame.images):
            place = (i % columns * side, 42 + i // columns * side)
            picture.paste(Image.fromarray(image).resize((side, side), Image.Resampling.NEAREST), place)
        off = [missing for missing, on in zip(RULES.values(), (detach, zero_grad, matched)) if not on]
        pen.text((0, 4), f"after {steps} steps, {', '.join(off) or 'all rules on'}", BLACK, font)
        left = columns * side + 30
        pen.text((left, 48), f"read as the label asked for: {100 * frame.fidelity:.0f} %", BLACK, font)
        _bar(pen, left, 68, 0, frame.fidelity)
        for row, network in enumerate(("G", "D")):
            cosine, top = frame.followed[network], 118 + 70 * row
            told = "no update yet" if cosine is None else f"{cosine:+.2f}".replace("-", "−")
            pen.text((left, top), f"{network}'s last gradient against the right one: {told}", BLACK, font)
            _bar(pen, left, top + 20, 0.5, 0.5 + (cosine or 0) / 2)
        return picture


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
        self.G, self.D = copy.deepcopy(demo.G), copy.deepcopy(demo.D)
        self.optimizers = [_adam(network, demo.rate) for network in (self.G, self.D)]
        self.frames = [self._look({"G": None, "D": None})]

    def frame(self, chunks: int) -> Frame:
        while len(self.frames) <= chunks:
            for _ in range(CHUNK - 1):
                self._update()
            followed = self._update_and_compare()
            self.frames.append(self._look(followed))
        return self.frames[chunks]

    def _update(self) -> None:
        self._update_of(self.G, self.D, self.optimizers, self.rules)
        self.step += 1

    def _update_of(self, G, D, optimizers, rules) -> None:
        """One update, with the same images and random numbers at the same step of every run."""
        with forked_random_numbers(self.step):
            chosen = torch.randint(len(self.demo.images), (BATCH_SIZE,))
            device = next(G.parameters()).device
            x = to_pixels(self.demo.images[chosen.to(self.demo.images.device)]).to(device)
            y = self.demo.labels[chosen.to(self.demo.labels.device)].to(device)
            self.demo.update_both(G.train(), D.train(), *optimizers, x, y, **dict(zip(RULES, rules)))

    def _update_and_compare(self) -> dict[str, float]:
        """One update, and the cosines between the gradients it followed and those of an update with all rules on."""
        G, D = copy.deepcopy(self.G), copy.deepcopy(self.D)
        for network in (G, D):
            network.zero_grad()
        right_optimizers = [_adam(network, self.demo.rate) for network in (G, D)]
        for right, own in zip(right_optimizers, self.optimizers):
            right.load_state_dict(copy.deepcopy(own.state_dict()))
        right = _gradients_followed(right_optimizers)
        self._update_of(G, D, right_optimizers, (True,) * len(RULES))
        own = _gradients_followed(self.optimizers)
        self._update()
        return {
            name: torch.cosine_similarity(own[i], right[i], dim=0).item() for i, name in enumerate(("G", "D"))
        }

    @torch.no_grad()
    def _look(self, followed: dict[str, float | None]) -> Frame:
        """Images in eval mode: the same noises at every time, each under every label."""
        K, device = self.G.num_classes, next(self.G.parameters()).device
        generator = torch.Generator().manual_seed(0)
        z = (
            torch.randn(ROWS_JUDGED, self.G.noise_size, generator=generator)
            .repeat_interleave(K, dim=0)
            .to(device)
        )
        y = torch.arange(K, device=device).repeat(ROWS_JUDGED)
        x = self.G.eval()(z, y)
        return Frame(as_grey(x[: ROWS_SHOWN * K]), fidelity(self.demo.judge, x, y), followed)


def _adam(network: torch.nn.Module, rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=rate, betas=(0.5, 0.99))


def _gradients_followed(optimizers: list[torch.optim.Optimizer]) -> dict[int, torch.Tensor]:
    """A dict that the next step of each optimiser fills with its gradient, all numbers in one row."""
    found: dict[int, torch.Tensor] = {}

    def remember(number: int, handles: list) -> Callable:
        def hook(optimizer, *rest) -> None:
            gradients = [p.grad.flatten() for group in optimizer.param_groups for p in group["params"]]
            found[number] = torch.cat(gradients).clone()
            handles.pop().remove()

        return hook

    for number, optimizer in enumerate(optimizers):
        handles: list = []
        handles.append(optimizer.register_step_pre_hook(remember(number, handles)))
    return found
