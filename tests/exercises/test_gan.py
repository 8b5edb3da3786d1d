"""The classic mistakes of notebook 10's exercises, each with its own diagnosis."""

import pytest
import torch
import torch.nn.functional as F

from course_utils.exercises import check


def non_saturating(logits):
    return F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))


@torch.no_grad()
def sample(G, count):
    G.eval()
    return G(torch.randn(count, G.noise_size))


@torch.no_grad()
def in_train_mode(G, count):
    return G(torch.randn(count, G.noise_size))


@torch.no_grad()
def eval_too_late(G, count):
    G(torch.randn(count, G.noise_size))
    return sample(G, count)


@torch.no_grad()
def with_noise(G, z):
    return G.eval()(z)


RIGHT = {
    "best_logit": lambda log_p, log_q: log_p - log_q,
    "non_saturating_loss": non_saturating,
    "sample_generator": sample,
}
MISTAKES = [
    ("best_logit", lambda lp, lq: torch.sigmoid(lp - lq), "which is D(x) itself"),
    ("best_logit", lambda lp, lq: lp.exp() / (lp.exp() + lq.exp()), "which is D(x) itself"),
    ("best_logit", lambda lp, lq: lq - lp, "your sign is turned round"),
    ("best_logit", lambda lp, lq: (lp - lq).exp(), "the quotient p / q"),
    ("best_logit", lambda lp, lq: (lq - lp).exp(), "the quotient q / p"),
    ("best_logit", lambda lp, lq: lp / lq, "you divided the logarithms"),
    ("best_logit", lambda lp, lq: lp / (lp + lq), "where the densities belong"),
    ("best_logit", lambda lp, lq: lp + lq, "the logarithm of a product"),
    ("best_logit", lambda lp, lq: lp.exp() - lq.exp(), "you subtracted the densities"),
    ("best_logit", lambda lp, lq: F.logsigmoid(lp - lq), "never positive"),
    ("best_logit", lambda lp, lq: 2 * (lp - lq), "at x = 0 your logit is"),
    ("best_logit", lambda lp, lq: (lp.exp() / lq.exp()).log(), "stay with logarithms"),
    ("best_logit", lambda lp, lq: (lp - lq).mean(), "has shape (), expected (13,)"),
    ("best_logit", lambda lp, lq: 0.5, "returned a float"),
    ("non_saturating_loss", lambda a: (1 - a.sigmoid()).log().mean(), "this is the saturating loss"),
    ("non_saturating_loss", lambda a: F.softplus(a).mean(), "G would help D"),
    ("non_saturating_loss", lambda a: F.logsigmoid(a).mean(), "must fall when D is deceived"),
    ("non_saturating_loss", lambda a: F.softplus(-a).sum(), "you summed over the batch"),
    ("non_saturating_loss", lambda a: non_saturating(a.sigmoid()), "went through a sigmoid twice"),
    ("non_saturating_loss", lambda a: -a.sigmoid().mean(), "without the logarithm"),
    ("non_saturating_loss", lambda a: -a.mean(), "minus the mean logit"),
    ("non_saturating_loss", lambda a: (a.sigmoid() - 1).square().mean(), "a squared error"),
    ("non_saturating_loss", lambda a: -a.sigmoid().log().mean(), "for a logit of -200"),
    ("non_saturating_loss", lambda a: non_saturating(a.detach()), "no gradient comes through"),
    ("non_saturating_loss", lambda a: F.softplus(-a), "has shape (5,), expected ()"),
    ("non_saturating_loss", lambda a: non_saturating(a).item(), "returned a float"),
    ("non_saturating_loss", lambda a: non_saturating(2 * a), "for the logits ["),
    ("sample_generator", in_train_mode, "you forgot G.eval()"),
    ("sample_generator", eval_too_late, "you forgot G.eval()"),
    ("sample_generator", lambda G, n: G.eval()(torch.randn(n, 24)), "carry a gradient"),
    ("sample_generator", lambda G, n: with_noise(G, torch.rand(n, 24)), "torch.rand is uniform"),
    ("sample_generator", lambda G, n: with_noise(G, 3 * torch.randn(n, 24)), "a standard deviation of"),
    ("sample_generator", lambda G, n: with_noise(G, torch.randn(n, 32)), "was given (500, 32)"),
    ("sample_generator", lambda G, n: with_noise(G, torch.randn(n, 24, 1, 1)), "was given (500, 24, 1, 1)"),
    ("sample_generator", lambda G, n: with_noise(G, n), "was given int"),
    (
        "sample_generator",
        lambda G, n: with_noise(G, torch.randn(1, 24).expand(n, -1)),
        "all your noise is the same",
    ),
    ("sample_generator", lambda G, n: sample(G, 1), "you returned shape (1, 1, 28, 28)"),
    ("sample_generator", lambda G, n: 2 * sample(G, n) - 1, "your images differ from G(z)"),
    ("sample_generator", lambda G, n: torch.rand(n, 1, 28, 28), "the generator was never called"),
    ("sample_generator", lambda G, n: sample(G, n).numpy(), "returned a ndarray"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass(name, assert_told):
    assert_told(name, RIGHT[name], "Right")


@pytest.mark.parametrize("name", RIGHT)
def test_stubs_read_to_do(name, assert_told):
    assert_told(name, lambda *arguments: None, "To do")


@pytest.mark.parametrize(("name", "answer", "diagnosis"), MISTAKES)
def test_each_mistake_gets_its_own_diagnosis(name, answer, diagnosis, assert_own_diagnosis):
    assert_own_diagnosis(name, answer, diagnosis, [mistake for mistake in MISTAKES if mistake[0] == name])


def test_checking_leaves_the_random_numbers_of_the_notebook_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    check("sample_generator", sample)
    assert torch.equal(torch.rand(1), expected)
