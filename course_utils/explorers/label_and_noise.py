"""Two things to turn on a conditional generator: the label, and the noise. One row of pictures for each."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import nn

from course_utils.data import check_whole
from course_utils.explorers.base import evaluate
from course_utils.explorers.web_demo import WebDemo
from course_utils.plots import image_grid

NOISES = 100


class LabelAndNoise(WebDemo):
    """Sliders for the label, for two noises and for the way between them; two rows of generated images.

    The upper row walks from noise A to noise B under the chosen label. The lower row takes the noise at the chosen
    place of that way, and draws it under every label. `noise_a` and `noise_b`, from 0 to 99, are those at the start.

    `G.layers` is an nn.Sequential from noise and one-hot label side by side, (1, G.noise_size + G.num_classes), to
    pixels (1, 1, 28, 28) in [0, 1], which the page runs in eval mode; `G(z, y)` must give the same. `classes` are the
    names of its G.num_classes labels. Raises ValueError if they are not as many, for other noises, or if G is another
    kind of network.
    """

    module = "label_and_noise"

    def __init__(self, G: nn.Module, classes: Sequence[str], noise_a: int = 0, noise_b: int = 1):
        if len(classes) != G.num_classes:
            raise ValueError(
                f"classes must be as many as G.num_classes; got {len(classes)} names for {G.num_classes} classes"
            )
        check_whole("noise_a", noise_a, 0, NOISES - 1)
        check_whole("noise_b", noise_b, 0, NOISES - 1)
        noises = torch.randn(NOISES, G.noise_size, generator=torch.Generator().manual_seed(0))
        z = noises[noise_a].to(next(G.parameters()).device).expand(G.num_classes, -1)
        y = torch.arange(G.num_classes, device=z.device)
        images = evaluate(G, z, y)
        by_layers = evaluate(G.layers, torch.cat([z, torch.eye(G.num_classes, device=z.device)], dim=1))
        if not torch.allclose(images, by_layers, atol=1e-4):
            raise ValueError(
                "G(z, y) must be G.layers of z and the one-hot y side by side; got something else"
            )
        alt = f"One noise under {len(classes)} labels. Sliders choose a label and walk from one noise to another."
        values = {"classes": list(classes), "label": 3 % len(classes), "noise_a": noise_a, "noise_b": noise_b}
        super().__init__(
            values, {"noises": noises}, {"generator": G.layers}, lambda: _still(images, classes), alt
        )


def _still(images: torch.Tensor, classes: Sequence[str]) -> Figure:
    title = "One noise under every label"
    return image_grid(images, columns=len(classes), captions=classes, title=title)
