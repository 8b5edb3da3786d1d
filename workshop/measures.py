"""How each measure of the catalogue is taken, from a model and a data set, on its held-out images.

A measure that draws random numbers seeds them itself, and leaves those of the caller alone.
"""

import torch

from course_utils.checkpoints import read
from course_utils.data import ImageData, to_pixels
from course_utils.environment import forked_random_numbers
from course_utils.judges import acceptance, accuracy, class_shares, fidelity, frechet_distance, load_judge
from course_utils.models import VAE, ConditionalGenerator, ConditionalVAE, MixturePrior
from course_utils.probability import (
    bernoulli_log_likelihood,
    elbo,
    gaussian_kl,
    importance_weighted_bound,
)
from course_utils.settings import SHIPPED


@torch.no_grad()
def squared_error(model: torch.nn.Module, data: ImageData) -> float:
    """The squared error per image: summed over pixels, averaged over the test images."""
    parts = [to_pixels(part) for part in data.test_images.split(1000)]
    return sum((x - model(x)).square().sum().item() for x in parts) / len(data.test_images)


def accuracy_of(model: torch.nn.Module, data: ImageData) -> float:
    """The share of the test images that a classifier puts into their class."""
    return accuracy(model, data.test_images, data.test_labels)


def _binarised(images: torch.Tensor) -> torch.Tensor:
    """Test images (N, 28, 28) with their pixels drawn once, (N, 1, 28, 28), always the same ones."""
    return torch.bernoulli(to_pixels(images), generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def negative_elbo(model: torch.nn.Module, data: ImageData) -> float:
    """Minus the ELBO of a VAE in nats per image: eight samples of z for each of the binarised test images."""
    values = []
    with forked_random_numbers(0):
        for x in _binarised(data.test_images).repeat(8, 1, 1, 1).split(1000):
            mu, log_var = model.encode(x)
            values.append(elbo(x, mu, log_var, lambda x, z: bernoulli_log_likelihood(model.decode(z), x)))
    return -torch.cat(values).mean().item()


@torch.no_grad()
def negative_elbo_with_prior(model: torch.nn.Module, data: ImageData) -> float:
    """Minus the ELBO of the VAE that ships, with this p(z) for N(0, I), in nats per image: eight samples, as above."""
    vae, values = shipped("vae"), []
    with forked_random_numbers(0):
        for x in _binarised(data.test_images).repeat(8, 1, 1, 1).split(1000):
            bound = importance_weighted_bound(
                x,
                *vae.encode(x),
                lambda x, z: bernoulli_log_likelihood(vae.decode(z), x),
                k=1,
                log_prior=model.log_prob,
            )
            values.append(bound)
    return -torch.cat(values).mean().item()


def shipped(name: str) -> torch.nn.Module:
    """A model of `strokes` as it ships, whatever this machine has trained."""
    return read(SHIPPED / "strokes" / f"{name}.safetensors")[0]


@torch.no_grad()
def negative_elbo_given_y(model: torch.nn.Module, data: ImageData) -> float:
    """Minus the ELBO of a conditional VAE with its p(z|y), given the labels, in nats per test image: one sample."""
    values = []
    with forked_random_numbers(0):
        for x, y in zip(_binarised(data.test_images).split(1000), data.test_labels.split(1000)):
            bound = importance_weighted_bound(
                x,
                *model.encode(x, y),
                lambda x, z, y: bernoulli_log_likelihood(model.decode(z, y), x),
                k=1,
                condition=y,
                log_prior=model.log_prob,
            )
            values.append(bound)
    return -torch.cat(values).mean().item()


@torch.no_grad()
def rate(model: torch.nn.Module, data: ImageData) -> float:
    """KL(q(z|x) || p(z)) of a VAE in nats per image, averaged over the binarised test images."""
    return gaussian_kl(*model.encode(_binarised(data.test_images))).mean().item()


@torch.no_grad()
def importance_weighted_bound_k5000(model: torch.nn.Module, data: ImageData) -> float:
    """Minus the importance-weighted bound of a VAE with k = 5000, in nats per image, over 1,000 test images."""
    x = _binarised(data.test_images)[:1000]
    mu, log_var = model.encode(x)
    with forked_random_numbers(0):
        bounds = importance_weighted_bound(
            x, mu, log_var, lambda x, z: bernoulli_log_likelihood(model.decode(z), x), k=5000
        )
    return -bounds.mean().item()


@torch.no_grad()
def _generated(model: torch.nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """10,000 images of a model, (N, 1, 28, 28), and the labels that it is asked for, each class equally often."""
    y = torch.arange(10_000) % 10
    with forked_random_numbers(0):
        if isinstance(model, ConditionalVAE):
            z = model.prior.sample(y)
        elif isinstance(model, MixturePrior):
            z, model = model.sample(len(y)), shipped("vae")
        else:
            z = torch.randn(len(y), model.noise_size)
    return torch.cat([_decoded(model, *part) for part in zip(z.split(1000), y.split(1000))]), y


def _decoded(model: torch.nn.Module, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """What a model makes of codes or noise z (B, n), and of the labels y (B,) if it knows labels."""
    if isinstance(model, VAE):
        return model.decode(z).sigmoid()
    if isinstance(model, ConditionalVAE):
        return model.decode(z, y).sigmoid()
    return model(z, y) if isinstance(model, ConditionalGenerator) else model(z)


def fidelity_of(model: torch.nn.Module, data: ImageData) -> float:
    """The share of 10,000 generated images that the judge reads as the label asked for."""
    return fidelity(load_judge(data.name), *_generated(model))


def frechet_distance_of(model: torch.nn.Module, data: ImageData) -> float:
    """The Frechet distance of 10,000 generated images to the test images."""
    x, _ = _generated(model)
    return frechet_distance(load_judge(data.name), data.test_images, x)


def acceptance_of(model: torch.nn.Module, data: ImageData) -> float:
    """The share of 10,000 generated images of whose class the judge is sure."""
    x, _ = _generated(model)
    return acceptance(load_judge(data.name), x)


def smallest_class_share(model: torch.nn.Module, data: ImageData) -> float:
    """The share of the rarest class among 10,000 generated images, as the judge reads them."""
    x, _ = _generated(model)
    return class_shares(load_judge(data.name), x).min().item()


@torch.no_grad()
def labels_known(model: torch.nn.Module, data: ImageData) -> float:
    """The share of the test images whose own label gets the highest logit of a conditional discriminator."""
    right = 0
    for x, y in zip(to_pixels(data.test_images).split(1000), data.test_labels.split(1000)):
        logits = torch.stack([model(x, torch.full_like(y, k)) for k in range(len(data.classes))], dim=1)
        right += (logits.argmax(dim=1) == y).sum().item()
    return right / len(data.test_images)


MEASURES = {
    "squared_error": squared_error,
    "accuracy": accuracy_of,
    "negative_elbo": negative_elbo,
    "negative_elbo_with_prior": negative_elbo_with_prior,
    "negative_elbo_given_y": negative_elbo_given_y,
    "rate": rate,
    "importance_weighted_bound_k5000": importance_weighted_bound_k5000,
    "acceptance": acceptance_of,
    "fidelity": fidelity_of,
    "frechet_distance": frechet_distance_of,
    "smallest_class_share": smallest_class_share,
    "labels_known": labels_known,
}
# These take minutes: only the command that made the model measures them, no test.
SLOW = {"importance_weighted_bound_k5000"}
