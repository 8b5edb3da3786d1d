"""The classic mistakes of notebook 11's exercises, each with its own diagnosis."""

import pytest
import torch
import torch.nn.functional as F

from course_utils.exercises import check


def bce(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def discriminator_loss(D, x, y, fakes, y_fake):
    return bce(D(x, y), 1) + bce(D(fakes.detach(), y_fake), 0)


def ten_labels(G, z):
    K = G.num_classes
    with torch.no_grad():
        x = G.eval()(z.repeat_interleave(K, dim=0), torch.arange(K).repeat(len(z)))
    return x.view(len(z), K, 28, 28)


def ten_labels_with(noise=None, labels=None, K=7, train=False):
    """An answer that takes other noise or other labels than it should."""

    def answer(G, z):
        with torch.no_grad():
            rows = noise(z) if noise else z.repeat_interleave(K, dim=0)
            asked = labels(K, len(z)) if labels else torch.arange(K).repeat(len(z))
            return G.train(train)(rows, asked).view(len(z), K, 28, 28)

    return answer


def two_shares(G, classify, z, y):
    with torch.no_grad():
        guesses = classify(G.eval()(z, y))
    return (guesses == y).float().mean(), (guesses == y[torch.randperm(len(y))]).float().mean()


def shares_with(
    drawn=lambda y: y, control=lambda y: y.roll(1), train=False, of=lambda guesses, y: guesses == y
):
    """An answer that draws for other labels, compares with others, or forgets eval()."""

    def answer(G, classify, z, y):
        first = classify(G.train(train)(z, y))
        second = classify(G(z, drawn(y)))
        return of(first, y).float().mean().item(), of(second, control(y)).float().mean().item()

    return answer


RIGHT = {
    "conditional_discriminator_loss": discriminator_loss,
    "ten_labels_one_noise": ten_labels,
    "fidelity_and_control": two_shares,
}
ONE, TEN, TWO = RIGHT
MISTAKES = [
    (ONE, lambda D, x, y, f, y_f: bce(D(x, y_f), 1) + bce(D(f.detach(), y), 0), "the labels are swapped"),
    (
        ONE,
        lambda D, x, y, f, y_f: bce(D(x, y), 1) + bce(D(f.detach(), y), 0),
        "with the labels of the real images",
    ),
    (
        ONE,
        lambda D, x, y, f, y_f: bce(D(x, y_f), 1) + bce(D(f.detach(), y_f), 0),
        "learns to accept any label",
    ),
    (ONE, lambda D, x, y, f, y_f: bce(D(x, y), 1) + bce(D(f, y_f), 0), "its gradient reaches G"),
    (ONE, lambda D, x, y, f, y_f: bce(D(x, y), 0) + bce(D(f.detach(), y_f), 1), "the targets are swapped"),
    (ONE, lambda D, x, y, f, y_f: bce(D(x, y), 1) + bce(D(f.detach(), y_f), 1), "that is G's wish"),
    (ONE, lambda D, x, y, f, y_f: bce(D(x, y), 1), "half with the fakes is missing"),
    (ONE, lambda D, x, y, f, y_f: bce(D(f.detach(), y_f), 0), "half with the real images is missing"),
    (ONE, lambda D, x, y, f, y_f: discriminator_loss(D, x, y, f, y_f) / 2, "you halved the sum"),
    (ONE, lambda D, x, y, f, y_f: 6 * discriminator_loss(D, x, y, f, y_f), "you summed over the images"),
    (ONE, lambda D, x, y, f, y_f: discriminator_loss(D, x, y, f, y_f).detach(), "it has no gradient"),
    (ONE, lambda D, x, y, f, y_f: discriminator_loss(D, x, y, f, y_f).item(), "returned a float"),
    (ONE, lambda D, x, y, f, y_f: F.softplus(-D(x, y)) + F.softplus(D(f, y_f)), "has shape (6,)"),
    (ONE, lambda D, x, y, f, y_f: bce(D(x, y.float()), 1), "D was given labels of type"),
    (
        ONE,
        lambda D, x, y, f, y_f: bce(D(x, y).sigmoid(), 1) + bce(D(f, y_f).sigmoid(), 0),
        "for the real pairs",
    ),
    (TEN, ten_labels_with(noise=lambda z: z.repeat(7, 1)), "repeat_interleave keeps the copies"),
    (TEN, ten_labels_with(noise=lambda z: torch.randn(21, 3)), "a noise that was not in z"),
    (TEN, ten_labels_with(labels=lambda K, n: torch.zeros(K * n, dtype=torch.int64)), "count from 0 on"),
    (
        TEN,
        ten_labels_with(labels=lambda K, n: torch.arange(10)[torch.arange(K * n) % 10]),
        "use G.num_classes",
    ),
    (
        TEN,
        ten_labels_with(labels=lambda K, n: torch.arange(K).repeat(n).float()),
        "G was given labels of type",
    ),
    (
        TEN,
        ten_labels_with(labels=lambda K, n: torch.arange(K)),
        "noise of shape (21, 3) and labels of shape (7,)",
    ),
    (TEN, ten_labels_with(train=True), "you forgot G.eval()"),
    (TEN, lambda G, z: ten_labels(G, z).transpose(0, 1), "your rows are the labels"),
    (TEN, lambda G, z: ten_labels(G, z).flatten(0, 1), "21, 28, 28), expected (3, 7, 28, 28)"),
    (TEN, lambda G, z: ten_labels(G, z).numpy(), "return a tensor (N, K"),
    (
        TEN,
        lambda G, z: G.eval()(z.repeat_interleave(7, dim=0), torch.arange(7).repeat(3)).view(3, 7, 28, 28),
        "carry a gradient",
    ),
    (TWO, shares_with(train=True), "G is in training mode"),
    (TWO, shares_with(drawn=lambda y: y.roll(1)), "as high as the fidelity"),
    (TWO, lambda *a: two_shares(*a)[::-1], "in the wrong order"),
    (TWO, lambda *a: [100 * share for share in two_shares(*a)], "lie between 0 and 1"),
    (TWO, lambda *a: two_shares(*a)[0], "return two shares"),
    (TWO, lambda *a: (1 - two_shares(*a)[0], two_shares(*a)[1]), "the share of images whose class"),
    (TWO, lambda *a: (two_shares(*a)[0], 0.5), "shuffle y with torch.randperm"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass(name, assert_told):
    assert_told(name, RIGHT[name], "Right")


def test_one_pass_over_real_and_fake_together_is_right_too(capsys):
    def together(D, x, y, fakes, y_fake):
        logits = D(torch.cat([x, fakes.detach()]), torch.cat([y, y_fake]))
        return F.softplus(-logits[: len(x)]).mean() + F.softplus(logits[len(x) :]).mean()

    check(ONE, together)
    assert capsys.readouterr().out.startswith("Right")


@pytest.mark.parametrize("name", RIGHT)
def test_stubs_read_to_do(name, assert_told):
    assert_told(name, lambda *arguments: None, "To do")


@pytest.mark.parametrize(("name", "answer", "diagnosis"), MISTAKES)
def test_each_mistake_gets_its_own_diagnosis(name, answer, diagnosis, assert_own_diagnosis):
    assert_own_diagnosis(name, answer, diagnosis, MISTAKES)
