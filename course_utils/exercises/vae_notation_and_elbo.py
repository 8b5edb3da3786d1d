"""Exercises of notebook 07: the gap of form C, the best baseline, an ELBO to repair, the noise behind a KL weight."""

import math

import torch
from torch.distributions import Normal, kl_divergence

from course_utils.exercises.compare import Estimate, Number, Tensor
from course_utils.exercises.engine import Mistake, exercise
from course_utils.exercises.sampling import draw, sampling_mistakes
from course_utils.exercises.spies import Spy
from course_utils.probability import (
    LinearGaussian,
    gaussian_kl,
    gaussian_kl_per_latent,
    gaussian_log_density,
    standard_normal_log_density,
)

# --- the gap of form C ---


def gap_terms(mu, var, m, v, constant=1.0):
    """KL(N(mu, var) || N(m, v)) of every latent, (B, n), written so that single terms can be wrong."""
    return 0.5 * ((v / var).log() + (var + (mu - m) ** 2) / v - constant)


def gap(mu, var, m, v):
    return gap_terms(mu, var, m, v).sum(dim=1)


def by_torch(mu, var, m, v):
    return kl_divergence(Normal(mu, var.sqrt()), Normal(m, v.sqrt())).sum(dim=1)


def two_normals():
    # Variances above 1 first, so that a second logarithm of them stays finite.
    def variances(low):
        return low + torch.rand(4, 3)

    return [(torch.randn(4, 3), variances(low), torch.randn(4, 3), variances(low)) for low in (1.2, 0.2)]


exercise(
    "gap_to_posterior",
    objective="derive the gap between the ELBO and log p(x) for normal distributions",
    level=2,
    points=3,
    given=two_normals,
    solution=gap,
    also_right=(
        by_torch,
        lambda mu, var, m, v: gap(mu.double(), var.double(), m.double(), v.double()),
    ),
    compare=Tensor("a tensor (B,), one number per image"),
    describe=lambda mu, var, m, v: f"for {len(mu)} images with {mu.shape[1]} latents",
    mistakes=(
        (
            lambda mu, var, m, v: gap(m, v, mu, var),
            "this is KL(p || q), the other direction: the average must be taken over q",
        ),
        (
            lambda mu, var, m, v: -gap(mu, var, m, v),
            "your sign is flipped: a KL is never negative, and yours is",
        ),
        (
            lambda mu, var, m, v: 2 * gap(mu, var, m, v),
            "yours is twice as large: a normal log-density has the factor 1/2 before all three terms",
        ),
        (
            lambda mu, var, m, v: gap_terms(mu, var, m, v, constant=0).sum(1),
            "the -1 is missing: under q, (z - mu)^2 / var is 1 on average. For q = p the gap must be 0",
        ),
        (
            lambda mu, var, m, v: gap_terms(mu, var, mu, v).sum(1),
            "the distance of the means is missing: under q, (z - m)^2 is var + (mu - m)^2 on average",
        ),
        (
            lambda mu, var, m, v: 0.5 * ((v / var).log() + (mu - m) ** 2 / v - 1).sum(1),
            "the spread of q is missing: under q, (z - m)^2 is var + (mu - m)^2 on average",
        ),
        (
            lambda mu, var, m, v: 0.5 * ((v / var).log() + var / v + (mu - m) ** 2 - 1).sum(1),
            "the distance of the means must be divided by the variance of p, too",
        ),
        (
            lambda mu, var, m, v: 0.5 * ((var / v).log() + (var + (mu - m) ** 2) / v - 1).sum(1),
            "the logarithm has the wrong sign: a narrow q must cost more, so it is log(v / var)",
        ),
        (
            lambda mu, var, m, v: gap(mu, var**2, m, v**2),
            "you squared the variances: var and v are variances already",
        ),
        (
            lambda mu, var, m, v: ((v / var).log() + 0.5 * (var + (mu - m) ** 2) / v - 0.5).sum(1),
            "the logarithm of the variances needs the factor 1/2, too: log of a standard deviation is half of it",
        ),
        (
            lambda mu, var, m, v: gap_terms(mu, var, m, v).mean(1),
            "you averaged over the latents: that is n times too small. Sum over them",
        ),
        (
            lambda mu, var, m, v: gap_terms(mu, var, m, v).sum(),
            "you summed over the images as well: keep one number per image",
        ),
        (
            lambda mu, var, m, v: gap(mu, var, m, v).mean(),
            "you averaged over the images: keep one number per image",
        ),
        (gap_terms, "you did not sum over the latents: one number per image is asked for"),
        (
            lambda mu, var, m, v: gaussian_kl(mu, var.log()),
            "this is the KL to the prior N(0, 1): the gap is measured against the posterior, N(m, v)",
        ),
    ),
    told=(
        (lambda mu, var, m, v: gap(mu, var, m, v)[:, None], "your result has shape (4, 1), right is (4,)"),
        (lambda mu, var, m, v: gap(mu, var, m, v) + 0.3, "the shape is right, but at ["),
        (lambda mu, var, m, v: 3.0, "returned a float"),
    ),
    hints=(
        "Form C: in form A, write p(x|z) p(z) as p(z|x) p(x). Which factor does not depend on z?",
        "log q - log p = 1/2 [log(v / var) - (z - mu)^2 / var + (z - m)^2 / v]. Take the mean of each term under q.",
        "Under q the mean of (z - mu)^2 is var, and that of (z - m)^2 is var + (mu - m)^2. Sum over dimension 1.",
    ),
    praise="That is the whole gap, if q and the posterior are both normal: zero only where they are equal.",
)


# --- the best baseline ---


def samples_of_f_and_score():
    z = torch.randn(2, 500)
    scores = z - z.mean(dim=1, keepdim=True)  # of mean 0, as the scores of very many samples have
    return [(z[0] ** 2 - 3, scores[0]), (5 + z[1] ** 3 + z[1] ** 2, 2 * scores[1])]


def best_baseline(f, score):
    return (f * score**2).mean() / (score**2).mean()


exercise(
    "best_baseline",
    objective="derive the baseline that makes the variance of the score function smallest",
    level=3,
    points=4,
    given=samples_of_f_and_score,
    solution=best_baseline,
    also_right=(
        lambda f, score: (f * score**2).sum() / (score**2).sum(),
        lambda f, score: torch.cov(torch.stack([f * score, score]))[0, 1] / score.var(),
        lambda f, score: best_baseline(f.double(), score.double()).item(),
    ),
    compare=Number("one number, the same for all samples"),
    mistakes=(
        (
            lambda f, score: f.mean(),
            "this is the mean of f, a good guess but not the best: samples with a large score add more to the variance",
        ),
        (
            lambda f, score: (f * score).mean() / (score**2).mean(),
            "one power of the score is missing in the numerator: differentiate E[(f - b)^2 score^2] once more",
        ),
        (
            lambda f, score: (f * score.abs()).mean() / score.abs().mean(),
            "you weigh the samples by |score|: the variance weighs them by its square",
        ),
        (
            lambda f, score: (f * score**2).mean(),
            "the denominator is missing: divide by the mean of score^2, so that a constant f is its own baseline",
        ),
        (
            lambda f, score: (f * score).mean(),
            "this is the gradient itself. A baseline has the unit of f, not that of f times the score",
        ),
        (lambda f, score: -best_baseline(f, score), "your sign is flipped: b is subtracted from f"),
        (
            lambda f, score: 2 * best_baseline(f, score),
            "yours is twice as large: the factor 2 of the derivative stands before both terms",
        ),
    ),
    told=(
        (lambda f, score: f * score**2 / (score**2).mean(), "return one number, the same for all samples"),
        (lambda f, score: best_baseline(f, score) + 0.1, "right is"),
    ),
    hints=(
        "First show E[score] = 0: the integral of q is 1 for every mu. So the mean of (f - b) score does not change.",
        "Its variance is therefore E[(f - b)^2 score^2] minus a number without b. Where is its derivative 0?",
        "-2 E[(f - b) score^2] = 0, an equation that is linear in b. Write each E as .mean().",
    ),
    praise="A weighted mean of f, with the squares of the scores as weights, beats the plain mean.",
)


# --- an ELBO to repair ---

IMAGES = 20_000


def images_and_q():
    model = LinearGaussian(torch.tensor([[0.8, -0.5], [0.3, 0.9], [-0.7, 0.4]]), torch.zeros(3), sigma=0.8)
    x, mu, log_var = (
        torch.tensor(row).repeat(IMAGES, 1) for row in ([0.9, -0.4, 0.7], [0.7, -0.3], [-0.5, -0.2])
    )
    mu.requires_grad_(), log_var.requires_grad_()
    takes = {"x": (IMAGES, 3), "z": (IMAGES, 2)}
    return [(x, mu, log_var, Spy("log_likelihood", model.log_likelihood, takes))]


def minus_kl(reconstruction, kl):
    return reconstruction - kl.sum(dim=1)


def elbo(x, mu, log_var, log_likelihood, draw=draw, total=minus_kl):
    """`draw` and `total` (of the reconstruction (B,) and the KL of each latent (B, n)) may hold a mistake."""
    return total(log_likelihood(x, draw(mu, log_var)), gaussian_kl_per_latent(mu, log_var))


def wrong_elbo(**part):
    return lambda *given: elbo(*given, **part)


def total_of(call, total=minus_kl):
    """`total` of the samples that the answer drew: several are averaged."""
    _, mu, log_var, log_likelihood = call.arguments
    return total(torch.stack(log_likelihood.results).mean(dim=0), gaussian_kl_per_latent(mu, log_var))


def total_mistake(total, sentence):
    return Mistake(wrong_elbo(total=total), sentence, gives=lambda call: total_of(call, total))


def drawn(call):
    _, mu, log_var, log_likelihood = call.arguments
    (_, z), _ = log_likelihood.last
    return z, mu, log_var


def with_a_cut_likelihood(x, mu, log_var, log_likelihood):
    z = draw(mu, log_var)
    with torch.no_grad():
        reconstruction = log_likelihood(x, z)
    return reconstruction - gaussian_kl(mu, log_var)


def likelihood_is_cut(call):
    """Whether the numbers are right and carry a gradient, none of which has come through log_likelihood."""
    live = [one for one in call.arguments[3].results if one.requires_grad]
    if not call.right or not call.result.requires_grad:
        return False
    if not live:
        return True
    through = torch.autograd.grad(call.result.sum(), live, retain_graph=True, materialize_grads=True)
    return not any(gradient.any() for gradient in through)


def kl_is_cut(call):
    """Whether the numbers are right, but mu or log_var has no gradient except through log_likelihood."""
    _, mu, log_var, log_likelihood = call.arguments
    live = [one for one in log_likelihood.results if one.requires_grad]
    if not call.right or not call.result.requires_grad or not live:
        return False
    keep = {"retain_graph": True, "materialize_grads": True}
    through = torch.autograd.grad(call.result.sum(), live, **keep)
    of_likelihood = torch.autograd.grad(live, (mu, log_var), through, **keep)
    of_all = torch.autograd.grad(call.result.sum(), (mu, log_var), **keep)
    return any(map(torch.allclose, of_all, of_likelihood))


def with_a_sampled_kl(x, mu, log_var, log_likelihood):
    z = draw(mu, log_var)
    return log_likelihood(x, z) + standard_normal_log_density(z) - gaussian_log_density(z, mu, log_var)


exercise(
    "elbo_by_sampling",
    objective="find what is wrong with an estimate of the ELBO, and repair it",
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
    compare=Estimate("a tensor (B,), one number per image", gradient=True),
    expected=total_of,
    mistakes=(
        *sampling_mistakes(
            lambda draw: wrong_elbo(draw=draw),
            drawn,
            "you decoded z = mu. That is not an ELBO: the expectation is over samples of q, and leaving out their "
            "spread usually makes the result too good: it may even exceed log p(x)",
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
        *(
            Mistake(
                answer,
                "no gradient comes through log_likelihood, so the encoder learns from the KL alone, and mu and log_var "
                "go to 0: leave out detach and no_grad",
                likelihood_is_cut,
            )
            for answer in (
                wrong_elbo(total=lambda reconstruction, kl: minus_kl(reconstruction.detach(), kl)),
                with_a_cut_likelihood,
            )
        ),
        Mistake(
            wrong_elbo(total=lambda reconstruction, kl: minus_kl(reconstruction, kl.detach())),
            "the KL is subtracted, but passes on no gradient, so nothing keeps q near the prior in training: leave out "
            "detach and no_grad",
            kl_is_cut,
        ),
    ),
    told=(
        (lambda *given: elbo(*given)[:, None], "has shape (20000, 1), right is (20000,)"),
        (lambda *given: elbo(*given).detach(), "carries no gradient"),
        (lambda *given: elbo(*given) + 0.5, "On average you have"),
        (lambda *given: 1.01 * elbo(*given), "On average you have"),
        (lambda *given: elbo(*given).index_fill(0, torch.tensor([7]), math.nan), "you have nan, right is"),
        (lambda x, mu, v, ll: -gaussian_kl(mu, v), "you never called log_likelihood(x, z)"),
        (wrong_elbo(draw=lambda mu, v: draw(mu, v)[:1]), "your z has the shape (1, 2)"),
        (lambda *given: elbo(*given).mean().item(), "returned a float"),
    ),
    hints=(
        "The second symptom: what does Normal take as its second argument, and what is log_var.exp()?",
        "The first symptom: which of sample and rsample lets a gradient through?",
        "The third symptom: independent latents add up, so what belongs in place of mean(dim=1)?",
    ),
    praise="One sample per image, and still right on average: every training step of a VAE computes just this.",
)


# --- the noise behind a KL weight ---


def noise_of_kl_weight(weight, pixels):
    return math.sqrt(weight * pixels / 2)


exercise(
    "noise_of_kl_weight",
    objective="tell which normal likelihood a weight of the KL stands for",
    level=2,
    points=2,
    given=lambda: [(0.00025, 64 * 64 * 3), (0.01, 784)],
    solution=noise_of_kl_weight,
    also_right=(
        lambda weight, pixels: (0.5 * weight * pixels) ** 0.5,
        lambda weight, pixels: torch.tensor(weight * pixels / 2).sqrt(),
    ),
    compare=Number("one number, a standard deviation"),
    describe=lambda weight, pixels: f"for the weight {weight:g} and {pixels:,} pixels",
    mistakes=(
        (
            lambda weight, pixels: weight * pixels / 2,
            "this is sigma^2: take its square root, since the standard deviation is asked for",
        ),
        (
            lambda weight, pixels: math.sqrt(weight * pixels),
            "a factor 2 is missing: -log N holds the squared error divided by 2 sigma^2",
        ),
        (
            lambda weight, pixels: math.sqrt(2 * weight * pixels),
            "the factor 2 is on the wrong side: 2 sigma^2 is the weight times the pixels",
        ),
        (
            lambda weight, pixels: math.sqrt(weight / 2),
            "the pixels are missing: the loss averages the squared error over them, the ELBO sums it",
        ),
        (
            lambda weight, pixels: math.sqrt(weight / (2 * pixels)),
            "the pixels are on the wrong side: the mean squared error is the sum divided by their number",
        ),
        (
            lambda weight, pixels: 1 / math.sqrt(2 * weight * pixels),
            "the weight is on the wrong side: a small weight of the KL stands for little noise",
        ),
        (lambda weight, pixels: weight * pixels, "this is 2 sigma^2, and sigma is asked for"),
    ),
    told=((lambda weight, pixels: "0.3", "returned a str"), (lambda weight, pixels: 1.0, "right is")),
    hints=(
        "Divide the loss by the weight, so that the KL stands alone, as it does in minus the ELBO.",
        "The squared error, summed over the pixels, is then divided by weight * pixels.",
        "For a normal likelihood, minus the ELBO divides it by 2 sigma^2. Set the two equal.",
    ),
    praise="So a small weight is no bug by itself: it is a claim about the noise of the pixels.",
)
