"""A walk between two images, with one slider: once from code to code, once from pixel to pixel."""

from collections.abc import Sequence

import ipywidgets
import torch
from PIL import Image

from course_utils.data import check_labels, to_pixels
from course_utils.explorers.base import Explorer, evaluate
from course_utils.judges import ToProbabilities, probabilities
from course_utils.plots import CAPTION_HEIGHT, tiles
from course_utils.settings import DIGITS

COLUMNS, SIDE = 4, 190


class InterpolationExplorer(Explorer):
    """Two images, and what lies between them: the decoded mixture of their codes, and the mixture of their pixels.

    `model` has `encode` (B, 1, 28, 28) to (B, n) and `decode` back; it is used in eval mode. `images` are uint8
    (N, 28, 28), at least two, on the model's device, with whole-number `labels` (N,). `judge` is optional: what
    `load_judge` returns, or a function from pixels (B, 1, 28, 28) to class probabilities (B, C); with it, the captions
    say what it sees in each mixture.

    The sliders "from" and "to" choose the images, "how far" the place between them: 0 is the first, 1 the second.
    Raises ValueError if there are fewer than two images, or the labels are not one of the classes for each.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        judge: ToProbabilities | None = None,
        classes: Sequence[str] = DIGITS,
    ):
        if len(images) < 2:
            raise ValueError(f"images must hold at least two images; got {len(images)}")
        check_labels(labels, len(images), len(classes))
        self.model, self.judge, self.classes = model, judge, classes
        self.labels = labels.tolist()
        self.x = to_pixels(images)
        self.z = evaluate(model.encode, self.x)
        different = next((i for i, label in enumerate(self.labels) if label != self.labels[0]), 1)
        last = len(images) - 1
        wide = {"layout": ipywidgets.Layout(width="460px"), "style": {"description_width": "70px"}}
        controls = {
            "first": ipywidgets.IntSlider(0, max=last, description="from", **wide),
            "second": ipywidgets.IntSlider(different, max=last, description="to", **wide),
            "amount": ipywidgets.FloatSlider(0.5, min=0, max=1, step=0.02, description="how far", **wide),
        }
        alt = (
            "Four images: the first, the decoded mixture of the two codes, the mixture of the two images pixel by "
            "pixel, and the second."
        )
        super().__init__(controls, alt, width=COLUMNS * (SIDE + 8), height=SIDE + CAPTION_HEIGHT)

    def draw(self, first: int, second: int, amount: float) -> Image.Image:
        by_code, by_pixel = self.mixtures(first, second, amount)
        shown = torch.cat([self.x[first : first + 1], by_code, by_pixel, self.x[second : second + 1]])
        captions = [
            f"from: {self.classes[self.labels[first]]}",
            f"between the codes\n{self._verdict(by_code)}",
            f"between the pixels\n{self._verdict(by_pixel)}",
            f"to: {self.classes[self.labels[second]]}",
        ]
        return tiles(shown, captions, columns=COLUMNS, side=SIDE)

    def mixtures(self, first: int, second: int, amount: float) -> tuple[torch.Tensor, torch.Tensor]:
        """The pixels (1, 1, 28, 28) between two images: by way of their codes, and of their pixels."""
        between = [(1 - amount) * rows[first] + amount * rows[second] for rows in (self.z, self.x)]
        return evaluate(self.model.decode, between[0][None]), between[1][None]

    def _verdict(self, x: torch.Tensor) -> str:
        if self.judge is None:
            return ""
        sureness, label = probabilities(self.judge, x)[0].max(dim=0)
        return f"judge: {self.classes[label]}, {100 * sureness.item():.0f} %"
