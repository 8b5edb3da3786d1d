"""Exercises of notebook 08: minus the ELBO of a batch, counting the latents that are used, and free bits."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.exercises.registry import Wrong, call, exercise
from course_utils.probability import gaussian_kl_per_latent

LATENTS = 5


def _as_number(result, what: str) -> torch.Tensor:
    """The answer as a tensor of one element, or a diagnosis."""
    if isinstance(result, (bool, list, tuple, str)):
        raise Wrong(f"your function returned a {type(result).__name__}; return {what}.")
    try:
        result = torch.as_tensor(result)
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"your function returned a {type(result).__name__}; return {what}.") from None
    return result


def _same(result: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(result.detach().double(), other.detach().double(), rtol=1e-4, atol=1e-5)


# --- minus the ELBO of a batch ---


class _Watched(nn.Module):
    """A small VAE that remembers what its encoder and decoder were given, and what they answered."""

    latent_size = LATENTS

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.to_mu = nn.Parameter(0.05 * torch.randn(784, LATENTS, generator=generator))
        # Far from 0 on both sides, so that variance and standard deviation cannot be mixed up unseen.
        self.log_var = nn.Parameter(torch.tensor([-3.0, -1.5, 1.0, -2.0, 1.5]))
        self.to_logits = nn.Parameter(0.4 * torch.randn(LATENTS, 784, generator=generator))
        self.encoded: list[tuple] = []
        self.decoded: list[tuple] = []

    def encode(self, x):
        _require_images(x)
        mu = x.flatten(1) @ self.to_mu
        log_var = self.log_var.expand_as(mu)
        self.encoded.append((x, mu, log_var))
        return mu, log_var

    def decode(self, z):
        if not isinstance(z, torch.Tensor) or z.ndim != 2 or z.shape[1] != LATENTS:
            shape = tuple(z.shape) if isinstance(z, torch.Tensor) else type(z).__name__
            raise Wrong(f"model.decode takes one z per image, (B, {LATENTS}); you gave {shape}.")
        if self.encoded and len(z) != len(self.encoded[-1][1]):
            images = len(self.encoded[-1][1])
            raise Wrong(f"one z per image is asked for: you decoded {len(z)} of them for {images} images.")
        logits = (z @ self.to_logits - 1).unflatten(1, (1, 28, 28))
        self.decoded.append((z, logits))
        return logits


def _require_images(x) -> None:
    if not isinstance(x, torch.Tensor) or x.ndim != 4:
        shape = tuple(x.shape) if isinstance(x, torch.Tensor) else type(x).__name__
        raise Wrong(f"model.encode takes images (B, 1, 28, 28); you gave {shape}.")


@exercise(
    "negative_elbo",
    hints=(
        "Five lines: binarise, encode, sample z, decode, and the two terms. Use the binarised x in the first and in "
        "the last of them.",
        "x = torch.bernoulli(grey); mu, log_var = model.encode(x); z = mu + (0.5 * log_var).exp() * "
        "torch.randn_like(mu)",
        "distortion: F.binary_cross_entropy_with_logits(logits, x, reduction='none').flatten(1).sum(dim=1), one number "
        "per image. Add the KL per image, then average.",
    ),
    praise="Binarise, encode, sample, decode, add up, average: that is the whole training objective of a VAE.",
)
def check_negative_elbo(answer) -> None:
    generator = torch.Generator().manual_seed(1)
    grey = torch.rand(300, 1, 28, 28, generator=generator) ** 3
    model = _Watched()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        result = _as_number(call(answer, model, grey.clone()), "one number, the average over the images")
    if not model.encoded:
        raise Wrong("you never called model.encode(x): mu and log_var come from there.")
    if not model.decoded:
        raise Wrong("you never called model.decode(z): the logits come from there.")
    (x, mu, log_var), (z, logits) = model.encoded[-1], model.decoded[-1]
    _diagnose_binarisation(x, grey)
    _diagnose_sample(z.detach(), mu.detach(), log_var.detach())
    _diagnose_terms(result, x, grey, mu, log_var, logits)
    if not result.requires_grad:
        raise Wrong("the number is right, but it carries no gradient: leave out no_grad, detach and item().")
    if not z.requires_grad:
        raise Wrong(
            "the number is right, but z is cut off from mu and log_var, so the encoder never learns what the decoder "
            "needs: write z as mu + sigma * epsilon, not with .sample() or torch.normal."
        )


def _diagnose_binarisation(x, grey) -> None:
    if not torch.equal(x, x * x):
        raise Wrong(
            "model.encode was given grey pixels. The model is one of binary images: draw x = torch.bernoulli(grey) "
            "first, and use this x everywhere."
        )
    if torch.equal(x, grey.round()):
        raise Wrong(
            "you rounded the pixels, which gives the same x every time. Draw them: torch.bernoulli(grey) makes a pixel "
            "of 0.3 ink in 3 of 10 steps."
        )
    if abs((x - grey).mean()) > 0.01:
        raise Wrong(
            f"your x has {x.mean():.2f} of its pixels inked, grey has {grey.mean():.2f} on average: a pixel must "
            "become 1 with a probability of its grey value, torch.bernoulli(grey)."
        )


def _diagnose_sample(z, mu, log_var) -> None:
    if torch.allclose(z, mu):
        raise Wrong(
            "you decoded z = mu. Without the spread of q the result is too good, and no bound any more: it is not an "
            "ELBO, neither in training nor at test time."
        )
    sigma = (0.5 * log_var[0]).exp()
    spread = (z - mu).std(dim=0)
    own = f" For log_var = {log_var[0, 0]:g} yours is {spread[0]:.2f}, right is {sigma[0]:.2f}."

    def is_spread(other) -> bool:
        # 300 samples: the relative error of a standard deviation is 4 %.
        return torch.allclose(spread, other, rtol=0.2)

    if is_spread(sigma):
        return
    if is_spread(log_var[0].exp()):
        raise Wrong(f"you multiplied epsilon by the variance: it needs the standard deviation.{own}")
    if is_spread(torch.ones(LATENTS)):
        raise Wrong(f"you added epsilon without multiplying it by sigma.{own}")
    if is_spread(log_var[0].abs()):
        raise Wrong(f"you multiplied epsilon by log_var itself: sigma is exp(log_var / 2).{own}")
    if torch.allclose(z.std(dim=0), torch.ones(LATENTS), rtol=0.2) and z.mean(dim=0).abs().max() < 0.3:
        raise Wrong("you drew z from the prior: at this place it comes from q, mu + sigma * epsilon.")
    raise Wrong(f"the spread of your z is not that of q.{own}")


def _diagnose_terms(result, x, grey, mu, log_var, logits) -> None:
    bce = F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1)
    on_grey = F.binary_cross_entropy_with_logits(logits, grey, reduction="none").flatten(1)
    twice = F.binary_cross_entropy_with_logits(logits.sigmoid(), x, reduction="none").flatten(1)
    kl = gaussian_kl_per_latent(mu, log_var)
    of_log_sigma = gaussian_kl_per_latent(mu, 2 * log_var)
    as_variance = 0.5 * (mu**2 + log_var - 1 - log_var.abs().log())
    distortion, rate = bce.sum(1), kl.sum(1)
    right = (distortion + rate).mean()
    if result.numel() == 1 and _same(result.reshape(()), right):
        return
    if result.shape == distortion.shape and _same(result, distortion + rate):
        raise Wrong("you return one number per image: average them, so that one number is left to minimise.")
    if result.numel() != 1:
        raise Wrong(f"one number is asked for, the average over the images; yours is {tuple(result.shape)}.")
    mistakes = (
        (-right, "this is the ELBO: the loss is minus it, so turn both signs"),
        ((distortion - rate).mean(), "the sign of the KL is wrong: it is a cost, and adds to the distortion"),
        ((rate - distortion).mean(), "the sign of the distortion is wrong: both terms are costs"),
        (distortion.mean(), "the KL is missing: without it this is an autoencoder with noise"),
        (rate.mean(), "the distortion is missing: nothing asks for images that look like x"),
        (
            bce.mean() + rate.mean(),
            "you averaged over the pixels, which silently sets beta to 784: sum over them",
        ),
        (bce.mean() + kl.mean(), "you averaged over pixels and over latents: sum over both"),
        (
            distortion.mean() + kl.mean(),
            f"you averaged over the latents: that sets beta to 1/{LATENTS}, so sum",
        ),
        (
            distortion.sum() + rate.sum(),
            f"you summed over the batch: that is {len(x)} times as much as per image",
        ),
        (distortion.sum() + rate.mean(), "you summed the distortion over the batch, but averaged the KL"),
        (distortion.mean() + rate.sum(), "you summed the KL over the batch, but averaged the distortion"),
        ((distortion + 2 * rate).mean(), "your KL is twice as large: the factor 1/2 is missing"),
        ((distortion - rate / 2).mean(), "your KL has the wrong sign, and half its size"),
        (
            (distortion + as_variance.sum(1)).mean(),
            "your KL uses log_var as if it were the variance: the variance is log_var.exp()",
        ),
        (
            (distortion + of_log_sigma.sum(1)).mean(),
            "your KL uses log_var as if it were log sigma: it is the logarithm of the variance already",
        ),
        (
            (on_grey.sum(1) + rate).mean(),
            "your x_hat is compared with grey pixels: that BCE is no likelihood, so compare with the binarised x",
        ),
        (
            (twice.sum(1) + rate).mean(),
            "you applied a sigmoid to the logits, and the BCE applies it once more",
        ),
    )
    numbers = f" You have {result.item():.5g}, right is {right.item():.5g}."
    # Negative log variances have no logarithm: that mistake is a NaN in the reader's hands.
    if math.isnan(result.item()):
        raise Wrong("your result is NaN: is there a logarithm of log_var? It is a logarithm already.")
    for wrong, diagnosis in mistakes:
        if _same(result.reshape(()), wrong):
            raise Wrong(f"{diagnosis}.{numbers}")
    # The BCE is linear in x: with a second binarisation it is near the BCE on grey pixels, but not equal to it.
    if abs(result.item() - (on_grey.sum(1) + rate).mean().item()) < 0.005 * right.item():
        raise Wrong(f"you binarised twice: encoder and BCE must see the same x, drawn once.{numbers}")
    raise Wrong(f"encoding, sampling and decoding are right, the two terms are not.{numbers}")


# --- counting the latents that are used ---


@exercise(
    "active_latents",
    hints=(
        "The KL of each latent, for each image: 0.5 * (mu**2 + log_var.exp() - 1 - log_var), of shape (B, n).",
        "Average it over the images (dimension 0): n numbers are left, one for each latent.",
        "How many of them are above the threshold? (kl > threshold).sum() counts.",
    ),
    praise="One number per latent, averaged over images: this is where you see a collapse that the sum hides.",
)
def check_active_latents(answer) -> None:
    # Five latents that are used, one with a wide q, one with the same narrow q for every image, one that four images
    # use, two that are nearly off, and three that are off: every mistake below counts another number of them.
    generator = torch.Generator().manual_seed(0)
    spread = torch.tensor([1.0] * 5 + [0.5, 0.0, 0.0, 0.02, 0.02, 0.0, 0.0, 0.0])
    mu = torch.randn(500, len(spread), generator=generator) * spread
    mu[:4, 7] = torch.tensor([2.0, -2.0, 2.0, -2.0])
    log_var = torch.tensor([-3.0] * 5 + [0.0, -2.0] + [0.0] * 6).repeat(500, 1)
    kl = gaussian_kl_per_latent(mu, log_var)
    for threshold in (0.01, 0.1):
        result = _as_number(
            call(answer, mu.clone(), log_var.clone(), threshold), "how many latents are active"
        )
        on_average = kl.mean(dim=0) > threshold
        right = on_average.sum().item()
        if result.numel() == 1 and result.dtype != torch.bool and result.item() == right:
            continue
        _diagnose_count(result, kl, mu, log_var, threshold, on_average)


def _diagnose_count(result, kl, mu, log_var, threshold, on_average) -> None:
    right = int(on_average.sum())
    if result.shape == on_average.shape:
        raise Wrong("you return one entry per latent: count those that are above the threshold, with .sum().")
    if result.numel() != 1:
        raise Wrong(f"one number is asked for, how many latents are active; yours is {tuple(result.shape)}.")
    if result.dtype == torch.bool:
        raise Wrong("you return whether there is an active latent: count them, with .sum().")
    of_average = gaussian_kl_per_latent(mu.mean(0, keepdim=True), log_var.mean(0, keepdim=True))[0]
    mistakes = (
        (len(on_average) - right, "you counted the latents that are off"),
        (
            (kl > threshold).any(dim=0).sum(),
            "you count a latent as active if one image uses it: average over images",
        ),
        ((kl.sum(dim=0) > threshold).sum(), "you summed over the images: the threshold is for their average"),
        ((kl > threshold).sum(), "you counted (image, latent) pairs: average over the images first"),
        (
            (kl.mean(dim=1) > threshold).sum(),
            "you averaged over the latents, and counted images: average over dim 0",
        ),
        (
            (kl.sum(dim=1) > threshold).sum(),
            "you summed over the latents, and counted images: average over dim 0",
        ),
        (
            (of_average > threshold).sum(),
            "you averaged mu and log_var before the formula: different means cancel out, so average the KL",
        ),
        (
            (mu.var(dim=0) > threshold).sum(),
            "you looked at the variance of mu only: a latent with its own narrow q costs nats, too, so take its KL",
        ),
        (
            (-kl.mean(dim=0) > threshold).sum(),
            "the sign of your KL is flipped, so nothing is above the threshold",
        ),
    )
    for wrong, diagnosis in mistakes:
        if result.item() == int(wrong):
            raise Wrong(
                f"{diagnosis}. For threshold {threshold:g} you have {result.item():g}, right is {right}."
            )
    raise Wrong(
        f"for 500 images and threshold {threshold:g} you have {result.item():g} active latents, not {right}."
    )


# --- free bits ---


@exercise(
    "free_bits",
    hints=(
        "Average over the images first: rate.mean(dim=0) is one number for each latent.",
        "Numbers below the floor are raised to it: clamp(min=floor), or torch.maximum.",
        "Then sum over the latents: the result replaces the KL term of the loss.",
    ),
    praise="Below the floor the gradient is 0, so a latent gains nothing by falling silent.",
)
def check_free_bits(answer) -> None:
    generator = torch.Generator().manual_seed(0)
    scale = torch.tensor([2.0, 0.9, 0.3, 0.02, 0.0])
    rate = (torch.rand(40, LATENTS, generator=generator) * 2 * scale).requires_grad_()
    floor = 0.5
    result = _as_number(call(answer, rate, floor), "one number, the term for the loss")
    average = rate.mean(dim=0)
    right = average.clamp(min=floor).sum()
    if result.numel() != 1:
        if result.shape == average.shape:
            raise Wrong("you return one number per latent: sum over the latents.")
        raise Wrong(f"one number is asked for, the term for the loss; yours is {tuple(result.shape)}.")
    result = result.reshape(())
    if not _same(result, right):
        _diagnose_floor(result, rate, average, floor, right)
    if not result.requires_grad:
        raise Wrong("the number is right, but it carries no gradient: leave out no_grad, detach and item().")
    (slope,) = torch.autograd.grad(result, rate)
    if slope[:, average < floor].any():
        raise Wrong(
            "the number is right, but below the floor there must be no gradient: raise it by clamp(min=floor)."
        )


def _diagnose_floor(result, rate, average, floor, right) -> None:
    mistakes = (
        (
            rate.clamp(min=floor).sum(dim=1).mean(),
            "you applied the floor to every image: average over the images first, or a latent is punished for the "
            "images that need less of it",
        ),
        (
            average.clamp(max=floor).sum(),
            "clamp(max=floor) cuts off what lies above: the floor is a minimum",
        ),
        (average.sum(), "the floor is missing: this is the plain KL"),
        (
            average.sum().clamp(min=floor * LATENTS),
            "you applied one floor to the sum: each latent needs its own",
        ),
        (average.sum().clamp(min=floor), "you applied the floor to the sum: each latent needs its own"),
        (average.clamp(min=floor).mean(), "you averaged over the latents: sum over them"),
        (
            (average - floor).clamp(min=0).sum(),
            "you subtracted the floor: its gradient is right, but the nats below the floor are missing from the number",
        ),
        (
            torch.where(average < floor, torch.zeros_like(average), average).sum(),
            "you dropped the latents below the floor: they count as much as the floor",
        ),
        ((average + floor).sum(), "you added the floor to every latent: it only raises those below it"),
        (rate.sum(dim=0).clamp(min=floor).sum(), "you summed over the images: average over them"),
        (rate.clamp(min=floor).sum(), "you applied the floor to every image, and summed over the batch"),
    )
    numbers = f" You have {result.item():.4g}, right is {right.item():.4g}."
    for wrong, diagnosis in mistakes:
        if _same(result, wrong):
            raise Wrong(f"{diagnosis}.{numbers}")
    raise Wrong(f"for 40 images, 5 latents and a floor of 0.5 the number is not right.{numbers}")
