"""Draw a picture, and see its code and what a decoder makes of it: with noise on top, if you like."""

import copy

import ipywidgets
import numpy as np
import torch
from PIL import Image, ImageDraw

from course_utils.data import to_pixels
from course_utils.drawings import prepare_drawing
from course_utils.explorers.base import HELD_OUT, DrawingExplorer
from course_utils.plots import BLACK, BLUE, GREY, as_grey, pil_font

SIDE, GAP = 196, 24
CODE_HEIGHT = 110  # of the bars, in pixels
WIDTH, HEIGHT = 2 * (SIDE + GAP), SIDE + CODE_HEIGHT + 80
MOST_NOISE = 0.8


class ReconstructionPad(DrawingExplorer):
    """A pad to draw on, the code of the drawing as bars, and its reconstruction.

    `models` maps names to models with `encode` (B, 1, 28, 28) to (B, n) and `decode` back; a drop-down chooses among
    them. Copies of them are used, on the CPU and in eval mode. `examples` are uint8 images (E, 28, 28) to choose with
    a slider instead of drawing. The slider "noise" adds normal noise of that standard deviation to every pixel, always
    the same draw, and clips to [0, 1].

    A drawing reaches the model as the data do, see `course_utils.drawings.prepare_drawing`. Raises ValueError if
    there is no model or no example.
    """

    @torch.no_grad()
    def __init__(self, models: dict[str, torch.nn.Module], examples: torch.Tensor):
        if not models:
            raise ValueError("models must hold at least one model by name; got none")
        # Copies on the CPU, where the drawing is: a single image gains nothing from a GPU.
        self.models = {name: copy.deepcopy(model).cpu().eval() for name, model in models.items()}
        self.noise = torch.randn(28, 28, generator=torch.Generator().manual_seed(0))
        x = to_pixels(examples[:1000].cpu()) if len(examples) else torch.zeros(1, 1, 28, 28)
        # The longest bar of each model, fixed so that bars can be compared from drawing to drawing.
        self.scales = {
            name: model.encode(x).abs().quantile(0.99).item() for name, model in self.models.items()
        }
        wide = {"layout": ipywidgets.Layout(width="290px"), "style": {"description_width": "85px"}}
        controls = {
            "model": ipywidgets.Dropdown(options=list(models), description="model", **wide),
            "noise": ipywidgets.FloatSlider(0, min=0, max=MOST_NOISE, step=0.05, description="noise", **wide),
        }
        alt = "The image that the encoder gets, its code as a row of bars, and the image that the decoder draws."
        super().__init__(examples, controls, alt, WIDTH, HEIGHT)

    def draw(self, source: str, example: int, model: str, noise: float) -> Image.Image:
        if source == HELD_OUT:
            image = self.examples[example]
        else:
            image = torch.from_numpy(prepare_drawing(self.original(source, example)))
        if not image.any():
            return self.nothing_drawn()
        clean, x, z, x_hat = self.look(image, model, noise)
        # Grey, since a picture in colours takes twice as long to encode.
        picture = Image.new("L", (WIDTH, HEIGHT), "white")
        pen = ImageDraw.Draw(picture)
        distance = (x_hat - clean).square().sum().item()
        heads = ("x: what the encoder gets", "x_hat: what the decoder draws")
        for i, (head, pixels) in enumerate(zip(heads, (x, x_hat))):
            left = i * (SIDE + GAP)
            pen.text((left, 2), head, fill=BLACK, font=pil_font())
            big = Image.fromarray(as_grey(pixels)[0]).resize((SIDE, SIDE), Image.Resampling.NEAREST)
            picture.paste(big, (left, 22))
        pen.text((0, SIDE + 26), f"z: the {len(z)} numbers of the code", fill=BLACK, font=pil_font())
        _draw_bars(pen, SIDE + 48, z / self.scales[model])
        text = f"squared error against the clean image: {distance:.1f}"
        pen.text((0, HEIGHT - 20), text, fill=BLACK, font=pil_font())
        return picture

    @torch.no_grad()
    def look(
        self, image: torch.Tensor, model: str, noise: float
    ) -> tuple[torch.Tensor, torch.Tensor, np.ndarray, torch.Tensor]:
        """Of a uint8 image (28, 28): clean and noisy pixels and reconstruction, (1, 1, 28, 28), and code (n,)."""
        clean = to_pixels(image[None])
        x = (clean + noise * self.noise).clamp(0, 1)
        z = self.models[model].encode(x)
        return clean, x, z[0].numpy(), self.models[model].decode(z)


def _draw_bars(pen: ImageDraw.ImageDraw, top: int, heights: np.ndarray) -> None:
    """One bar for each number from -1 to 1, upwards or downwards from a line in the middle."""
    middle, room = top + CODE_HEIGHT // 2, (WIDTH - GAP) / len(heights)
    for i, height in enumerate(heights.clip(-1, 1).tolist()):
        left, end = round(i * room), middle - round(height * CODE_HEIGHT / 2)
        box = (left, min(middle, end), left + max(1, round(room * 0.7)), max(middle, end))
        pen.rectangle(box, fill=BLUE)
    pen.line((0, middle, WIDTH - GAP, middle), fill=GREY)
