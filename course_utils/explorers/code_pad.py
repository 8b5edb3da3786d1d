"""A pad to walk on in a code of two numbers: drag the point over the map, and see what the decoder makes of it."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import nn

from course_utils.data import check_labels
from course_utils.explorers.base import evaluate
from course_utils.explorers.web_demo import WebDemo, layers_of_judge
from course_utils.judges import Judge
from course_utils.plots import VERMILION, as_grey, draw_class_map, draw_digit, new_figure
from course_utils.settings import DIGITS


class CodePad(WebDemo):
    """The map of many codes with a point to drag over it, and beside it the image that the point decodes to.

    It serves every model whose code has two numbers, an autoencoder as well as a VAE:

    - `decode` is an nn.Sequential from z (1, 2) to pixels (1, 1, 28, 28) in [0, 1], which the page runs in eval mode.
      A decoder that returns logits is followed by a sigmoid: `nn.Sequential(vae.decoder, nn.Sigmoid())`.
    - `points` (N, 2) are the codes on the map, made beforehand: of an autoencoder `model.encode(x)`, of a VAE the
      means mu. `labels` (N,) are whole numbers that choose their colour.
    - `images`, uint8 (N, 28, 28), are optional: with them, the image whose code is nearest to the point is shown.
    - `judge`, what `load_judge` returns, is optional: with it, the pad says which class the judge sees in the decoded
      image, and how sure it is.
    - `classes` are the names of the labels, `axis_names` those of the two numbers, `start` the first place of the
      point (default: the first code), `title` the heading of the map.
    - `limits` ((left, right), (bottom, top)) are the edges of the map; by default it holds all points.

    Drag the point or click on the map; its arrow keys and two sliders do the same from the keyboard.

    Raises ValueError if points are not (N, 2), labels not one of the classes for each, images not as many, or if
    the page cannot run decoder or judge.
    """

    module = "code_pad"

    def __init__(
        self,
        decode: nn.Module,
        points: torch.Tensor,
        labels: torch.Tensor,
        images: torch.Tensor | None = None,
        judge: Judge | None = None,
        classes: Sequence[str] = DIGITS,
        axis_names: tuple[str, str] = ("z1", "z2"),
        start: tuple[float, float] | None = None,
        limits: tuple[tuple[float, float], tuple[float, float]] | None = None,
        title: str = "",
    ):
        if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
            raise ValueError(
                f"points must have shape (N, 2), one code of two numbers a row; got {tuple(points.shape)}"
            )
        check_labels(labels, len(points), len(classes))
        if images is not None and len(images) != len(points):
            raise ValueError(f"images must be one for each point; got {len(images)} for {len(points)}")
        points = points.detach().cpu().float()
        values = {
            "classes": list(classes),
            "axes": list(axis_names),
            "start": list(start if start is not None else points[0].tolist()),
            "limits": limits or _around(points),
            "title": title or f"{len(points):,} codes, coloured by class",
        }
        tensors = {"points": points, "labels": labels.to(torch.uint8)}
        if images is not None:
            tensors["images"] = images
        networks = {"decoder": decode}
        if judge is not None:
            networks["judge"] = layers_of_judge(judge)
        alt = (
            "Left: a map of codes of two numbers, coloured by class, with a point to drag. "
            "Right: the image that this point decodes to."
        )
        super().__init__(values, tensors, networks, lambda: _still(decode, tensors, values), alt)


def _around(points: torch.Tensor) -> list[list[float]]:
    """The edges of a map that holds all points with a margin."""
    low, high = points.amin(dim=0), points.amax(dim=0)
    margin = (0.06 * (high - low)).clamp(min=1e-3)
    return torch.stack([low - margin, high + margin], dim=1).tolist()


def _still(decode: nn.Module, tensors: dict, values: dict) -> Figure:
    figure, (left, right) = new_figure(7.5, 4.6, 1, 2, width_ratios=(5, 2.5))
    draw_class_map(left, tensors["points"].numpy(), tensors["labels"].cpu().numpy())
    left.plot(*values["start"], "o", color=VERMILION, markersize=11, markeredgecolor="white")
    left.set(xlim=values["limits"][0], ylim=values["limits"][1])
    left.set(xlabel=values["axes"][0], ylabel=values["axes"][1], title=values["title"])
    z = torch.tensor([values["start"]], device=next(decode.parameters()).device)
    draw_digit(
        right, as_grey(evaluate(decode, z))[0], "decoded from ({:.2f}, {:.2f})".format(*values["start"])
    )
    return figure
