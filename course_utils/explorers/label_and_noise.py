"""Two things to turn on a conditional generator: the label, and the noise. One row of pictures for each."""

import math
from collections.abc import Sequence

import ipywidgets
import torch
from PIL import Image

from course_utils.explorers.base import Explorer, evaluate
from course_utils.plots import CAPTION_HEIGHT, tiles

NOISES = 100
STOPS = 10  # images along the way from one noise to the other
SIDE = 72


class LabelAndNoise(Explorer):
    """Sliders for the label, for two noises and for the way between them; two rows of generated images.

    The upper row walks from noise A to noise B under the chosen label. The lower row takes the noise at the chosen
    place of that way, and draws it under every label.

    `G(z, y)` takes noise (B, G.noise_size) and labels (B,), and returns pixels (B, 1, 28, 28) in [0, 1]; it is used in
    eval mode, on the device of its weights. `classes` are the names of its G.num_classes labels. Raises ValueError if
    they are not as many.
    """

    def __init__(self, G: torch.nn.Module, classes: Sequence[str]):
        if len(classes) != G.num_classes:
            raise ValueError(
                f"classes must be as many as G.num_classes; got {len(classes)} names for {G.num_classes} classes"
            )
        self.G, self.classes = G, classes
        generator = torch.Generator().manual_seed(0)
        self.noises = torch.randn(NOISES, G.noise_size, generator=generator)
        controls = {
            "label": _slider("label", 3 % len(classes), len(classes) - 1),
            "noise_a": _slider("noise A", 0, NOISES - 1),
            "noise_b": _slider("noise B", 1, NOISES - 1),
            "place": ipywidgets.FloatSlider(0, min=0, max=1, step=0.05, description="from A to B", **_wide()),
        }
        alt = "Upper row: one label, the noise walks from A to B. Lower row: one noise under every label."
        columns = max(STOPS, len(classes))
        super().__init__(controls, alt, width=columns * (SIDE + 8), height=2 * (SIDE + CAPTION_HEIGHT))

    def draw(self, label: int, noise_a: int, noise_b: int, place: float) -> Image.Image:
        """The two rows of images."""
        shares = [stop / (STOPS - 1) for stop in range(STOPS)]
        walk = torch.stack([self.noise_between(noise_a, noise_b, share) for share in shares])
        here = self.noise_between(noise_a, noise_b, place).expand(len(self.classes), -1)
        columns = max(STOPS, len(self.classes))
        y = torch.cat([torch.full((STOPS,), label), torch.arange(len(self.classes))])
        device = next(self.G.parameters()).device
        images = evaluate(self.G, torch.cat([walk, here]).to(device), y.to(device)).cpu()
        places = ["A", *(f"{share:.2f}" for share in shares[1:-1]), "B"]
        captions = [f"{self.classes[label]}\n{place}" for place in places]
        upper = tiles(images[:STOPS], captions, columns=columns, side=SIDE)
        lower = tiles(images[STOPS:], list(self.classes), columns=columns, side=SIDE)
        picture = Image.new("RGB", (upper.width, upper.height + lower.height), "white")
        picture.paste(upper, (0, 0))
        picture.paste(lower, (0, upper.height))
        return picture

    def noise_between(self, a: int, b: int, share: float) -> torch.Tensor:
        """The noise (noise_size,) on the way from noise a (share 0) to noise b (share 1).

        The weights are cosine and sine, so that the mixture of two independent standard normal noises is standard
        normal, too: along a straight line it would shrink by the factor 0.71 halfway, to noise that G rarely met.
        """
        angle = share * math.pi / 2
        return math.cos(angle) * self.noises[a] + math.sin(angle) * self.noises[b]


def _slider(description: str, value: int, largest: int) -> ipywidgets.IntSlider:
    return ipywidgets.IntSlider(value, max=largest, description=description, **_wide())


def _wide() -> dict:
    return {"layout": ipywidgets.Layout(width="420px"), "style": {"description_width": "90px"}}
