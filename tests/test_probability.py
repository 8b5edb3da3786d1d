"""What the course's VAEs rest on: closed form = torch.distributions = Monte Carlo = exact model."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Independent, MultivariateNormal, Normal, kl_divergence

from course_utils.probability import (
    LinearGaussian,
    bernoulli_log_likelihood,
    elbo,
    gaussian_kl,
    gaussian_kl_per_latent,
    gaussian_log_density,
    grey_cross_entropy,
    importance_weighted_bound,
    reparameterise,
    standard_normal_log_density,
)

DOUBLE = torch.float64


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def some_q(images: int = 5, latents: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(images, latents, dtype=DOUBLE), 0.8 * torch.randn(images, latents, dtype=DOUBLE) - 0.5


def as_distribution(mu, log_var):
    return Independent(Normal(mu, (0.5 * log_var).exp()), 1)


def some_model(D: int = 4, n: int = 3, sigma: float = 0.7) -> LinearGaussian:
    return LinearGaussian(torch.randn(D, n, dtype=DOUBLE), torch.randn(D, dtype=DOUBLE), sigma)


def assert_within_four_standard_errors(samples: torch.Tensor, expected: torch.Tensor) -> None:
    """Each column mean of `samples` (S, B) is within 4 standard errors of `expected` (B,)."""
    error = samples.std(dim=0) / math.sqrt(len(samples))
    assert ((samples.mean(dim=0) - expected).abs() <= 4 * error).all()
    # An error bar that is wide compared with the value would let everything pass.
    assert (error < 0.02 * (1 + expected.abs())).all()


# --- Gaussians ---


def test_the_closed_form_of_the_kl_is_that_of_torch_distributions():
    mu, log_var = some_q()
    standard = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    expected = kl_divergence(as_distribution(mu, log_var), standard)
    assert gaussian_kl(mu, log_var).shape == (5,)
    assert torch.allclose(gaussian_kl(mu, log_var), expected, rtol=0, atol=1e-12)
    assert torch.allclose(gaussian_kl_per_latent(mu, log_var).sum(dim=1), expected, rtol=0, atol=1e-12)


def test_the_closed_form_of_the_kl_is_its_monte_carlo_estimate():
    mu, log_var = some_q(images=3)
    z = as_distribution(mu, log_var).sample((100_000,))  # (S, B, n)
    log_q = as_distribution(mu, log_var).log_prob(z)
    log_p = as_distribution(torch.zeros_like(mu), torch.zeros_like(mu)).log_prob(z)
    assert_within_four_standard_errors(log_q - log_p, gaussian_kl(mu, log_var))


def test_the_kl_is_zero_at_the_prior_only_and_positive_elsewhere():
    zero = torch.zeros(1, 2, dtype=DOUBLE)
    assert gaussian_kl(zero, zero).item() == 0
    for step in (-1e-3, 1e-3):
        assert gaussian_kl(zero + step, zero).item() > 0 and gaussian_kl(zero, zero + step).item() > 0


def test_the_kl_of_a_nearly_unused_latent_keeps_its_digits_in_single_precision():
    log_var = torch.full((1, 1), 1e-3)
    # 1/2 (exp(v) - 1 - v) = v^2 / 4 + v^3 / 12 + ...; with exp(v) - 1 in floats it would be 20 % off.
    assert gaussian_kl(torch.zeros(1, 1), log_var).item() == pytest.approx(1e-6 / 4 + 1e-9 / 12, rel=1e-3)


def test_log_densities_are_those_of_torch_distributions():
    mu, log_var = some_q()
    z = torch.randn_like(mu)
    expected = as_distribution(mu, log_var).log_prob(z)
    assert torch.allclose(gaussian_log_density(z, mu, log_var), expected, rtol=0, atol=1e-12)
    expected = as_distribution(torch.zeros_like(mu), torch.zeros_like(mu)).log_prob(z)
    assert torch.allclose(standard_normal_log_density(z), expected, rtol=0, atol=1e-12)


def test_reparameterised_samples_have_the_mean_and_the_variance_asked_for():
    mu, log_var = (row.expand(200_000, 3) for row in some_q(images=1))
    z = reparameterise(mu, log_var)
    assert_within_four_standard_errors(z, mu[0])
    assert torch.allclose(z.var(dim=0), log_var[0].exp(), rtol=4 * math.sqrt(2 / 200_000))


def test_gradients_agree_with_finite_differences():
    mu, log_var = (tensor.requires_grad_() for tensor in some_q())
    logits = torch.randn(5, 7, dtype=DOUBLE, requires_grad=True)
    x = torch.bernoulli(torch.rand(5, 7, dtype=DOUBLE))
    decoder = torch.randn(3, 7, dtype=DOUBLE)

    def elbo_with_fixed_noise(mu, log_var):
        torch.manual_seed(1)
        return elbo(x, mu, log_var, lambda x, z: bernoulli_log_likelihood(z @ decoder, x))

    assert torch.autograd.gradcheck(gaussian_kl, (mu, log_var))
    assert torch.autograd.gradcheck(lambda logits: bernoulli_log_likelihood(logits, x), (logits,))
    assert torch.autograd.gradcheck(lambda logits: grey_cross_entropy(logits, 0.3 + 0.4 * x), (logits,))
    assert torch.autograd.gradcheck(elbo_with_fixed_noise, (mu, log_var))


# --- pixels ---


def test_the_bernoulli_log_likelihood_is_that_of_torch_distributions():
    logits = 3 * torch.randn(4, 1, 5, 6, dtype=DOUBLE)
    x = torch.bernoulli(torch.rand(4, 1, 5, 6, dtype=DOUBLE))
    expected = Bernoulli(logits=logits).log_prob(x).sum(dim=(1, 2, 3))
    result = bernoulli_log_likelihood(logits, x)
    assert result.shape == (4,) and torch.allclose(result, expected, rtol=0, atol=1e-12)


def test_the_probabilities_of_all_binary_images_add_up_to_one():
    images = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=DOUBLE)] * 4)  # (16, 4)
    logits = torch.randn(1, 4, dtype=DOUBLE).expand(16, 4)
    assert bernoulli_log_likelihood(logits, images).exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_the_log_likelihood_stays_finite_for_extreme_logits():
    logits = torch.tensor([[200.0, -200.0]])
    assert bernoulli_log_likelihood(logits, torch.tensor([[1.0, 0.0]])).item() == pytest.approx(0, abs=1e-6)
    assert bernoulli_log_likelihood(logits, torch.tensor([[0.0, 1.0]])).item() == pytest.approx(-400)


def test_the_minimum_of_the_cross_entropy_on_grey_pixels_is_their_entropy():
    x = 0.02 + 0.96 * torch.rand(3, 50, dtype=DOUBLE)
    entropy = Bernoulli(probs=x).entropy().sum(dim=1)
    assert torch.allclose(grey_cross_entropy(x.logit(), x), entropy, rtol=0, atol=1e-10)
    for step in (-0.1, 0.1):
        assert (grey_cross_entropy(x.logit() + step, x) > entropy).all()


def test_on_binary_pixels_the_cross_entropy_is_minus_the_log_likelihood():
    logits, x = torch.randn(3, 8), torch.bernoulli(torch.rand(3, 8))
    assert torch.equal(grey_cross_entropy(logits, x), -bernoulli_log_likelihood(logits, x))


# --- the exactly solvable model ---


def test_samples_of_the_model_have_the_moments_of_its_marginal():
    model = some_model(D=2, n=3)
    z, x = model.sample(200_000)
    assert z.shape == (200_000, 3) and x.shape == (200_000, 2)
    assert_within_four_standard_errors(x, model.b)
    deviations = x - model.b
    products = torch.stack([deviations[:, 0] ** 2, deviations[:, 1] ** 2, deviations.prod(dim=1)], dim=1)
    C = model.W @ model.W.T + 0.49 * torch.eye(2, dtype=DOUBLE)
    assert_within_four_standard_errors(products, torch.stack([C[0, 0], C[1, 1], C[0, 1]]))


def test_log_likelihood_and_log_marginal_are_those_of_torch_distributions():
    model = some_model()
    z, x = model.sample(6)
    noise = as_distribution(z @ model.W.T + model.b, torch.full((6, 4), math.log(0.49), dtype=DOUBLE))
    assert torch.allclose(model.log_likelihood(x, z), noise.log_prob(x), rtol=0, atol=1e-10)
    covariance = model.W @ model.W.T + 0.49 * torch.eye(4, dtype=DOUBLE)
    expected = MultivariateNormal(model.b, covariance).log_prob(x)
    assert torch.allclose(model.log_marginal(x), expected, rtol=0, atol=1e-10)


def test_the_marginal_is_the_integral_of_prior_times_likelihood():
    model = some_model(D=1, n=1)
    grid = torch.linspace(-12, 12, 20_001, dtype=DOUBLE)[:, None]
    _, x = model.sample(1)
    joint = standard_normal_log_density(grid) + model.log_likelihood(x.expand(len(grid), 1), grid)
    integral = joint.exp().sum() * (grid[1] - grid[0])
    assert integral.log().item() == pytest.approx(model.log_marginal(x).item(), abs=1e-8)


def test_bayes_rule_holds_for_prior_likelihood_posterior_and_marginal():
    model = some_model()
    z, x = model.sample(6)
    left = standard_normal_log_density(z) + model.log_likelihood(x, z)
    right = model.posterior(x).log_prob(z) + model.log_marginal(x)
    assert torch.allclose(left, right, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("D", "n"), [(1, 1), (4, 3), (2, 5), (50, 10)])
def test_the_gap_between_elbo_and_log_p_x_is_the_kl_to_the_posterior(D, n):
    model = some_model(D, n)
    _, x = model.sample(20)
    mu, log_var = some_q(20, n)
    gap = model.kl_to_posterior(x, mu, log_var)
    assert (gap > 0.01).all()
    assert torch.allclose(model.elbo(x, mu, log_var) + gap, model.log_marginal(x), rtol=1e-12, atol=1e-9)


def test_the_kl_to_the_posterior_is_that_of_torch_distributions():
    model = some_model()
    _, x = model.sample(6)
    mu, log_var = some_q(6)
    q = MultivariateNormal(mu, torch.diag_embed(log_var.exp()))
    expected = kl_divergence(q, model.posterior(x))
    assert torch.allclose(model.kl_to_posterior(x, mu, log_var), expected, rtol=0, atol=1e-9)


def test_the_gap_closes_at_the_posterior():
    model = some_model(D=3, n=1)
    _, x = model.sample(4)
    posterior = model.posterior(x)
    log_var = posterior.variance.log()
    assert model.kl_to_posterior(x, posterior.loc, log_var).abs().max() < 1e-10
    assert torch.allclose(model.elbo(x, posterior.loc, log_var), model.log_marginal(x), rtol=0, atol=1e-10)


def test_the_elbo_by_sampling_is_the_exact_one():
    model = some_model()
    _, x = model.sample(1)
    mu, log_var = some_q(1)
    S = 100_000
    samples = elbo(x.expand(S, 4), mu.expand(S, 3), log_var.expand(S, 3), model.log_likelihood)
    assert_within_four_standard_errors(samples[:, None], model.elbo(x, mu, log_var))


def test_the_expected_log_likelihood_is_its_monte_carlo_estimate():
    model = some_model()
    _, x = model.sample(1)
    mu, log_var = some_q(1)
    z = reparameterise(mu.expand(100_000, 3), log_var.expand(100_000, 3))
    samples = model.log_likelihood(x.expand(100_000, 4), z)
    assert_within_four_standard_errors(samples[:, None], model.expected_log_likelihood(x, mu, log_var))


# --- the importance-weighted bound ---


def mediocre_q(model: LinearGaussian, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Shifted and wider than the posterior: a gap that matters, and weights whose variance is finite."""
    posterior = model.posterior(x)
    mu = posterior.loc + 0.7 * posterior.stddev
    return mu, (2.0 * posterior.variance).log()


def test_the_bounds_are_ordered_and_tend_to_log_p_x():
    model = some_model(D=3, n=2)
    _, x = model.sample(1)
    mu, log_var = mediocre_q(model, x)
    repeats = 4000
    rows = [tensor.expand(repeats, -1) for tensor in (x, mu, log_var)]
    ordered = [(model.elbo(x, mu, log_var).item(), 0.0)]
    for k in (1, 3, 10, 30):
        bounds = importance_weighted_bound(*rows, model.log_likelihood, k)
        ordered.append((bounds.mean().item(), bounds.std().item() / math.sqrt(repeats)))
    ordered.append((model.log_marginal(x).item(), 0.0))
    (elbo_value, _), (one_sample, its_error), *_ = ordered
    # k = 1 is the ELBO, with its KL estimated: the same expectation.
    assert abs(one_sample - elbo_value) <= 4 * its_error
    for (lower, lower_error), (higher, higher_error) in itertools.pairwise(ordered[1:]):
        assert higher - lower > 4 * math.hypot(lower_error, higher_error)
    assert ordered[-1][0] - ordered[-2][0] < 0.05


def test_a_perfect_q_makes_every_sample_give_log_p_x():
    model = some_model(D=3, n=1)
    _, x = model.sample(5)
    posterior = model.posterior(x)
    for k in (1, 7):
        bound = importance_weighted_bound(x, posterior.loc, posterior.variance.log(), model.log_likelihood, k)
        assert torch.allclose(bound, model.log_marginal(x), rtol=0, atol=1e-9)


@pytest.mark.parametrize("rows_at_once", [1, 4, 7, 64, 1000])
def test_in_parts_the_bound_is_that_of_all_weights_at_once(rows_at_once):
    model = some_model()
    _, x = model.sample(6)
    mu, log_var = some_q(6)
    seen = []

    def log_likelihood(x, z):
        assert len(z) <= rows_at_once
        seen.append((x, z))
        return model.log_likelihood(x, z)

    bound = importance_weighted_bound(x, mu, log_var, log_likelihood, k=9, rows_at_once=rows_at_once)
    all_x, all_z = (torch.cat(tensors) for tensors in zip(*seen, strict=True))
    assert len(all_z) == 6 * 9
    for i in range(6):
        z = all_z[(all_x == x[i]).all(dim=1)]
        rows = [tensor[i].expand(9, -1) for tensor in (x, mu, log_var)]
        log_w = model.log_likelihood(rows[0], z) + standard_normal_log_density(z)
        log_w = log_w - gaussian_log_density(z, *rows[1:])
        assert bound[i].item() == pytest.approx((log_w.logsumexp(dim=0) - math.log(9)).item(), abs=1e-9)


def test_the_bound_survives_weights_that_no_float_can_hold():
    x, mu = torch.zeros(3, 2), torch.zeros(3, 4)
    for shift in (-5000.0, 5000.0):
        bound = importance_weighted_bound(
            x, mu, mu, lambda x, z, shift=shift: torch.full((len(z),), shift), 50
        )
        assert torch.allclose(bound, torch.full((3,), shift))


def test_a_condition_travels_with_its_image_and_a_prior_may_depend_on_it():
    centre = torch.tensor([[-4.0], [0.0], [4.0]], dtype=DOUBLE)
    y = torch.tensor([2, 0, 1, 1, 0])
    model = LinearGaussian(torch.ones(1, 1, dtype=DOUBLE), torch.zeros(1, dtype=DOUBLE), 0.5)
    # With the prior N(c_y, 1) and x = z + noise, shifting x and z by c_y gives the model with the prior N(0,
    # 1).
    shifted = torch.randn(5, 1, dtype=DOUBLE)
    x = shifted + centre[y]
    posterior = model.posterior(shifted)
    bound = importance_weighted_bound(
        x,
        posterior.loc + centre[y],
        posterior.variance.log(),
        lambda x, z, y: model.log_likelihood(x - centre[y], z - centre[y]),
        k=3,
        condition=y,
        log_prior=lambda z, y: standard_normal_log_density(z - centre[y]),
        rows_at_once=2,
    )
    assert torch.allclose(bound, model.log_marginal(shifted), rtol=0, atol=1e-9)


def test_a_condition_alone_leaves_the_prior_standard_normal():
    offset = torch.tensor([3.0, -2.0, 0.5], dtype=DOUBLE)[:, None]
    model = some_model(D=2, n=1)
    _, x = model.sample(3)
    posterior = model.posterior(x)
    bound = importance_weighted_bound(
        x + offset,
        posterior.loc,
        posterior.variance.log(),
        lambda x, z, offset: model.log_likelihood(x - offset, z),
        k=4,
        condition=offset,
    )
    assert torch.allclose(bound, model.log_marginal(x), rtol=0, atol=1e-9)


def test_the_bound_keeps_its_digits_where_q_is_very_narrow():
    S = 20_000
    x, mu, log_var = torch.zeros(S, 1), torch.full((S, 1), 100.0), torch.full((S, 1), -40.0)
    bound = importance_weighted_bound(x, mu, log_var, lambda x, z: torch.zeros(len(z)), k=1)
    # log w = log N(100; 0, 1) - log q(z) = -5000 - 20 + epsilon^2 / 2, and epsilon^2 has the mean 1.
    assert_within_four_standard_errors(bound[:, None].double(), torch.tensor([-5019.5], dtype=DOUBLE))


def test_it_is_for_measuring_and_carries_no_gradients():
    mu = torch.zeros(2, 3, requires_grad=True)
    assert not importance_weighted_bound(
        torch.zeros(2, 1), mu, mu, lambda x, z: z.sum(dim=1), 4
    ).requires_grad


# --- what is refused ---

GREY = torch.tensor([[0.0, 0.37, 1.0]])
X, MU = torch.zeros(2, 3), torch.zeros(2, 4)
MODEL = LinearGaussian(torch.ones(3, 4), torch.zeros(3), 1.0)


def bound_of(k=3, x=X, mu=MU, log_var=MU, log_likelihood=MODEL.log_likelihood, **keywords):
    return importance_weighted_bound(x, mu, log_var, log_likelihood, k, **keywords)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: bernoulli_log_likelihood(GREY, GREY),
            r"x must be 0 or 1 in every pixel.*0\.37.*torch\.bernoulli",
        ),
        (lambda: bernoulli_log_likelihood(GREY, 2 * GREY.round()), "x must be 0 or 1 .* got a pixel of 2"),
        (lambda: bernoulli_log_likelihood(GREY, GREY * math.nan), "x must be 0 or 1 .* got a pixel of nan"),
        (
            lambda: bernoulli_log_likelihood(GREY, 255 * GREY.round()),
            r"x must be 0 or 1 .* got a pixel of 255: bring the pixels into \[0, 1\] first",
        ),
        (lambda: grey_cross_entropy(GREY, 255 * GREY), r"x must lie in \[0, 1\]; got pixels from 0 to 255"),
        (lambda: grey_cross_entropy(GREY, GREY * math.nan), r"x must lie in \[0, 1\]"),
        (lambda: grey_cross_entropy(GREY, GREY + 2**-23), r"got pixels from 1\.19209\d+e-07 to 1\.00000012"),
        (lambda: bernoulli_log_likelihood(X, X + 1 + 2**-23), r"got a pixel of 1\.00000012"),
        (
            lambda: bernoulli_log_likelihood(X, X.unsqueeze(1)),
            r"logits and x .* got \(2, 3\) and \(2, 1, 3\)",
        ),
        (lambda: bernoulli_log_likelihood(X, X.byte()), "x must be floating point; got torch.uint8"),
        (lambda: gaussian_kl(MU, MU[:1]), r"log_var must have the shape of mu, \(2, 4\); got \(1, 4\)"),
        (lambda: gaussian_kl(MU[0], MU[0]), r"mu must be \(B, n\).*got shape \(4,\)"),
        (lambda: reparameterise(MU, MU[:, :1]), r"log_var must have the shape of mu"),
        (lambda: gaussian_log_density(MU[:1], MU, MU), r"z must have the shape of mu"),
        (
            lambda: elbo(X[:1], MU, MU, MODEL.log_likelihood),
            "x must have one image per row of mu.*got 1 and 2",
        ),
        (lambda: elbo(X, MU, MU, lambda x, z: x), r"log_likelihood must return .* \(2,\); got \(2, 3\)"),
        (lambda: elbo(X, MU, MU, lambda x, z: x.sum()), r"log_likelihood must return .* got \(\)"),
        (lambda: bound_of(k=0), "k must be a whole number, at least 1; got 0"),
        (lambda: bound_of(k=2.5), r"k must be a whole number, .* got 2.5"),
        (lambda: bound_of(k=True), r"k must be a whole number, .* got True"),
        (lambda: bound_of(rows_at_once=0), "rows_at_once must be a whole number, at least 1; got 0"),
        (
            lambda: bound_of(x=X[:0], mu=MU[:0], log_var=MU[:0]),
            "x must have one image .* at least one; got 0",
        ),
        (lambda: bound_of(log_likelihood=lambda x, z: x), r"log_likelihood must return .* \(6,\)"),
        (
            lambda: bound_of(log_prior=lambda z: z.sum()),
            r"log_prior must return .* \(6,\); got \(\): sum over the latents",
        ),
        (
            lambda: bound_of(log_prior=lambda z: z.sum(dim=1, keepdim=True)),
            r"log_prior must .* got \(6, 1\)",
        ),
        (lambda: bound_of(condition=torch.zeros(5)), "condition must have one row per image; got 5 for 2"),
        (lambda: LinearGaussian(torch.ones(3, 4), torch.zeros(4), 1.0), r"W must be \(D, n\) and b \(D,\)"),
        (lambda: LinearGaussian(torch.ones(3, 4), torch.zeros(3), 0), "sigma must be .* above 0; got 0"),
        (
            lambda: LinearGaussian(torch.ones(3, 4), torch.zeros(3), math.inf),
            "sigma must be .* above 0; got inf",
        ),
        (
            lambda: LinearGaussian(torch.ones(3, 4).long(), torch.zeros(3).long(), 1.0),
            r"W and b must be of one floating type; got torch\.int64 and torch\.int64",
        ),
        (
            lambda: LinearGaussian(torch.ones(3, 4), torch.zeros(3).double(), 1.0),
            r"of one floating type; got torch\.float32 and torch\.float64",
        ),
        (lambda: MODEL.sample(2.0), "count must be a whole number, at least 1; got 2.0"),
        (lambda: MODEL.log_marginal(torch.zeros(2, 4)), r"x must be \(B, 3\) for this W; got \(2, 4\)"),
        (lambda: MODEL.elbo(X, MU[:1], MU), r"mu must be \(2, 4\), one row per row of x; got \(1, 4\)"),
        (lambda: MODEL.log_likelihood(X, MU[:, :2]), r"z must be \(2, 4\)"),
        (
            lambda: MODEL.log_marginal(X.double()),
            r"x must be of the type of W, torch\.float32; got torch\.float64",
        ),
        (lambda: MODEL.elbo(X, MU, MU.double()), r"log_var must be of the type of W"),
    ],
)
def test_bad_input_gets_one_clear_sentence(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_counts_may_be_numbers_of_numpy():
    assert bound_of(k=np.int64(2), rows_at_once=np.int32(3)).shape == (2,)
    assert [tuple(part.shape) for part in MODEL.sample(np.int64(2))] == [(2, 4), (2, 3)]
