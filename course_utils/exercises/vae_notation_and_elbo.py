"""Exercises of notebook 07: the KL, the reparameterisation, the ELBO by sampling and the tighter bound."""

import math

import torch

from course_utils.exercises.registry import Wrong, call, exercise
from course_utils.probability import LinearGaussian, gaussian_kl


def _require_tensor(result) -> None:
    if not isinstance(result, torch.Tensor):
        raise Wrong(f"your function returned a {type(result).__name__}; it must return a tensor.")


def _same(result: torch.Tensor, other: torch.Tensor) -> bool:
    return result.shape == other.shape and torch.allclose(result, other, rtol=1e-4, atol=1e-5, equal_nan=True)


# --- the KL ---


def _halved(mu, sigma_squared, log_sigma_squared, constant=1.0):
    """The KL of every latent, written so that single terms can be wrong."""
    return 0.5 * (mu**2 + sigma_squared - constant - log_sigma_squared)


KL_MISTAKES = (
    (
        lambda mu, v: -_halved(mu, v.exp(), v).sum(1),
        "your sign is flipped: this is -KL. A KL is never negative, and yours is",
    ),
    (
        lambda mu, v: _halved(mu, v, v.log()).sum(1),
        "you used log_var as if it were the variance: the variance is log_var.exp(), and its logarithm is "
        "log_var",
    ),
    (
        lambda mu, v: _halved(mu, v**2, (v**2).log()).sum(1),
        "you used log_var as if it were the standard deviation: the variance is log_var.exp()",
    ),
    (
        lambda mu, v: _halved(mu, (2 * v).exp(), 2 * v).sum(1),
        "you used log_var as if it were log sigma: it is already the logarithm of the variance, so do not "
        "double it",
    ),
    (
        lambda mu, v: _halved(mu, (2 * v).exp(), v).sum(1),
        "you squared log_var.exp(), but that already is the variance sigma ** 2",
    ),
    (
        lambda mu, v: _halved(mu, (0.5 * v).exp(), v).sum(1),
        "you added sigma where the formula has sigma ** 2: the variance is log_var.exp(), without the 0.5",
    ),
    (
        lambda mu, v: _halved(mu, v.exp(), v).mean(1),
        "you averaged over the latents: that is n times too small. Sum over them",
    ),
    (
        lambda mu, v: _halved(mu, v.exp(), v).sum(),
        "you summed over the images as well: keep one number per image, and average over them later",
    ),
    (
        lambda mu, v: _halved(mu, v.exp(), v).sum(1).mean(),
        "you averaged over the images already: return one number per image, and leave the average to the "
        "loss",
    ),
    (
        lambda mu, v: _halved(mu, v.exp(), v).mean(),
        "you averaged over everything: sum over the latents, and keep the images apart",
    ),
    (
        lambda mu, v: _halved(mu, v.exp(), v).sum(0),
        "you summed over dimension 0, the images: the latents are dimension 1",
    ),
    (
        lambda mu, v: _halved(mu, v.exp(), v),
        "you did not sum over the latents: one number per image is asked for",
    ),
    (
        lambda mu, v: 2 * _halved(mu, v.exp(), v).sum(1),
        "yours is twice as large: the factor 1/2 is missing",
    ),
    (
        lambda mu, v: _halved(mu, v.exp(), v, constant=0.0).sum(1),
        "the -1 is missing: for mu = 0 and sigma = 1 the KL must be 0",
    ),
    (
        lambda mu, v: _halved(mu, v.exp(), -v).sum(1),
        "the sign of the logarithm is wrong: a narrow q must cost more, and log_var enters with a minus",
    ),
    (
        lambda mu, v: _halved(mu.abs() ** 0.5, v.exp(), v).sum(1),
        "the mean enters squared: you have its absolute value",
    ),
    (
        lambda mu, v: 0.5 * ((1 + mu**2) * (-v).exp() - 1 + v).sum(1),
        "this is KL(p || q), the other direction: the average is to be taken over q",
    ),
)


@exercise(
    "kl_to_prior",
    hints=(
        "Each latent contributes 1/2 (mu^2 + sigma^2 - 1 - log sigma^2). Which of these is log_var?",
        "sigma^2 is log_var.exp(), and log sigma^2 is log_var itself.",
        "Sum over dimension 1, the latents, and keep dimension 0, the images.",
    ),
    praise="Zero at the prior, positive everywhere else, one number per image: that is the KL of every VAE.",
)
def check_kl_to_prior(answer) -> None:
    generator = torch.Generator().manual_seed(0)
    mu = torch.randn(4, 3, generator=generator)
    # The second case has positive log variances only, so that a mistaken logarithm of them stays finite.
    for log_var in (torch.randn(4, 3, generator=generator), 0.2 + torch.rand(4, 3, generator=generator)):
        result = call(answer, mu.clone(), log_var.clone())
        _require_tensor(result)
        expected = gaussian_kl(mu, log_var)
        if _same(result, expected):
            continue
        for mistake, diagnosis in KL_MISTAKES:
            if _same(result, mistake(mu, log_var)):
                raise Wrong(f"{diagnosis}.{_numbers(result, expected)}")
        if result.shape != expected.shape:
            raise Wrong(f"4 images with 3 latents must give shape (4,); yours is {tuple(result.shape)}.")
        raise Wrong(f"the shape is right, the numbers are not.{_numbers(result, expected)}")


def _numbers(result: torch.Tensor, expected: torch.Tensor) -> str:
    if result.shape != expected.shape:
        return f" Your shape is {tuple(result.shape)}, expected is {tuple(expected.shape)}."
    return f" For the first image you have {result[0]:.4g}, right is {expected[0]:.4g}."


# --- the reparameterisation ---


@exercise(
    "reparameterise",
    hints=(
        "Draw epsilon from N(0, I), with the shape of mu: torch.randn_like(mu).",
        "The standard deviation is the square root of exp(log_var), which is exp(log_var / 2).",
        "z = mu + sigma * epsilon, and nothing in it may be detached.",
    ),
    praise="All the randomness sits in epsilon, so the gradient finds its way from z to mu and log_var.",
)
def check_reparameterise(answer) -> None:
    images = 20_000
    mu_row, log_var_row = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([0.6, -1.4, 1.2])
    mu = mu_row.repeat(images, 1).requires_grad_()
    log_var = log_var_row.repeat(images, 1).requires_grad_()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        z = call(answer, mu, log_var)
        again = call(answer, mu, log_var)
    _require_tensor(z)
    if z.shape != mu.shape:
        raise Wrong(f"mu has shape {tuple(mu.shape)}, so z must have it, too; yours is {tuple(z.shape)}.")
    _diagnose_noise(z.detach(), again.detach(), mu_row, log_var_row)
    _diagnose_spread(z.detach(), mu_row, log_var_row)
    _diagnose_gradients(z, mu, log_var)


def _diagnose_noise(z, again, mu, log_var) -> None:
    if torch.allclose(z, mu.expand_as(z)):
        raise Wrong("you returned mu: there is no noise in it. A sample of q is asked for, not its mean.")
    if torch.equal(z, again):
        raise Wrong("two calls gave the same sample: draw new noise each time, without setting a seed.")
    if torch.allclose(z, z[:1].expand_as(z)):
        raise Wrong("you used the same epsilon for all images: every row of mu needs a noise of its own.")
    standardised = (z - mu) / z.std(dim=0)
    if torch.corrcoef(standardised.T)[0, 1].abs() > 0.9:
        raise Wrong(
            "you used the same epsilon for all latents of an image: each latent needs noise of its own."
        )


def _diagnose_spread(z, mu, log_var) -> None:
    # With 20,000 samples the relative error of a standard deviation is 0.5 %, and 3 % is six times that.
    mean, spread = z.mean(dim=0), z.std(dim=0)
    case = f"For mu = {mu[0]:g} and log_var = {log_var[0]:g} your samples have the mean {mean[0]:.2f} and "
    case += f"the standard deviation {spread[0]:.2f}; right are {mu[0]:g} and {(0.5 * log_var[0]).exp():.2f}."

    def is_spread(other) -> bool:
        return torch.allclose(spread, other, rtol=0.03)

    if is_spread(log_var.exp()):
        raise Wrong(
            f"you multiplied epsilon by the variance: the standard deviation is its square root. {case}"
        )
    if is_spread(log_var.abs()):
        raise Wrong(f"you multiplied epsilon by log_var itself: take exp(log_var / 2). {case}")
    if is_spread((0.5 * log_var).exp() / math.sqrt(12)):
        raise Wrong(f"your epsilon is uniform, from torch.rand: it must be normal, from torch.randn. {case}")
    if is_spread((-0.5 * log_var).exp()):
        raise Wrong(f"you divided by the standard deviation, or took exp(-log_var / 2). {case}")
    if is_spread(torch.ones(3)):
        raise Wrong(f"you added epsilon without multiplying it by the standard deviation. {case}")
    if not is_spread((0.5 * log_var).exp()):
        raise Wrong(f"the spread of your samples is not that of q. {case}")
    if not torch.allclose(mean, mu, atol=0.08):
        raise Wrong(f"the mean of your samples is not that of q. {case}")


def _diagnose_gradients(z, mu, log_var) -> None:
    cut_off = Wrong(
        "your samples are right, but z is cut off from mu and log_var, so no gradient can flow: "
        "torch.normal, .sample() and .detach() do that. Write z as mu + sigma * epsilon."
    )
    if not z.requires_grad:
        raise cut_off
    to_mu, to_log_var = torch.autograd.grad(z.sum(), (mu, log_var), allow_unused=True)
    # torch.normal takes part in the graph, but passes on zeros.
    if to_mu is not None and to_log_var is not None and not to_mu.any() and not to_log_var.any():
        raise cut_off
    if to_mu is None:
        raise Wrong("your samples are right, but no gradient reaches mu: it is detached on its way to z.")
    if to_log_var is None:
        raise Wrong(
            "your samples are right, but no gradient reaches log_var: it is detached on its way to z."
        )
    # dz / dmu = 1 and dz / dlog_var = sigma * epsilon / 2 = (z - mu) / 2.
    if not torch.allclose(to_mu, torch.ones_like(mu)):
        raise Wrong(f"the gradient of z with respect to mu must be 1; yours is {to_mu[0, 0]:.3g}.")
    if not torch.allclose(to_log_var, (z - mu).detach() / 2, atol=1e-4):
        raise Wrong(
            "the gradient of z with respect to log_var must be sigma * epsilon / 2; yours is another."
        )


# --- the ELBO ---


class _Watched:
    """A log-likelihood that remembers the z that it was asked for."""

    def __init__(self, model: LinearGaussian):
        self.model = model
        self.calls: list[torch.Tensor] = []

    def __call__(self, x, z):
        if not isinstance(z, torch.Tensor) or z.shape != (len(x), self.model.n):
            shape = tuple(z.shape) if isinstance(z, torch.Tensor) else type(z).__name__
            raise Wrong(
                f"log_likelihood(x, z) needs one z per image, ({len(x)}, {self.model.n}); you gave {shape}."
            )
        self.calls.append(z)
        return self.model.log_likelihood(x, z)


@exercise(
    "elbo_by_sampling",
    hints=(
        "Two terms: how well z explains x, minus what z costs. The second one is exact: gaussian_kl(mu, "
        "log_var).",
        "For the first term draw one z ~ q(z|x) for each image, and call log_likelihood(x, z).",
        "z = mu + (0.5 * log_var).exp() * torch.randn_like(mu)",
    ),
    praise="One sample per image, and still right on average: every training step of a VAE computes just "
    "this.",
)
def check_elbo_by_sampling(answer) -> None:
    images = 20_000
    W = torch.tensor([[0.8, -0.5], [0.3, 0.9], [-0.7, 0.4]])
    model = LinearGaussian(W, torch.zeros(3), sigma=0.8)
    x = torch.tensor([0.9, -0.4, 0.7]).repeat(images, 1)
    mu, log_var = torch.tensor([0.7, -0.3]).repeat(images, 1), torch.tensor([-0.5, -0.2]).repeat(images, 1)
    watched = _Watched(model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        result = call(answer, x, mu, log_var, watched)
    _require_tensor(result)
    if not watched.calls:
        raise Wrong("you never called log_likelihood(x, z): without it nothing says how well z explains x.")
    _diagnose_z(watched.calls[0], mu, log_var)
    reconstruction = torch.stack([model.log_likelihood(x, z) for z in watched.calls]).mean(dim=0)
    _diagnose_elbo(result, reconstruction, gaussian_kl(mu, log_var))


def _diagnose_z(z, mu, log_var) -> None:
    if torch.allclose(z, mu):
        raise Wrong(
            "you decoded z = mu. That is not an ELBO: the expectation is over samples of q, and leaving out "
            "their spread makes the result too good. It may even exceed log p(x)."
        )
    mean, spread = z.mean(dim=0), z.std(dim=0)
    if torch.allclose(mean, torch.zeros(2), atol=0.05) and torch.allclose(spread, torch.ones(2), atol=0.05):
        raise Wrong("you drew z from the prior: the expectation is over q(z|x), so z needs mu and log_var.")
    sigma = (0.5 * log_var[0]).exp()
    if not torch.allclose(mean, mu[0], atol=0.05) or not torch.allclose(spread, sigma, rtol=0.04):
        raise Wrong(
            f"your z do not come from q: their mean is {mean[0]:.2f} and their standard deviation "
            f"{spread[0]:.2f}, right are {mu[0, 0]:.2f} and {sigma[0]:.2f}. Did you take the variance for "
            "the standard deviation?"
        )


def _diagnose_elbo(result, reconstruction, kl) -> None:
    expected = reconstruction - kl
    if _same(result, expected):
        return
    mistakes = (
        (reconstruction + kl, "you added the KL: it is a cost, so subtract it"),
        (kl - reconstruction, "this is -ELBO, the loss: the ELBO itself is asked for, so turn the sign"),
        (reconstruction, "you left out the KL: without it nothing keeps q near the prior"),
        (reconstruction - kl / 2, "you averaged the KL over the latents: sum over them"),
        (reconstruction - kl.sum(), "you subtracted the KL of all images together from each image"),
        (expected.mean(), "you averaged over the images: return one number per image"),
        (expected.sum(), "you summed over the images: return one number per image"),
    )
    for wrong, diagnosis in mistakes:
        if _same(result, wrong):
            raise Wrong(f"{diagnosis}.{_numbers(result, expected)}")
    if result.shape != expected.shape:
        raise Wrong(f"one number per image is asked for, ({len(expected)},); yours is {tuple(result.shape)}.")
    # With its KL estimated from the same z, an answer is right on average, and is told so.
    error = (result.std() / math.sqrt(len(result))).item()
    difference = (result.mean() - expected.mean()).item()
    if abs(difference) > 4 * error + 0.01:
        raise Wrong(f"on average you have {result.mean():.4g}, right is {expected.mean():.4g}.")


# --- the importance-weighted bound ---


@exercise(
    "importance_weighted",
    hints=(
        "log of the mean of w, and w = log_w.exp(): but exp underflows here. Which function takes care of "
        "that?",
        "torch.logsumexp(log_w, dim=0) is log of the SUM of w. What turns a sum into a mean, after the "
        "logarithm?",
        "Dividing by k becomes subtracting math.log(k).",
    ),
    praise="The mean stands inside the logarithm: that is all that makes it tighter than the ELBO.",
)
def check_importance_weighted(answer) -> None:
    generator = torch.Generator().manual_seed(0)
    log_w = 2 * torch.randn(6, 4, generator=generator) - 3
    result = call(answer, log_w.clone())
    _require_tensor(result)
    expected = log_w.logsumexp(dim=0) - math.log(6)
    if not _same(result, expected):
        _diagnose_bound(result, log_w, expected)
    # Images have log weights like these: exp(-800) is 0 in every floating-point format of PyTorch.
    low = call(answer, log_w - 800)
    if not _same(low, expected - 800):
        raise Wrong(
            "right for small numbers, but for log_w near -800 it breaks: exp(-800) is 0, and its logarithm "
            f"is {low[0]:.3g}. Use torch.logsumexp, which takes out the largest log weight first."
        )


def _diagnose_bound(result, log_w, expected) -> None:
    mistakes = (
        (
            log_w.mean(dim=0),
            "you averaged the logarithms: that is the ELBO. Take the logarithm of the average",
        ),
        (
            log_w.logsumexp(dim=0),
            "you forgot to divide by k: subtract log k, or every sample adds to the bound",
        ),
        (expected + 2 * math.log(6), "you added log k: dividing by k means to subtract it"),
        (
            log_w.logsumexp(dim=0) - 6,
            "you subtracted k: after the logarithm, dividing by k is subtracting log k",
        ),
        (log_w.logsumexp(dim=0) / 6, "you divided the logarithm by k: the division by k belongs inside it"),
        (expected.exp(), "you left out the logarithm: this is the average weight itself"),
        (log_w.logsumexp(dim=1) - math.log(4), "you averaged over the images: the samples are dimension 0"),
        (log_w.max(dim=0).values, "you took the largest weight only"),
        (expected.mean(), "you averaged over the images: return one number per image"),
    )
    for wrong, diagnosis in mistakes:
        if _same(result, wrong):
            raise Wrong(f"{diagnosis}.{_numbers(result, expected)}")
    if result.shape != expected.shape:
        raise Wrong(f"6 samples of 4 images must give shape (4,); yours is {tuple(result.shape)}.")
    raise Wrong(f"the shape is right, the numbers are not.{_numbers(result, expected)}")
