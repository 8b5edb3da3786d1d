"""A slider over VAEs trained with different weights of the KL: the same images and the same noise through each."""

from collections.abc import Mapping

import ipywidgets
import torch
from PIL import Image

from course_utils.data import to_pixels
from course_utils.environment import forked_random_numbers
from course_utils.explorers.base import Explorer
from course_utils.explorers.canvas import Canvas, drawn
from course_utils.plots import BLUE, GREY, VERMILION, as_grey, plain_figure
from course_utils.probability import bernoulli_log_likelihood, gaussian_kl, reparameterise

SHOWN = 6
SIDE, GAP = 64, 4
CURVE_WIDTH = 320
LEFT = 100  # where the images begin: the names of the rows stand before them
WIDTH, HEIGHT = LEFT + SHOWN * (SIDE + GAP) + CURVE_WIDTH, 336
ROWS = (8, 80, 168)  # the top of x, of x_hat and of the samples, which take two rows
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
        betas = [(f"{beta:g}", beta) for beta in self.measures]
        near_1 = min(self.measures, key=lambda beta: abs(beta - 1))
        controls = {
            "beta": ipywidgets.SelectionSlider(options=betas, value=near_1, description="beta"),
            "first": ipywidgets.IntSlider(max=len(images) - SHOWN, description="first image"),
        }
        alt = (
            "Left: six binarised test images, their reconstructions, and twelve samples from the prior, for the chosen "
            "beta. Right: the curve of distortion against rate over all betas, the chosen one marked."
        )
        super().__init__(controls, alt, WIDTH, HEIGHT)

    def draw(self, beta: float, first: int) -> Image.Image:
        """The picture for one beta, with the images from number `first` on."""
        canvas = Canvas(WIDTH, HEIGHT)
        shown = slice(first, first + SHOWN)
        rows = {
            "test image x": self.x[shown],
            "x_hat\nfrom mu": self.reconstructions[beta][shown],
            "samples from\nthe prior": self.samples[beta],
        }
        for (name, images), top in zip(rows.items(), ROWS):
            canvas.write(4, top + 20, name)
            canvas.put(images, LEFT, top, SIDE, columns=SHOWN, gap=GAP)
        rate, distortion = self.measures[beta]
        terms = f"rate {rate:.1f} + distortion {distortion:.1f} = {rate + distortion:.1f}"
        canvas.write(4, HEIGHT - 26, f"beta = {beta:g}: {terms} nats per image")
        canvas.picture.paste(self._curve, (WIDTH - CURVE_WIDTH, 0))
        x, y = self._places[beta]
        canvas.pen.ellipse((x - MARK, y - MARK, x + MARK, y + MARK), outline=VERMILION, width=3)
        return canvas.picture

    def _draw_curve(self) -> None:
        """Everything of the curve that stays, and where each beta's point lies in the whole picture, in pixels."""
        figure = plain_figure(CURVE_WIDTH / 100, HEIGHT / 100)
        axis = figure.add_axes((0.2, 0.14, 0.76, 0.77))
        axis.plot(*zip(*self.measures.values()), color=BLUE, marker="o")
        for beta, point in self.measures.items():
            axis.annotate(f"{beta:g}", point, (8, 6), textcoords="offset points")
        axis.set(xlabel="rate: KL, nats per image", ylabel="distortion, nats per image")
        axis.set_title("the number at a point is its beta", fontsize=10)
        axis.margins(0.16)
        axis.grid(color=GREY, alpha=0.3)
        self._curve = drawn(figure)
        places = axis.transData.transform(list(self.measures.values()))
        self._places = {
            beta: (WIDTH - CURVE_WIDTH + x, HEIGHT - y) for beta, (x, y) in zip(self.measures, places)
        }
