"""Each classic mistake in the exercises of notebook 03 gets its own diagnosis."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from course_utils.exercises import check
from course_utils.exercises.autoencoder_mlp import ENCODER_SIZES


def said_about(name, answer, capsys) -> str:
    check(name, answer)
    return capsys.readouterr().out


def encoder_of(*sizes, last=(), flatten=True, activation=nn.ReLU):
    layers = [nn.Flatten()] if flatten else []
    for into, out in pairwise(sizes):
        layers += [nn.Linear(into, out), activation()]
    return nn.Sequential(*layers[:-1], *last)


def right_encoder(code_size):
    return encoder_of(*ENCODER_SIZES, code_size)


def right_loss(x, x_hat):
    return (x - x_hat).square().sum(dim=(1, 2, 3)).mean()


def right_rows(x, mean, W):
    return (x - mean) @ W.T @ W + mean


def right_size(sizes, train_errors, held_out_errors, limit):
    return min(n for n, error in zip(sizes, held_out_errors) if error <= limit)


def detached_loss(x, x_hat):
    return right_loss(x, x_hat).detach()


RIGHT = [
    ("build_encoder", right_encoder),
    ("reconstruction_loss", right_loss),
    ("reconstruction_loss", lambda x, x_hat: nn.functional.mse_loss(x_hat, x, reduction="sum") / len(x)),
    ("reconstruct_rows", right_rows),
    ("smallest_code", right_size),
]

# (exercise, a wrong answer, what only its own diagnosis says)
WRONG = [
    ("build_encoder", lambda n: encoder_of(784, 256, 64, n + 1), "off by one"),
    ("build_encoder", lambda n: encoder_of(784, 256, 64, n - 1), "off by one"),
    (
        "build_encoder",
        lambda n: encoder_of(784, 128, 64, n),
        "should go 784, 256, 64, 5; yours go 784 to 128",
    ),
    ("build_encoder", lambda n: nn.Sequential(nn.Flatten()), "yours go nowhere"),
    ("build_encoder", lambda n: encoder_of(n, 64, 256, 784), "that is a decoder"),
    (
        "build_encoder",
        lambda n: encoder_of(784, 256, 64),
        "code_size=5 numbers; your last linear layer gives 64",
    ),
    (
        "build_encoder",
        lambda n: nn.Sequential(nn.Linear(784, 256), nn.Linear(64, n)),
        "gives 256 numbers and the next one takes 64",
    ),
    ("build_encoder", lambda n: encoder_of(784, 256, 64, n, last=[nn.ReLU()]), "ReLU after the code"),
    (
        "build_encoder",
        lambda n: encoder_of(784, 256, 64, n, activation=nn.Identity),
        "after each of the two hidden",
    ),
    ("build_encoder", lambda n: encoder_of(784, 256, 64, n, flatten=False), "do you flatten them first"),
    (
        "build_encoder",
        lambda n: encoder_of(784, 256, 64, n, last=[nn.Unflatten(1, (1, n))]),
        r"of shape (6, 5); you get (6, 1, 5)",
    ),
    (
        "build_encoder",
        lambda n: [784, 256, 64, n],
        "return the network, an nn.Sequential; you returned a list",
    ),
    ("reconstruction_loss", lambda x, x_hat: (x - x_hat).square().mean(), "784 times too small"),
    ("reconstruction_loss", lambda x, x_hat: (x - x_hat).square().sum(), "6 times too large for 6 images"),
    (
        "reconstruction_loss",
        lambda x, x_hat: (x - x_hat).square().sum(dim=(1, 2, 3)).sqrt().mean(),
        "you took the square root",
    ),
    (
        "reconstruction_loss",
        lambda x, x_hat: (x - x_hat).abs().sum(dim=(1, 2, 3)).mean(),
        "absolute differences",
    ),
    ("reconstruction_loss", lambda x, x_hat: (x - x_hat).sum(dim=(1, 2, 3)).mean(), "without squares"),
    (
        "reconstruction_loss",
        lambda x, x_hat: (x - x_hat).square().sum(dim=(1, 2, 3)),
        "average over the images at",
    ),
    ("reconstruction_loss", lambda x, x_hat: right_loss(x, x_hat).item(), "you returned a float"),
    (
        "reconstruction_loss",
        lambda x, x_hat: 2 * right_loss(x, x_hat),
        "squares, summed over pixels, averaged",
    ),
    ("reconstruction_loss", detached_loss, "lost its gradient"),
    ("reconstruct_rows", lambda x, mean, W: (x - mean) @ W.T @ W, "did not add the mean back"),
    ("reconstruct_rows", lambda x, mean, W: x @ W.T @ W + mean, "did not take the mean off"),
    ("reconstruct_rows", lambda x, mean, W: x @ W.T @ W, "take it off before encoding, and add it back"),
    ("reconstruct_rows", lambda x, mean, W: x, "the input itself"),
    (
        "reconstruct_rows",
        lambda x, mean, W: (x - x.mean(dim=0)) @ W.T @ W + x.mean(dim=0),
        "use the `mean` that you are given",
    ),
    ("reconstruct_rows", lambda x, mean, W: (x - mean) @ W.T, "that is the code"),
    ("reconstruct_rows", lambda x, mean, W: right_rows(x, mean, W)[0], "one row an image"),
    ("reconstruct_rows", lambda x, mean, W: right_rows(x, mean, W).tolist(), "a tensor; you returned a list"),
    ("reconstruct_rows", lambda x, mean, W: right_rows(x, mean, -2 * W), "compare step by step"),
    (
        "smallest_code",
        lambda n, train, held, limit: right_size(n, held, train, limit),
        "by the training errors",
    ),
    (
        "smallest_code",
        lambda n, train, held, limit: max(s for s, e in zip(n, held) if e <= limit),
        "largest size that qualifies",
    ),
    (
        "smallest_code",
        lambda n, train, held, limit: min(s for s, e in zip(n, held) if e < limit),
        "so use <=",
    ),
    (
        "smallest_code",
        lambda n, train, held, limit: max(s for s, e in zip(n, held) if e > limit and s < 32),
        "one size too small",
    ),
    (
        "smallest_code",
        lambda n, train, held, limit: n.index(right_size(n, train, held, limit)),
        "is not one of",
    ),
    ("smallest_code", lambda n, train, held, limit: [8, 16], "one whole number; you returned [8, 16]"),
]


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answers_pass(name, answer, capsys):
    assert said_about(name, answer, capsys).startswith(f"Right ({name})")


@pytest.mark.parametrize(("name", "answer", "phrase"), WRONG)
def test_each_mistake_gets_its_own_diagnosis(name, answer, phrase, capsys):
    said = said_about(name, answer, capsys)
    assert said.startswith(f"Not yet ({name})") and phrase in said
    others = {other for exercise, _, other in WRONG if exercise == name} - {phrase}
    assert not any(other in said for other in others)


@pytest.mark.parametrize("name", {name for name, _ in RIGHT})
def test_a_stub_reads_to_do(name, capsys):
    assert said_about(name, lambda *arguments: None, capsys).startswith(f"To do ({name})")


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_a_check_leaves_the_random_numbers_alone(name, answer, capsys):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    check(name, answer)
    assert torch.equal(torch.rand(2), expected)
