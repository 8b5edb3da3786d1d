"""Quality at equal time: the course's recipes beside public ones, a part of `python -m workshop.bench`.

The course's models are trained by the cells of their notebooks, from start to end, because their learning rates fall
until the end. A public recipe has no such schedule and may end at any step: it gets SECONDS, or as many as the course's
model has used, if these are more. Seconds are CPU seconds, summed over threads; those of the course are of all cells of
the recipe, with loading and with the fit of the VAE's prior. Judging is not counted.

The public GANs were written for a GPU and for 20 to 25 epochs, which do not fit into a minute of one core.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch

from course_utils.data import ImageData, to_pixels
from course_utils.environment import forked_random_numbers
from course_utils.judges import class_shares, fidelity, frechet_distance, load_judge
from course_utils.probability import bernoulli_log_likelihood, importance_weighted_bound
from workshop import public_recipes, scoreboard

SECONDS = 60
HEADINGS = "  CPU s  Frechet  rarest class  fidelity    -ELBO"


class Trained(NamedTuple):
    """A trained model: its CPU seconds, and how it draws images for labels, at which only conditional models look.

    negative_elbo: in nats per image, of VAEs alone.
    """

    name: str
    seconds: float
    draw: public_recipes.Draw
    conditional: bool = False
    negative_elbo: float | None = None


def lines(data: ImageData, seed: int = 0) -> Iterator[str]:
    """The table, with a line for each model as soon as it is trained and judged.

    A model draws as many images as are held out, and its Frechet distance is that to the held-out images.
    """
    judge, y = load_judge(data.name), data.test_labels
    order = torch.randperm(len(data.train_images), generator=torch.Generator().manual_seed(seed))
    floor = frechet_distance(judge, data.test_images, data.train_images[order[: len(y)]])
    yield f"Quality at equal time, seed {seed}, {len(y):,} samples (Frechet distance of real images: {floor:.1f})"
    yield HEADINGS
    for models in (vaes, gans, conditional_gans):
        for model in models(data, seed):
            with torch.no_grad(), forked_random_numbers():
                x = torch.cat([model.draw(part) for part in y.split(250)])
            right = f"{fidelity(judge, x, y):.1%}" if model.conditional else "-"
            bound = "-" if model.negative_elbo is None else f"{model.negative_elbo:.1f}"
            distance, rarest = frechet_distance(judge, data.test_images, x), class_shares(judge, x).min()
            yield f"  {model.seconds:5.1f}  {distance:7.1f}  {rarest:12.1%}  {right:>8}  {bound:>7}  {model.name}"


def course(name: str, seed: int) -> tuple[float, Any]:
    """The CPU seconds of all cells that train a model of the scoreboard in its notebook, and the model."""
    begin = time.process_time()
    with contextlib.redirect_stdout(None):  # what cells print is for the readers of the notebook
        model, _ = scoreboard.train(name, seed)
    return time.process_time() - begin, model


def public(recipe: Callable, data: ImageData, least: float, seed: int) -> tuple[float, Any]:
    """The CPU seconds of a public recipe, SECONDS or `least` if that is more, and what it gives."""
    begin = time.process_time()
    result = recipe(data, max(SECONDS, least), seed)
    return time.process_time() - begin, result


def vaes(data: ImageData, seed: int) -> Iterator[Trained]:
    """Bounds on the same binarised pixels, where each encoder sees pixels as in its training.

    In expectation over the binarisation, -ELBO of PyTorch's VAE is its own loss, which is on grey pixels.
    """
    grey = to_pixels(data.test_images).flatten(1)
    with forked_random_numbers():
        binary = torch.bernoulli(grey)
    seconds, vae = course("vae", seed)
    yield Trained(
        "VAE of notebook 08, its fitted prior",
        seconds,
        lambda y: vae.decode(vae.prior.sample(len(y))).sigmoid(),
        negative_elbo=negative_elbo(vae, binary, binary, vae.prior.log_prob),
    )
    yield Trained(
        "VAE of notebook 08, N(0, I) as prior",
        seconds,
        lambda y: vae.decode(torch.randn(len(y), vae.latent_size)).sigmoid(),
        negative_elbo=negative_elbo(vae, binary, binary),
    )
    used, classic = public(public_recipes.pytorch_vae, data, seconds, seed)
    yield Trained(
        "VAE of PyTorch's examples",
        used,
        lambda y: classic.decode(torch.randn(len(y), 20)).sigmoid().view(-1, 1, 28, 28),
        negative_elbo=negative_elbo(classic, grey, binary),
    )


@torch.no_grad()
def negative_elbo(model, seen: torch.Tensor, x: torch.Tensor, log_prior: Callable | None = None) -> float:
    """Minus the ELBO of a VAE for binary pixels x (N, 784) in nats per image, with one z for each, where its encoder is
    given `seen` (N, 784); p(z) is N(0, I) without log_prior.
    """
    with forked_random_numbers():
        bounds = importance_weighted_bound(
            x,
            *model.encode(seen),
            lambda x, z: bernoulli_log_likelihood(model.decode(z).flatten(1), x),
            k=1,
            log_prior=log_prior,
        )
    return -bounds.mean().item()


def gans(data: ImageData, seed: int) -> Iterator[Trained]:
    seconds, gan = course("gan", seed)
    yield Trained("GAN of notebook 10", seconds, lambda y: gan(torch.randn(len(y), gan.noise_size)))
    for name, recipe in {
        "DCGAN of PyTorch's examples": public_recipes.pytorch_dcgan,
        "DCGAN of Dive into Deep Learning": public_recipes.d2l_dcgan,
    }.items():
        yield Trained(name, *public(recipe, data, seconds, seed))


def conditional_gans(data: ImageData, seed: int) -> Iterator[Trained]:
    seconds, cgan = course("conditional_gan", seed)
    yield Trained(
        "conditional GAN of notebook 11",
        seconds,
        lambda y: cgan(torch.randn(len(y), cgan.noise_size), y),
        conditional=True,
    )
    keras = public(public_recipes.keras_conditional_gan, data, seconds, seed)
    yield Trained("Keras' conditional GAN", *keras, conditional=True)
