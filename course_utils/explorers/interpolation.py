"""A walk between two images, with one slider: once from code to code, once from pixel to pixel."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import nn

from course_utils.data import check_labels, to_pixels
from course_utils.explorers.base import evaluate
from course_utils.explorers.web_demo import WebDemo, layers_of_judge
from course_utils.judges import Judge
from course_utils.plots import image_grid
from course_utils.settings import DIGITS


class InterpolationExplorer(WebDemo):
    """Two images, and what lies between them: the decoded mixture of their codes, and the mixture of their pixels.

    `model` is an autoencoder whose `encoder`, pixels (B, 1, 28, 28) to codes (B, n), and `decoder` back are
    nn.Sequentials, which the page runs in eval mode. `images` are uint8 (N, 28, 28), at least two, with whole-number
    `labels` (N,). `judge`, what `load_judge` returns, is optional; with it, the captions say what it sees in each
    mixture.

    The sliders "from" and "to" choose the images, "how far" the place between them: 0 is the first, 1 the second.
    Raises ValueError if there are fewer than two images, or the labels are not one of the classes for each.
    """

    module = "interpolation"

    def __init__(
        self,
        model: nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        judge: Judge | None = None,
        classes: Sequence[str] = DIGITS,
    ):
        if len(images) < 2:
            raise ValueError(f"images must hold at least two images; got {len(images)}")
        check_labels(labels, len(images), len(classes))
        first, second = 0, next((i for i, label in enumerate(labels) if label != labels[0]), 1)
        networks = {"encoder": model.encoder, "decoder": model.decoder}
        if judge is not None:
            networks["judge"] = layers_of_judge(judge)
        alt = (
            "Four images: the first, the decoded mixture of the two codes, the mixture of the two images pixel by "
            "pixel, and the second."
        )
        super().__init__(
            {"classes": list(classes), "first": first, "second": second},
            {"images": images, "labels": labels.to(torch.uint8)},
            networks,
            lambda: _still(model, to_pixels(images[[first, second]])),
            alt,
        )


def _still(model: nn.Module, x: torch.Tensor) -> Figure:
    z = evaluate(model.encoder, x)
    halfway = evaluate(model.decoder, z.mean(dim=0, keepdim=True))
    shown = torch.cat([x[:1], halfway, x.mean(dim=0, keepdim=True), x[1:]])
    captions = ["from", "between the codes", "between the pixels", "to"]
    return image_grid(shown, columns=4, captions=captions, title="Halfway between two images")
