"""One style, every class: turn the style with sliders, or draw an image and get all classes in your handwriting."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import nn

from course_utils.data import to_pixels
from course_utils.explorers.base import evaluate
from course_utils.explorers.web_demo import WebDemo, layers_of_judge
from course_utils.judges import Judge
from course_utils.plots import image_grid
from course_utils.settings import DIGITS


class StyleExplorer(WebDemo):
    """A class drop-down and style sliders: one z, shown in the chosen class and in all of them.

    `model` is a conditional VAE as notebook 09 builds it: `decoder` is an nn.Sequential of z and `condition(y)` side
    by side to logits, which the page runs in eval mode. `codes` (N, n) are the means mu of images: the slider "start"
    chooses the one to start from, and each style slider moves away from it along one of their principal directions
    (PCA of `codes`), in standard deviations. Sliders drawn: `directions`, or n if that is fewer. `classes` are the
    names of the labels.

    Raises ValueError if codes are not (N, n) with at least two rows.
    """

    module = "style"

    def __init__(
        self, model: nn.Module, codes: torch.Tensor, classes: Sequence[str] = DIGITS, directions: int = 4
    ):
        if codes.ndim != 2 or len(codes) < 2:
            raise ValueError(f"codes must be (N, n) with at least two rows; got shape {tuple(codes.shape)}")
        codes = codes.detach()
        _, singular, rows = torch.linalg.svd(codes - codes.mean(dim=0), full_matrices=False)
        deviations = singular / (len(codes) - 1) ** 0.5
        # One step of a slider is one standard deviation of the codes along its direction.
        tensors = {
            "codes": codes,
            "steps": (deviations[:, None] * rows)[:directions],
            "conditions": _conditions(model, len(classes)),
        }
        alt = f"One style in {len(classes)} classes: the same z is decoded with every label. Sliders turn the style."
        super().__init__(
            {"classes": list(classes)},
            tensors,
            {"decoder": nn.Sequential(model.decoder, nn.Sigmoid())},
            lambda: _still_of_style(model, codes[0], classes),
            alt,
        )


class HandwritingPad(WebDemo):
    """Draw an image, and get every class in its style: z is encoded from it, and decoded with each label.

    `model` is a conditional VAE as notebook 09 builds it: `encoder` and `decoder` are nn.Sequentials, of pixels or z
    and `condition(y)` side by side, to mu and log_var (B, 2n) and to logits; the page runs them in eval mode. `judge`
    is what `load_judge` returns: by default it says as which class the drawing is encoded, and the drop-down
    "drawn as" says it otherwise. `examples` are uint8 images (E, 28, 28) to choose instead of drawing. The drawing is
    prepared as the data are, see `drawings.prepare_drawing`.
    """

    module = "handwriting"

    def __init__(
        self, model: nn.Module, judge: Judge, examples: torch.Tensor, classes: Sequence[str] = DIGITS
    ):
        networks = {
            "encoder": model.encoder,
            "decoder": nn.Sequential(model.decoder, nn.Sigmoid()),
            "judge": layers_of_judge(judge),
        }
        tensors = {"conditions": _conditions(model, len(classes)), "examples": examples}
        alt = "An image, and at its right all classes in its style. On a pad you can draw your own."
        super().__init__(
            {"classes": list(classes)},
            tensors,
            networks,
            lambda: _still_of_handwriting(model, judge, to_pixels(examples[:1]), classes),
            alt,
        )


def _conditions(model: nn.Module, classes: int) -> torch.Tensor:
    """What the networks of a conditional VAE get of each label, (classes, c)."""
    return model.condition(torch.arange(classes, device=next(model.parameters()).device))


def _in_every_class(model: nn.Module, z: torch.Tensor, classes: int) -> torch.Tensor:
    """Pixels (classes, 1, 28, 28): one z (n,) decoded with every label."""
    y = torch.arange(classes, device=z.device)
    return evaluate(model.decode, z.expand(classes, -1), y).sigmoid()


def _still_of_style(model: nn.Module, z: torch.Tensor, classes: Sequence[str]) -> Figure:
    images = _in_every_class(model, z.to(next(model.parameters()).device), len(classes))
    title = "The same z in every class"
    return image_grid(images, columns=len(classes), captions=classes, title=title)


def _still_of_handwriting(model: nn.Module, judge: Judge, x: torch.Tensor, classes: Sequence[str]) -> Figure:
    """An example, encoded as the class that the judge reads, and its style in every class."""
    label = evaluate(judge, x).argmax(dim=1)
    mu, _ = evaluate(model.encode, x, label)
    images = torch.cat([x, _in_every_class(model, mu[0], len(classes))])
    captions = [f"as {classes[label]}", *classes]
    title = "An image, and every class in its handwriting"
    return image_grid(images, columns=len(captions), captions=captions, title=title)
