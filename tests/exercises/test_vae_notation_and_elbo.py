"""The classic mistakes of notebook 07's exercises, each with its own diagnosis."""

import math

import pytest
import torch
from torch.distributions import Normal

from course_utils.exercises import ExerciseNotSolved, check
from course_utils.probability import gaussian_kl, gaussian_log_density, standard_normal_log_density


def terms(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var)


def noise(mu):
    return torch.randn_like(mu)


def sample(mu, log_var):
    return mu + (0.5 * log_var).exp() * noise(mu)


def elbo(x, mu, log_var, log_likelihood):
    return log_likelihood(x, sample(mu, log_var)) - gaussian_kl(mu, log_var)


def elbo_with_a_sampled_kl(x, mu, log_var, log_likelihood):
    z = sample(mu, log_var)
    return log_likelihood(x, z) + standard_normal_log_density(z) - gaussian_log_density(z, mu, log_var)


def seeded_sample(mu, log_var):
    torch.manual_seed(3)
    return sample(mu, log_var)


KL_MISTAKES = [
    (lambda mu, v: 0.5 * (1 + v - mu**2 - v.exp()).sum(1), "your sign is flipped"),
    (lambda mu, v: 0.5 * (mu**2 + v - 1 - v.log()).sum(1), "as if it were the variance"),
    (
        lambda mu, v: 0.5 * (mu**2 + v**2 - 1 - 2 * v.abs().log()).sum(1),
        "as if it were the standard deviation",
    ),
    (lambda mu, v: 0.5 * (mu**2 + (2 * v).exp() - 1 - 2 * v).sum(1), "as if it were log sigma"),
    (lambda mu, v: 0.5 * (mu**2 + v.exp() ** 2 - 1 - v).sum(1), "you squared log_var.exp()"),
    (lambda mu, v: 0.5 * (mu**2 + (0.5 * v).exp() - 1 - v).sum(1), "where the formula has sigma ** 2"),
    (lambda mu, v: terms(mu, v).mean(1), "averaged over the latents: that is n times"),
    (lambda mu, v: terms(mu, v).sum(), "summed over the images as well"),
    (lambda mu, v: terms(mu, v).sum(1).mean(), "averaged over the images already"),
    (lambda mu, v: terms(mu, v).mean(), "averaged over everything"),
    (lambda mu, v: terms(mu, v).sum(0), "you summed over dimension 0"),
    (terms, "did not sum over the latents"),
    (lambda mu, v: 2 * terms(mu, v).sum(1), "factor 1/2 is missing"),
    (lambda mu, v: (terms(mu, v) + 0.5).sum(1), "the -1 is missing"),
    (lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 + v).sum(1), "the sign of the logarithm"),
    (lambda mu, v: 0.5 * (mu.abs() + v.exp() - 1 - v).sum(1), "the mean enters squared"),
    (lambda mu, v: 0.5 * ((1 + mu**2) / v.exp() - 1 + v).sum(1), "this is KL(p || q)"),
    (lambda mu, v: terms(mu, v).sum(1, keepdim=True), "yours is (4, 1)"),
    (lambda mu, v: terms(mu, v).sum(1) + 0.3, "the shape is right"),
    (lambda mu, v: 3.0, "returned a float"),
]
SAMPLING_MISTAKES = [
    (lambda mu, v: mu, "you returned mu"),
    (seeded_sample, "two calls gave the same sample"),
    (lambda mu, v: mu + (0.5 * v).exp() * torch.randn(1, mu.shape[1]), "same epsilon for all images"),
    (lambda mu, v: mu + (0.5 * v).exp() * torch.randn(len(mu), 1), "same epsilon for all latents"),
    (lambda mu, v: mu + v.exp() * noise(mu), "you multiplied epsilon by the variance"),
    (lambda mu, v: mu + v * noise(mu), "by log_var itself"),
    (lambda mu, v: mu + (0.5 * v).exp() * torch.rand_like(mu), "your epsilon is uniform"),
    (lambda mu, v: mu + (-0.5 * v).exp() * noise(mu), "you divided by the standard deviation"),
    (lambda mu, v: mu + noise(mu), "without multiplying it"),
    (lambda mu, v: mu + (0.25 * v).exp() * noise(mu), "the spread of your samples"),
    (lambda mu, v: 1 + sample(mu, v), "the mean of your samples"),
    (lambda mu, v: torch.normal(mu, (0.5 * v).exp()), "cut off from mu and log_var"),
    (lambda mu, v: sample(mu, v).detach(), "cut off from mu and log_var"),
    (lambda mu, v: Normal(mu, (0.5 * v).exp()).sample(), "cut off from mu and log_var"),
    (lambda mu, v: mu.detach() + (0.5 * v).exp() * noise(mu), "no gradient reaches mu"),
    (lambda mu, v: mu + (0.5 * v).exp().detach() * noise(mu), "no gradient reaches log_var"),
    (lambda mu, v: 2 * mu - mu.detach() + (0.5 * v).exp() * noise(mu), "with respect to mu must be 1"),
    (lambda mu, v: mu + (0.5 * (2 * v - v.detach())).exp() * noise(mu), "with respect to log_var must be"),
    (lambda mu, v: sample(mu, v).sum(1), "so z must have it, too"),
    (lambda mu, v: 3.0, "returned a float"),
]
ELBO_MISTAKES = [
    (lambda x, mu, v, ll: ll(x, mu) - gaussian_kl(mu, v), "you decoded z = mu"),
    (lambda x, mu, v, ll: ll(x, noise(mu)) - gaussian_kl(mu, v), "you drew z from the prior"),
    (lambda x, mu, v, ll: ll(x, mu + v.exp() * noise(mu)) - gaussian_kl(mu, v), "your z do not come from q"),
    (lambda x, mu, v, ll: ll(x, sample(mu, v)) + gaussian_kl(mu, v), "you added the KL"),
    (lambda x, mu, v, ll: -elbo(x, mu, v, ll), "this is -ELBO, the loss"),
    (lambda x, mu, v, ll: ll(x, sample(mu, v)), "you left out the KL"),
    (
        lambda x, mu, v, ll: ll(x, sample(mu, v)) - terms(mu, v).mean(1),
        "you averaged the KL over the latents",
    ),
    (lambda x, mu, v, ll: ll(x, sample(mu, v)) - gaussian_kl(mu, v).sum(), "the KL of all images together"),
    (lambda x, mu, v, ll: elbo(x, mu, v, ll).mean(), "you averaged over the images: return"),
    (lambda x, mu, v, ll: elbo(x, mu, v, ll).sum(), "you summed over the images: return"),
    (lambda x, mu, v, ll: elbo(x, mu, v, ll)[:, None], "yours is (20000, 1)"),
    (lambda x, mu, v, ll: elbo(x, mu, v, ll) + 0.5, "on average you have"),
    (lambda x, mu, v, ll: -gaussian_kl(mu, v), "you never called log_likelihood"),
    (lambda x, mu, v, ll: ll(x, sample(mu, v)[:1]), "needs one z per image"),
    (lambda x, mu, v, ll: elbo(x, mu, v, ll).mean().item(), "returned a float"),
]
BOUND_MISTAKES = [
    (lambda log_w: log_w.mean(0), "you averaged the logarithms"),
    (lambda log_w: log_w.logsumexp(0), "you forgot to divide by k"),
    (lambda log_w: log_w.logsumexp(0) + math.log(len(log_w)), "you added log k"),
    (lambda log_w: log_w.logsumexp(0) - len(log_w), "you subtracted k"),
    (lambda log_w: log_w.logsumexp(0) / len(log_w), "you divided the logarithm by k"),
    (lambda log_w: log_w.exp().mean(0), "you left out the logarithm"),
    (lambda log_w: log_w.logsumexp(1) - math.log(log_w.shape[1]), "the samples are dimension 0"),
    (lambda log_w: log_w.max(0).values, "the largest weight only"),
    (lambda log_w: (log_w.logsumexp(0) - math.log(len(log_w))).mean(), "averaged over the images: return"),
    (lambda log_w: log_w.exp().mean(0).log(), "it breaks: exp(-800) is 0"),
    (lambda log_w: log_w.logsumexp(1), "yours is (6,)"),
    (lambda log_w: log_w.sum(0), "the shape is right"),
    (lambda log_w: 3.0, "returned a float"),
]
MISTAKES = [
    *(("kl_to_prior", mistake, diagnosis) for mistake, diagnosis in KL_MISTAKES),
    *(("reparameterise", mistake, diagnosis) for mistake, diagnosis in SAMPLING_MISTAKES),
    *(("elbo_by_sampling", mistake, diagnosis) for mistake, diagnosis in ELBO_MISTAKES),
    *(("importance_weighted", mistake, diagnosis) for mistake, diagnosis in BOUND_MISTAKES),
]


@pytest.mark.parametrize(("name", "mistake", "diagnosis"), MISTAKES)
def test_each_mistake_gets_its_own_diagnosis(name, mistake, diagnosis, capsys):
    check(name, mistake)
    out = capsys.readouterr().out
    assert out.startswith(f"Not yet ({name})") and diagnosis in out, out
    others = {other for own_name, _, other in MISTAKES if own_name == name}
    assert sum(other in out for other in others) == 1


ANSWERS = [
    ("kl_to_prior", gaussian_kl),
    ("kl_to_prior", lambda mu, v: -0.5 * torch.sum(1 + v - mu.pow(2) - v.exp(), dim=1)),
    ("reparameterise", sample),
    ("reparameterise", lambda mu, v: Normal(mu, (0.5 * v).exp()).rsample()),
    ("elbo_by_sampling", elbo),
    ("elbo_by_sampling", elbo_with_a_sampled_kl),
    ("importance_weighted", lambda log_w: log_w.logsumexp(0) - math.log(len(log_w))),
    (
        "importance_weighted",
        lambda log_w: (log_w - log_w.max(0).values).exp().mean(0).log() + log_w.max(0).values,
    ),
]


@pytest.mark.parametrize(("name", "answer"), ANSWERS)
def test_right_answers_are_right_whatever_way_they_are_written(name, answer, capsys):
    check(name, answer)
    assert capsys.readouterr().out.startswith(f"Right ({name})")


@pytest.mark.parametrize("name", sorted({name for name, _ in ANSWERS}))
def test_a_stub_is_to_do_and_fails_in_strict_mode(name, capsys, monkeypatch):
    check(name, lambda *arguments: None)
    assert capsys.readouterr().out.startswith(f"To do ({name})")
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(ExerciseNotSolved):
        check(name, lambda *arguments: None)


def test_a_check_leaves_the_random_numbers_of_the_notebook_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    for name, answer in ANSWERS:
        check(name, answer)
    assert torch.equal(torch.rand(3), expected)
