"""The ELBO laboratory: its numbers are those of `LinearGaussian`, its bars add up, and its best q is the best."""

import itertools

import numpy as np
import pytest
import torch

from course_utils.explorers.elbo_laboratory import ElboLaboratory
from course_utils.probability import LinearGaussian, gaussian_kl

MODELS = ([1.2], [1.0, 0.7], [1.2, 0.0])


def double(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def many_values():
    """For every model: every corner of the sliders, and a hundred places between them."""
    corners = itertools.product((-4.0, 4.0), *[(-3.0, 3.0)] * 2, *[(10**-1.3, 10**0.5)] * 2)
    random = np.random.default_rng(0).uniform([-4, -3, -3, 0.06, 0.06], [4, 3, 3, 3.1, 3.1], size=(100, 5))
    for w, (x, *q) in itertools.product(MODELS, [*corners, *random.tolist()]):
        n = len(w)
        yield [w, x, q[:n], q[2 : 2 + n]]


@pytest.fixture(scope="module")
def cases(in_node):
    """Model, x, means and widths, each with what the page makes of them."""
    values = list(many_values())
    return list(
        zip(
            values, in_node("elbo_laboratory", "given.map((v) => demo.measuresOf(...v))", values), strict=True
        )
    )


def test_the_models_are_the_lessons(in_node):
    sigma, *models = in_node("elbo_laboratory", "[demo.SIGMA, ...demo.MODELS.map(({ w }) => w)]", None)
    assert sigma == 0.6 and models == list(MODELS)


def test_the_measures_are_those_of_python(cases):
    for (w, x, means, widths), measures in cases:
        solved = LinearGaussian(double([w]), double([0.0]), 0.6)
        x, mu, log_var = double([[x]]), double([means]), 2 * double([widths]).log()
        expected = {
            "reconstruction": solved.expected_log_likelihood(x, mu, log_var),
            "kl": gaussian_kl(mu, log_var),
            "elbo": solved.elbo(x, mu, log_var),
            "gap": solved.kl_to_posterior(x, mu, log_var),
            "logMarginal": solved.log_marginal(x),
        }
        assert measures == pytest.approx({name: value.item() for name, value in expected.items()}, abs=1e-8)


def test_the_measures_add_up_to_log_p_x_everywhere(cases):
    for _, m in cases:
        assert m["elbo"] + m["gap"] == pytest.approx(m["logMarginal"], abs=1e-8)


@pytest.mark.parametrize("w", MODELS)
def test_the_posterior_is_that_of_python(in_node, w):
    page = in_node("elbo_laboratory", "demo.posteriorOf(...given)", [w, 2.35])
    posterior = LinearGaussian(double([w]), double([0.0]), 0.6).posterior(double([[2.35]]))
    assert np.allclose(page["mean"], posterior.loc[0], atol=1e-12)
    assert np.allclose(page["covariance"], posterior.covariance_matrix[0], atol=1e-12)
    assert np.allclose(page["precision"], posterior.precision_matrix[0], atol=1e-12)


def test_no_q_beats_the_best_one_which_closes_the_gap_unless_the_posterior_is_correlated(in_node):
    best = in_node("elbo_laboratory", "given.map((w) => demo.bestQ(w, 1.5))", MODELS)
    factors = [np.ones(4), *(np.where(np.arange(4) == i, f, 1.0) for i in range(4) for f in (0.9, 1.1))]
    for w, q in zip(MODELS, best):
        n = len(w)
        near = [[w, 1.5, list(q["means"] * f[:n]), list(q["widths"] * f[2 : 2 + n])] for f in factors]
        gap, *others = (
            m["gap"] for m in in_node("elbo_laboratory", "given.map((v) => demo.measuresOf(...v))", near)
        )
        assert min(others) >= gap - 1e-12
        assert 0.27 < gap < 0.28 if w == [1.0, 0.7] else abs(gap) < 1e-12


def test_the_saved_notebook_keeps_a_picture_whose_halves_stand_side_by_side_on_a_page_of_1280_pixels():
    still = ElboLaboratory().still
    assert 2 * still.height < still.width <= 688  # so much place is left between the contents
