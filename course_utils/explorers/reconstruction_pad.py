"""Draw a picture, and see its code and what a decoder makes of it: with noise on top, if you like."""

import copy

import torch
from matplotlib.figure import Figure
from torch import nn

from course_utils.data import to_pixels
from course_utils.explorers.base import evaluate
from course_utils.explorers.web_demo import WebDemo
from course_utils.plots import image_grid


class ReconstructionPad(WebDemo):
    """A pad to draw on, the code of the drawing as bars, and its reconstruction.

    `models` maps names to autoencoders, and a drop-down chooses among them: their `encoder`, pixels (B, 1, 28, 28) to
    codes (B, n), and `decoder` back are nn.Sequentials, of which the page runs copies in eval mode. `examples` are
    uint8 images (E, 28, 28) to choose with a slider instead of drawing. The slider "noise" adds normal noise of that
    standard deviation to every pixel, always the same draw, and clips to [0, 1].

    A drawing reaches the model as the data do, see `course_utils.drawings.prepare_drawing`. Raises ValueError if
    there is no model or no example, or if the page cannot run one.
    """

    module = "reconstruction_pad"

    def __init__(self, models: dict[str, nn.Module], examples: torch.Tensor):
        if not models:
            raise ValueError("models must hold at least one model by name; got none")
        if len(examples) == 0:
            raise ValueError("examples must hold at least one image; got none")
        models = {name: copy.deepcopy(model).cpu() for name, model in models.items()}
        networks: dict[str, nn.Module] = {}
        for i, model in enumerate(models.values()):
            networks |= {f"encoder {i}": model.encoder, f"decoder {i}": model.decoder}
        x = to_pixels(examples[:1000].cpu())
        # The longest bar of each model, fixed so that bars can be compared from drawing to drawing.
        codes = [evaluate(model.encoder, x) for model in models.values()]
        scales = [code.abs().quantile(0.99).item() for code in codes]
        noise = torch.randn(28, 28, generator=torch.Generator().manual_seed(0))
        alt = "An image, and what the decoders draw of its codes. On a pad you can draw your own, and add noise."
        super().__init__(
            {"models": list(models), "scales": scales},
            {"noise": noise, "examples": examples},
            networks,
            lambda: _still(models, x[:6]),
            alt,
        )


def _still(models: dict[str, nn.Module], x: torch.Tensor) -> Figure:
    rows = [x, *(evaluate(model, x) for model in models.values())]
    title = "Images, and what is left of them by way of their codes"
    return image_grid(torch.cat(rows), columns=len(x), row_names=["images", *models], title=title)
