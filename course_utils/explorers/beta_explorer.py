"""A slider over VAEs trained with different weights of the KL: the same images and the same noise through each."""

from collections.abc import Mapping

import ipywidgets
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image, ImageDraw

from course_utils.data import to_pixels
from course_utils.environment import forked_random_numbers
from course_utils.explorers.base import Explorer, sized
from course_utils.plots import BLACK, BLUE, GREY, VERMILION, as_grey, pil_font, plain_figure
from course_utils.probability import bernoulli_log_likelihood, gaussian_kl, reparameterise

SHOWN = 6
SIDE = 64
CURVE_WIDTH, CURVE_HEIGHT = 400, 350
LEFT = 100  # where the images begin: the names of the rows stand before them
WIDTH, HEIGHT = LEFT + SHOWN * (SIDE + 4) + CURVE_WIDTH, 390
ROWS = (8, 84, 190, 258)  # the top of x, of x_hat and of the two rows of samples
MARK = 9  # radius, in pixels


class BetaExplorer(Explorer):
    """Move beta, and compare reconstructions, samples from the prior, rate and distortion.

    Arguments: `models`, beta -> a VAE on the CPU (`encode(x)` to mu and log_var (B, n), `decode(z)` to logits
    (B, 1, 28, 28), `latent_size` the same n for all); `images`, uint8 (N, 28, 28), held out, at least 6. They are
    binarised once, so that all models see the same pixels. The samples of all models come from the same z.

    `measures` holds, for each beta, (rate, distortion) in nats per image over these images. Raises ValueError for no
    model, models of different latent sizes, or too few images.
    """

    @torch.no_grad()
    def __init__(self, models: Mapping[float, torch.nn.Module], images: torch.Tensor, seed: int = 0):
        sizes = {model.latent_size for model in models.values()}
        if len(sizes) != 1:
            raise ValueError(
                f"models must be at least one, all of the same latent_size; got {sorted(sizes) or 'none'}"
            )
        if len(images) < SHOWN:
            raise ValueError(f"images must be at least {SHOWN}; got {len(images)}")
        # What the demo draws must not change the random numbers of the notebook.
        with forked_random_numbers(seed):
            x = torch.bernoulli(to_pixels(images))
            z = torch.randn(2 * SHOWN, *sizes)
            self.measures, self.reconstructions, self.samples = {}, {}, {}
            for beta, model in sorted(models.items()):
                mu, log_var = model.encode(x)
                logits = model.decode(reparameterise(mu, log_var))
                distortion = -bernoulli_log_likelihood(logits, x).mean().item()
                self.measures[beta] = (gaussian_kl(mu, log_var).mean().item(), distortion)
                self.reconstructions[beta] = as_grey(model.decode(mu).sigmoid())
                self.samples[beta] = as_grey(model.decode(z).sigmoid())
        self.x = as_grey(x)
        self._draw_curve()
        betas = list(self.measures)
        wide = sized(420, label=80)
        controls = {
            "beta": ipywidgets.SelectionSlider(
                options=[(f"{beta:g}", beta) for beta in betas],
                value=min(betas, key=lambda beta: abs(beta - 1)),
                description="beta",
                **wide,
            ),
            "first": ipywidgets.IntSlider(
                value=0, max=len(images) - SHOWN, description="first image", **wide
            ),
        }
        alt = (
            "Left: six binarised test images, their reconstructions, and twelve samples from the prior, for the chosen "
            "beta. Right: the curve of distortion against rate over all betas, the chosen one marked."
        )
        super().__init__(controls, alt, WIDTH, HEIGHT)

    def draw(self, beta: float, first: int) -> Image.Image:
        """The picture for one beta, with the images from number `first` on."""
        picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
        shown = slice(first, first + SHOWN)
        rows = (self.x[shown], self.reconstructions[beta][shown], *self._rows_of_samples(beta))
        for images, top in zip(rows, ROWS):
            for i, image in enumerate(images):
                tile = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.NEAREST)
                picture.paste(tile, (LEFT + i * (SIDE + 4), top))
        pen = ImageDraw.Draw(picture)
        for name, top in (
            ("test image x", ROWS[0]),
            ("x_hat\nfrom mu", ROWS[1]),
            ("samples from\nthe prior", ROWS[2]),
        ):
            pen.multiline_text((4, top + 20), name, fill=BLACK, font=pil_font())
        rate, distortion = self.measures[beta]
        terms = f"rate {rate:.1f} + distortion {distortion:.1f} = {rate + distortion:.1f}"
        text = f"beta = {beta:g}: {terms} nats per image"
        pen.text((4, HEIGHT - 26), text, fill=BLACK, font=pil_font())
        corner = (WIDTH - CURVE_WIDTH, 0)
        picture.paste(self._curve, corner)
        x, y = self._places[beta]
        pen.ellipse(
            (corner[0] + x - MARK, y - MARK, corner[0] + x + MARK, y + MARK), outline=VERMILION, width=3
        )
        return picture

    def _rows_of_samples(self, beta: float):
        return self.samples[beta][:SHOWN], self.samples[beta][SHOWN:]

    def _draw_curve(self) -> None:
        """Everything of the curve that stays, and where each beta's point lies in the picture, in pixels."""
        figure = plain_figure(CURVE_WIDTH / 100, CURVE_HEIGHT / 100)
        axis = figure.add_axes((0.17, 0.14, 0.79, 0.77))
        axis.plot(*zip(*self.measures.values()), color=BLUE, marker="o")
        for beta, (rate, distortion) in self.measures.items():
            axis.annotate(f"{beta:g}", (rate, distortion), (8, 6), textcoords="offset points", fontsize=9)
        axis.set(xlabel="rate: KL, nats per image", ylabel="distortion, nats per image")
        axis.set_title("the number at a point is its beta", fontsize=10)
        axis.margins(0.12)
        axis.grid(color=GREY, alpha=0.3)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        self._curve = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB")
        self._places = {}
        for beta, point in self.measures.items():
            x, y = axis.transData.transform(point)
            self._places[beta] = (x, CURVE_HEIGHT - y)
