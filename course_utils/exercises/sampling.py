"""What can go wrong where z is drawn from q(z|x) = N(mu, diag(exp(log_var))), in exercises of notebooks 07 to 09."""

import math
from collections.abc import Callable

import torch

from course_utils.exercises.engine import Mistake

SCALES = (
    (
        torch.exp,
        "you multiplied epsilon by the variance: the standard deviation is its square root, exp(log_var / 2)",
    ),
    (lambda log_var: log_var, "you multiplied epsilon by log_var itself: take exp(log_var / 2)"),
    (torch.ones_like, "you added epsilon without multiplying it by the standard deviation"),
    (
        lambda log_var: (-log_var / 2).exp(),
        "you divided by the standard deviation, or took exp(-log_var / 2)",
    ),
)


def is_standard_normal(numbers: torch.Tensor) -> bool:
    """Whether each column of (N, n) has mean 0 and standard deviation 1, within five standard errors."""
    numbers = numbers.detach().double()
    mean, spread = numbers.mean(dim=0), numbers.std(dim=0)
    error = 1 / math.sqrt(len(numbers))
    return bool((mean.abs() < 5 * error).all() and ((spread - 1).abs() < 5 * error / math.sqrt(2)).all())


def gradients(z: torch.Tensor, mu: torch.Tensor, log_var: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The gradients of z.sum() with respect to mu and log_var, zeros where none arrives."""
    if not z.requires_grad:
        return torch.zeros_like(mu), torch.zeros_like(log_var)
    return torch.autograd.grad(z.sum(), (mu, log_var), retain_graph=True, materialize_grads=True)


def sampling_mistakes(answer: Callable, drawn: Callable, without_noise: str) -> tuple[Mistake, ...]:
    """The mistakes of an answer that draws one z for each image.

    answer(draw): the right answer with `draw(mu, log_var)` in place of the sampling. drawn(call): z, mu and log_var,
    each (B, n), of which mu and log_var must carry gradients. without_noise: the sentence for z = mu.
    """

    def mistake(draw, sentence, told_if):
        return Mistake(answer(draw), sentence, lambda call: told_if(*drawn(call)))

    def in_numbers(sentence):
        return lambda call: f"{sentence}. {_moments(*drawn(call))}"

    def of_scale(scale, sentence):
        return mistake(
            lambda mu, log_var: mu + scale(log_var) * torch.randn_like(mu),
            in_numbers(sentence),
            lambda z, mu, log_var: is_standard_normal((z - mu) / scale(log_var)),
        )

    mistakes = (
        mistake(
            lambda mu, log_var: mu, without_noise, lambda z, mu, log_var: torch.allclose(z, mu.to(z.dtype))
        ),
        mistake(
            lambda mu, log_var: draw(mu, log_var, torch.randn(1, mu.shape[1])),
            "you used the same epsilon for all images: every row of mu needs noise of its own, torch.randn_like(mu)",
            lambda *q: torch.allclose(epsilon(*q), epsilon(*q)[:1], atol=1e-3),
        ),
        mistake(
            lambda mu, log_var: draw(mu, log_var, torch.randn(len(mu), 1)),
            "you used the same epsilon for all latents of an image: each latent needs noise of its own",
            lambda *q: torch.allclose(epsilon(*q), epsilon(*q)[:, :1], atol=1e-3),
        ),
        *(of_scale(*one) for one in SCALES),
        mistake(
            lambda mu, log_var: draw(mu, log_var, torch.rand_like(mu)),
            "your epsilon is uniform, from torch.rand: it must be normal, from torch.randn",
            lambda *q: is_standard_normal((epsilon(*q) - 0.5) * math.sqrt(12)),
        ),
        mistake(
            lambda mu, log_var: torch.randn_like(mu),
            "you drew z from the prior: here it comes from q, and needs mu and log_var",
            lambda z, mu, log_var: is_standard_normal(z),
        ),
        mistake(
            lambda mu, log_var: draw(log_var, mu),
            "you exchanged mu and log_var: mu comes first, then log_var",
            lambda z, mu, log_var: is_standard_normal(epsilon(z, log_var, mu)),
        ),
        mistake(
            lambda mu, log_var: 0.1 + draw(mu, 1.1 * log_var),
            in_numbers(
                "your z do not come from q: they must scatter around mu, with the standard deviation sigma"
            ),
            lambda *q: not is_standard_normal(epsilon(*q)),
        ),
    )
    cut_off = (
        "your samples are right, but z is cut off from mu and log_var, so no gradient can flow: torch.normal, "
        ".sample(), .detach() and no_grad do that. Write z as mu + sigma * epsilon"
    )
    return (
        *mistakes,
        *(
            mistake(way, cut_off, lambda *q: not any(gradient.any() for gradient in gradients(*q)))
            # The second one takes part in the graph, but passes on zeros.
            for way in (
                lambda *q: draw(*q).detach(),
                lambda mu, log_var: torch.normal(mu, (0.5 * log_var).exp()),
            )
        ),
        mistake(
            lambda mu, log_var: draw(mu.detach(), log_var),
            "your samples are right, but no gradient reaches mu: it is detached on its way to z",
            lambda *q: not gradients(*q)[0].any(),
        ),
        mistake(
            lambda mu, log_var: draw(mu, log_var.detach()),
            "your samples are right, but no gradient reaches log_var: it is detached on its way to z",
            lambda *q: not gradients(*q)[1].any(),
        ),
    )


def draw(mu: torch.Tensor, log_var: torch.Tensor, noise: torch.Tensor | None = None) -> torch.Tensor:
    """z = mu + sigma * noise, with fresh normal noise by default."""
    return mu + (0.5 * log_var).exp() * (torch.randn_like(mu) if noise is None else noise)


def epsilon(z: torch.Tensor, mu: torch.Tensor, log_var: torch.Tensor) -> torch.Tensor:
    """The noise that z was made with."""
    return ((z - mu) / (0.5 * log_var).exp()).detach()


def _moments(z: torch.Tensor, mu: torch.Tensor, log_var: torch.Tensor) -> str:
    noise = epsilon(z, mu, log_var)
    mean, spread = noise.mean(dim=0), noise.std(dim=0)
    worst = int((mean.abs() + (spread - 1).abs()).argmax())
    return (
        f"In latent {worst + 1}, your (z - mu) / sigma has the mean {mean[worst]:z.2f} and the standard deviation "
        f"{spread[worst]:.2f}; right are 0 and 1"
    )
