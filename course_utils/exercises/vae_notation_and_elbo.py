"""Exercises of notebook 07: the KL, the reparameterisation, the ELBO by sampling and the tighter bound."""

import math

import torch
from torch.distributions import Normal

from course_utils.exercises.compare import Estimate, Tensor
from course_utils.exercises.engine import Mistake, exercise
from course_utils.exercises.sampling import draw, gradients, sampling_mistakes
from course_utils.exercises.spies import Spy
from course_utils.probability import (
    LinearGaussian,
    gaussian_kl,
    gaussian_log_density,
    standard_normal_log_density,
)

# --- the KL ---


def kl_terms(mu, variance, log_variance, constant=1.0):
    """The KL of every latent, (B, n), written so that single terms can be wrong."""
    return 0.5 * (mu**2 + variance - constant - log_variance)


def kl_of_latents(mu, log_var):
    return kl_terms(mu, log_var.exp(), log_var)


exercise(
    "kl_to_prior",
    objective="compute the KL between a diagonal Gaussian and the prior, one number per image",
    level=1,
    points=2,
    # Positive log variances first, so that a mistaken logarithm of them stays finite.
    given=lambda: [(torch.randn(4, 3), 0.2 + torch.rand(4, 3)), (torch.randn(4, 3), torch.randn(4, 3))],
    solution=lambda mu, v: kl_of_latents(mu, v).sum(dim=1),
    also_right=(
        gaussian_kl,
        lambda mu, v: -0.5 * torch.sum(1 + v - mu.pow(2) - v.exp(), dim=1),
        lambda mu, v: gaussian_kl(mu.double(), v.double()),
    ),
    compare=Tensor("a tensor (B,), one number per image"),
    describe=lambda mu, v: f"for {len(mu)} images with {mu.shape[1]} latents",
    mistakes=(
        (
            lambda mu, v: -kl_of_latents(mu, v).sum(1),
            "your sign is flipped: this is -KL. A KL is never negative, and yours is",
        ),
        (
            lambda mu, v: kl_terms(mu, v, v.log()).sum(1),
            "you used log_var as if it were the variance: the variance is log_var.exp(), and its logarithm is log_var",
        ),
        (
            lambda mu, v: kl_terms(mu, v**2, (v**2).log()).sum(1),
            "you used log_var as if it were the standard deviation: the variance is log_var.exp()",
        ),
        (
            lambda mu, v: kl_of_latents(mu, 2 * v).sum(1),
            "you used log_var as if it were log sigma: it is the log of the variance already, so do not double it",
        ),
        (
            lambda mu, v: kl_terms(mu, (2 * v).exp(), v).sum(1),
            "you squared log_var.exp(), but that already is the variance sigma ** 2",
        ),
        (
            lambda mu, v: kl_terms(mu, (0.5 * v).exp(), v).sum(1),
            "you added sigma where the formula has sigma ** 2: the variance is log_var.exp(), without the 0.5",
        ),
        (
            lambda mu, v: kl_of_latents(mu, v).mean(1),
            "you averaged over the latents: that is n times too small. Sum over them",
        ),
        (
            lambda mu, v: kl_of_latents(mu, v).sum(),
            "you summed over the images as well: keep one number per image, and average over them later",
        ),
        (
            lambda mu, v: kl_of_latents(mu, v).sum(1).mean(),
            "you averaged over the images already: return one number per image, and leave the average to the loss",
        ),
        (
            lambda mu, v: kl_of_latents(mu, v).mean(),
            "you averaged over everything: sum over the latents, and keep the images apart",
        ),
        (
            lambda mu, v: kl_of_latents(mu, v).sum(0),
            "you summed over dimension 0, the images: the latents are dimension 1",
        ),
        (kl_of_latents, "you did not sum over the latents: one number per image is asked for"),
        (
            lambda mu, v: 2 * kl_of_latents(mu, v).sum(1),
            "yours is twice as large: the factor 1/2 is missing",
        ),
        (
            lambda mu, v: kl_terms(mu, v.exp(), v, constant=0).sum(1),
            "the -1 is missing: for mu = 0 and sigma = 1 the KL must be 0",
        ),
        (
            lambda mu, v: kl_terms(mu, v.exp(), -v).sum(1),
            "the sign of the logarithm is wrong: a narrow q must cost more, so log_var enters with a minus",
        ),
        (
            lambda mu, v: kl_terms(mu.abs().sqrt(), v.exp(), v).sum(1),
            "the mean enters squared: you have its absolute value",
        ),
        (
            lambda mu, v: 0.5 * ((1 + mu**2) * (-v).exp() - 1 + v).sum(1),
            "this is KL(p || q), the other direction: the average must be taken over q",
        ),
    ),
    told=(
        (lambda mu, v: gaussian_kl(mu, v)[:, None], "your result has shape (4, 1), right is (4,)"),
        (lambda mu, v: gaussian_kl(mu, v) + 0.3, "the shape is right, but at ["),
        (lambda mu, v: 3.0, "returned a float"),
    ),
    hints=(
        "Each latent contributes 1/2 (mu^2 + sigma^2 - 1 - log sigma^2). Which of these is log_var?",
        "sigma^2 is log_var.exp(), and log sigma^2 is log_var itself.",
        "Sum over dimension 1, the latents, and keep dimension 0, the images.",
    ),
    praise="Zero at the prior, positive everywhere else, one number per image: that is the KL of every VAE.",
)


# --- the reparameterisation ---


def one_q_twice():
    """The same call twice, which must give two samples; so many images that a spread that is 1 % too large shows."""

    def rows(*numbers):
        return torch.tensor(numbers).repeat(200_000, 1).requires_grad_()

    return [(rows(1.0, -2.0, 0.5), rows(0.6, -1.4, 1.2)) for _ in range(2)]


def first_sample(call):
    return call.result[0], *call.arguments[0]


def from_a_seed(mu, log_var):
    torch.manual_seed(3)
    return draw(mu, log_var)


exercise(
    "reparameterise",
    objective="draw a sample of q through which gradients reach mu and log_var",
    level=2,
    points=3,
    given=one_q_twice,
    together=True,
    solution=draw,
    also_right=(
        lambda mu, v: Normal(mu, (0.5 * v).exp()).rsample(),
        lambda mu, v: draw(mu.double(), v.double()),
    ),
    compare=Estimate("z, a tensor (B, n)"),
    expected=lambda call: [mu for mu, _ in call.arguments],
    mistakes=(
        (
            lambda mu, v: draw(mu, v).sum(1),
            lambda call: (
                f"z must have the shape of mu, {tuple(call.arguments[0][0].shape)}; yours has "
                f"{tuple(call.result[0].shape)}"
            ),
            lambda call: call.result[0].shape != call.arguments[0][0].shape,
        ),
        *sampling_mistakes(
            lambda draw: draw,
            first_sample,
            "you returned mu: there is no noise in it. A sample of q is asked for, not its mean",
        ),
        (
            from_a_seed,
            "two calls gave the same sample: draw new noise each time, without setting a seed",
            lambda call: torch.equal(*call.result),
        ),
        (
            lambda mu, v: draw(2 * mu - mu.detach(), v),
            "the gradient of z with respect to mu must be 1, and yours is not",
            lambda call: not torch.allclose(gradients(*first_sample(call))[0], torch.ones(1)),
        ),
        (
            lambda mu, v: draw(mu, 2 * v - v.detach()),
            "the gradient of z with respect to log_var must be sigma * epsilon / 2, and yours is not",
            lambda call: not Tensor(atol=1e-4).same(gradients(*first_sample(call))[1], half_the_noise(call)),
        ),
    ),
    told=((lambda mu, v: 3.0, "returned a float"),),
    hints=(
        "Draw epsilon from N(0, I), with the shape of mu: torch.randn_like(mu).",
        "The standard deviation is the square root of exp(log_var), which is exp(log_var / 2).",
        "z = mu + sigma * epsilon, and nothing in it may be detached.",
    ),
    praise="All the randomness sits in epsilon, so the gradient finds its way from z to mu and log_var.",
)


def half_the_noise(call):
    """dz / dlog_var = sigma * epsilon / 2 = (z - mu) / 2."""
    z, mu, _ = first_sample(call)
    return (z - mu) / 2


# --- the ELBO ---

IMAGES = 20_000


def images_and_q():
    model = LinearGaussian(torch.tensor([[0.8, -0.5], [0.3, 0.9], [-0.7, 0.4]]), torch.zeros(3), sigma=0.8)
    x, mu, log_var = (
        torch.tensor(row).repeat(IMAGES, 1) for row in ([0.9, -0.4, 0.7], [0.7, -0.3], [-0.5, -0.2])
    )
    takes = {"x": (IMAGES, 3), "z": (IMAGES, 2)}
    return [(x, mu, log_var, Spy("log_likelihood", model.log_likelihood, takes))]


def minus_kl(reconstruction, kl):
    return reconstruction - kl.sum(dim=1)


def elbo(x, mu, log_var, log_likelihood, draw=draw, total=minus_kl):
    """`draw` and `total` (of the reconstruction (B,) and the KL of each latent (B, n)) may hold a mistake."""
    return total(log_likelihood(x, draw(mu, log_var)), kl_of_latents(mu, log_var))


def wrong_elbo(**part):
    return lambda *given: elbo(*given, **part)


def total_of(call, total=minus_kl):
    """`total` of the samples that the answer drew: several are averaged."""
    _, mu, log_var, log_likelihood = call.arguments
    return total(torch.stack(log_likelihood.results).mean(dim=0), kl_of_latents(mu, log_var))


def total_mistake(total, sentence):
    return Mistake(wrong_elbo(total=total), sentence, gives=lambda call: total_of(call, total))


def drawn(call):
    _, mu, log_var, log_likelihood = call.arguments
    (_, z), _ = log_likelihood.last
    return z, mu, log_var


def with_a_sampled_kl(x, mu, log_var, log_likelihood):
    z = draw(mu, log_var)
    return log_likelihood(x, z) + standard_normal_log_density(z) - gaussian_log_density(z, mu, log_var)


exercise(
    "elbo_by_sampling",
    objective="estimate the ELBO of each image from one sample of q",
    level=2,
    points=3,
    given=images_and_q,
    solution=elbo,
    also_right=(
        with_a_sampled_kl,
        lambda *given: (elbo(*given) + elbo(*given)) / 2,
        lambda x, mu, v, ll: elbo(x.double(), mu.double(), v.double(), ll),
    ),
    # The KL may be estimated, too, which is right on average.
    compare=Estimate("a tensor (B,), one number per image"),
    expected=total_of,
    mistakes=(
        *sampling_mistakes(
            lambda draw: wrong_elbo(draw=draw),
            drawn,
            "you decoded z = mu. That is not an ELBO: the expectation is over samples of q, and leaving out their "
            "spread makes the result too good. It may even exceed log p(x)",
            learns=False,
        ),
        total_mistake(
            lambda reconstruction, kl: reconstruction + kl.sum(1),
            "you added the KL: it is a cost, so subtract it",
        ),
        total_mistake(
            lambda *terms: -minus_kl(*terms),
            "this is -ELBO, the loss: the ELBO itself is asked for, so turn the sign",
        ),
        total_mistake(
            lambda reconstruction, kl: reconstruction,
            "you left out the KL: without it nothing keeps q near the prior",
        ),
        total_mistake(
            lambda reconstruction, kl: reconstruction - kl.mean(1),
            "you averaged the KL over the latents: sum over them",
        ),
        total_mistake(
            lambda reconstruction, kl: reconstruction - kl.sum(),
            "you subtracted the KL of all images together from each image",
        ),
        total_mistake(
            lambda *terms: minus_kl(*terms).mean(),
            "you averaged over the images: return one number per image",
        ),
        total_mistake(
            lambda *terms: minus_kl(*terms).sum(), "you summed over the images: return one number per image"
        ),
    ),
    told=(
        (lambda *given: elbo(*given)[:, None], "has shape (20000, 1), right is (20000,)"),
        (lambda *given: elbo(*given) + 0.5, "On average you have"),
        (lambda *given: 1.01 * elbo(*given), "On average you have"),
        (lambda *given: elbo(*given).index_fill(0, torch.tensor([7]), math.nan), "you have nan, right is"),
        (lambda x, mu, v, ll: -gaussian_kl(mu, v), "you never called log_likelihood(x, z)"),
        (wrong_elbo(draw=lambda mu, v: draw(mu, v)[:1]), "your z has the shape (1, 2)"),
        (lambda *given: elbo(*given).mean().item(), "returned a float"),
    ),
    hints=(
        "Two terms: how well z explains x, minus what z costs. The second one is exact: gaussian_kl(mu, log_var).",
        "For the first term draw one z ~ q(z|x) for each image, and call log_likelihood(x, z).",
        "z = mu + (0.5 * log_var).exp() * torch.randn_like(mu)",
    ),
    praise="One sample per image, and still right on average: every training step of a VAE computes just this.",
)


# --- the importance-weighted bound ---


def log_weights():
    # Images have log weights like the second ones: exp(-800) is 0 in every floating-point format of PyTorch.
    log_w = 2 * torch.randn(6, 4) - 3
    return [(log_w,), (log_w - 800,)]


def bound(log_w):
    return log_w.logsumexp(dim=0) - math.log(len(log_w))


def largest_first(log_w):
    largest = log_w.max(dim=0).values
    return (log_w - largest).exp().mean(dim=0).log() + largest


exercise(
    "importance_weighted",
    objective="compute the importance-weighted bound from log weights, without underflow",
    level=2,
    points=2,
    given=log_weights,
    solution=bound,
    also_right=(largest_first, lambda log_w: bound(log_w.double())),
    compare=Tensor("a tensor (B,), one number per image"),
    describe=lambda log_w: f"for log weights near {log_w.mean():.0f}",
    mistakes=(
        (
            lambda log_w: log_w.mean(0),
            "you averaged the logarithms: that is the ELBO. Take the logarithm of the average",
        ),
        (
            lambda log_w: log_w.logsumexp(0),
            "you forgot to divide by k: subtract log k, or every sample adds to the bound",
        ),
        (
            lambda log_w: log_w.logsumexp(0) + math.log(6),
            "you added log k: dividing by k means to subtract it",
        ),
        (
            lambda log_w: log_w.logsumexp(0) - 6,
            "you subtracted k: after the logarithm, dividing by k is subtracting log k",
        ),
        (
            lambda log_w: log_w.logsumexp(0) / 6,
            "you divided the logarithm by k: the division by k belongs inside it",
        ),
        (
            lambda log_w: log_w.exp().mean(0),
            "you left out the logarithm: this is the average weight itself",
        ),
        (
            lambda log_w: log_w.logsumexp(1) - math.log(4),
            "you averaged over the images: the samples are dimension 0",
        ),
        (lambda log_w: log_w.max(0).values, "you took the largest weight only"),
        (lambda log_w: bound(log_w).mean(), "you averaged over the images: return one number per image"),
        (
            lambda log_w: log_w.exp().mean(0).log(),
            "this is right for small numbers, but exp(-800) is 0, and its logarithm is -inf: use torch.logsumexp, "
            "which takes out the largest log weight first",
        ),
    ),
    told=(
        (lambda log_w: log_w.logsumexp(1), "your result has shape (6,), right is (4,)"),
        (lambda log_w: log_w.sum(0), "the shape is right, but at ["),
        (lambda log_w: 3.0, "returned a float"),
    ),
    hints=(
        "log of the mean of w, and w = log_w.exp(): but exp underflows here. Which function takes care of that?",
        "torch.logsumexp(log_w, dim=0) is log of the SUM of w. What turns a sum into a mean, after the logarithm?",
        "Dividing by k becomes subtracting math.log(k).",
    ),
    praise="The mean stands inside the logarithm: that is all that makes it tighter than the ELBO.",
)
