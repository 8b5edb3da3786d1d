"""Exercises of notebook 03: layer sizes, the reconstruction loss, PCA by hand, and choosing a code size."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.exercises.compare import Network, Number, Tensor, Whole
from course_utils.exercises.engine import exercise

# --- the layers of an encoder ---

SIZES = (784, 256, 64)


def chain(*sizes, activation=nn.ReLU, last=(), flatten=True):
    """Linear layers of these sizes with activations between them, and what comes behind the last."""
    layers = [nn.Flatten()] if flatten else []
    for into, out in pairwise(sizes):
        layers += [nn.Linear(into, out), activation()]
    return nn.Sequential(*layers[:-1], *last)


def linear_sizes(call):
    return [
        (one.in_features, one.out_features) for one in call.result.modules() if isinstance(one, nn.Linear)
    ]


def right_sizes(call):
    return list(pairwise((*SIZES, *call.arguments)))


def code_size(call):
    """How many numbers the last linear layer gives, 0 if there is none."""
    return linear_sizes(call)[-1][1] if linear_sizes(call) else 0


def in_words(call):
    return ", ".join(f"{into} to {out}" for into, out in linear_sizes(call)) or "nowhere (no nn.Linear)"


def first_misfit(call):
    """What a layer gives and what the next one takes, where these differ first; None if all fit."""
    return next(((a[1], b[0]) for a, b in pairwise(linear_sizes(call)) if a[1] != b[0]), None)


def kinds(call):
    return "".join(
        type(one).__name__[0] for one in call.result.modules() if isinstance(one, nn.Linear | nn.ReLU)
    )


exercise(
    "build_encoder",
    objective="build an encoder whose layer sizes fit together, and whose code is free",
    points=2,
    given=lambda: [(5,), (30,)],
    solution=lambda n: chain(*SIZES, n),
    compare=Network("the network, an nn.Sequential", (6, 1, 28, 28)),
    describe=lambda n: f"with code_size={n}",
    otherwise="Flatten the images first, and nothing comes after the code.",
    mistakes=(
        (
            lambda n: chain(*SIZES, n + 1),
            lambda call: (
                f"with code_size={call.arguments[0]} your code has {code_size(call)} numbers: it is off by one"
            ),
            lambda call: abs(code_size(call) - call.arguments[0]) == 1,
        ),
        (
            lambda n: chain(n, *SIZES[::-1]),
            lambda call: f"your layers go {in_words(call)}: that is a decoder, from the code to the image",
            lambda call: linear_sizes(call) == [pair[::-1] for pair in right_sizes(call)[::-1]],
        ),
        (
            lambda n: nn.Sequential(nn.Linear(784, 256), nn.Linear(64, n)),
            lambda call: "a layer gives {} numbers and the next one takes {}: the two must be equal".format(
                *first_misfit(call)
            ),
            lambda call: first_misfit(call) is not None,
        ),
        (
            lambda n: chain(*SIZES),
            lambda call: (
                f"the code should have code_size={call.arguments[0]} numbers; your last linear layer gives "
                f"{code_size(call)}"
            ),
            lambda call: code_size(call) not in (0, call.arguments[0]),
        ),
        (
            lambda n: chain(784, 128, 64, n),
            lambda call: (
                f"the layer sizes should go 784, 256, 64, {call.arguments[0]}; yours go {in_words(call)}"
            ),
            lambda call: linear_sizes(call) != right_sizes(call),
        ),
        (
            lambda n: chain(*SIZES, n, last=[nn.ReLU()]),
            "there is a ReLU after the code, so no number of a code can be negative: leave it out after the last layer",
            lambda call: kinds(call).endswith("R"),
        ),
        (
            lambda n: chain(*SIZES, n, activation=nn.Identity),
            "a ReLU belongs after each of the two hidden layers: two linear layers in a row are only one linear layer",
            lambda call: kinds(call) != "LRLRL",
        ),
    ),
    told=(
        (lambda n: chain(*SIZES, n, flatten=False), "fails on an input of shape (6, 1, 28, 28)"),
        (
            lambda n: chain(*SIZES, n, last=[nn.Unflatten(1, (1, n))]),
            "makes (6, 1, 5) of (6, 1, 28, 28), right is (6, 5)",
        ),
        (lambda n: [*SIZES, n], "returned a list of 4; return the network, an nn.Sequential"),
    ),
    hints=(
        "Images come as (B, 1, 28, 28): nn.Flatten() makes rows of 784 numbers of them.",
        "Three linear layers: 784 to 256, 256 to 64, 64 to code_size, with nn.ReLU() after the first two.",
    ),
    praise="The sizes fit together, and the code is free to take any value.",
)


# --- the reconstruction loss ---


def pixel_losses(x, x_hat, loss=torch.square):
    """The loss of every pixel, (N, 784)."""
    return loss(x - x_hat).flatten(1)


exercise(
    "reconstruction_loss",
    objective="write the squared error of a reconstruction, with the sum and the mean where they belong",
    points=2,
    given=lambda: [(torch.rand(6, 1, 28, 28), torch.rand(6, 1, 28, 28, requires_grad=True))],
    solution=lambda x, x_hat: pixel_losses(x, x_hat).sum(dim=1).mean(),
    also_right=(
        lambda x, x_hat: F.mse_loss(x_hat, x, reduction="sum") / len(x),
        lambda x, x_hat: pixel_losses(x.double(), x_hat).sum() / 6,
    ),
    compare=Number("one number, averaged over the images at the end", gradient=True),
    otherwise="Squares are summed over pixels, and averaged over images.",
    mistakes=(
        (
            lambda x, x_hat: pixel_losses(x, x_hat).mean(),
            "784 times too small: you averaged over the pixels. Add up over them",
        ),
        (
            lambda x, x_hat: pixel_losses(x, x_hat).sum(),
            "6 times too large for 6 images: you added up over the images. Average over them",
        ),
        (
            lambda x, x_hat: pixel_losses(x, x_hat).sum(dim=1).sqrt().mean(),
            "you took the square root; the squared error has none",
        ),
        (
            lambda x, x_hat: pixel_losses(x, x_hat, torch.abs).sum(dim=1).mean(),
            "you added up absolute differences: square them",
        ),
        (
            lambda x, x_hat: pixel_losses(x, x_hat, torch.clone).sum(dim=1).mean(),
            "you added up the differences without squares, so that errors cancel",
        ),
    ),
    told=(
        (
            lambda x, x_hat: pixel_losses(x, x_hat).sum(dim=1),
            "averaged over the images at the end; your result is",
        ),
        (
            lambda x, x_hat: pixel_losses(x, x_hat).sum(dim=1).mean().item(),
            "as a tensor, so that it has gradients",
        ),
        (lambda x, x_hat: 2 * pixel_losses(x, x_hat).sum(dim=1).mean(), "Squares are summed over pixels"),
        (lambda x, x_hat: pixel_losses(x, x_hat).sum(dim=1).mean().detach(), "carries no gradient"),
    ),
    hints=(
        "Square the difference of the two. Then two steps: one over the pixels, one over the images.",
        "sum(dim=(1, 2, 3)) adds up the pixels of each image and leaves one number for each image.",
    ),
    praise="784 pixels added up, images averaged: every squared error of this course is measured like this.",
)


# --- PCA by hand ---


def by_pca(x, mean, W):
    return (x - mean) @ W.T @ W + mean


def rows_and_basis():
    W = torch.linalg.qr(torch.randn(784, 4)).Q.T.contiguous()  # (4, 784)
    return [(torch.rand(9, 784), 0.3 + 0.4 * torch.rand(784), W)]


exercise(
    "reconstruct_rows",
    objective="encode and decode by PCA with two matrix products and a mean",
    level=2,
    points=2,
    given=rows_and_basis,
    solution=by_pca,
    also_right=(lambda x, mean, W: by_pca(x.double(), mean.double(), W.double()),),
    compare=Tensor("the reconstructed rows, a tensor (N, 784)", atol=1e-4),
    otherwise="With z = (x - mean) @ W.T it is z @ W + mean, one row for each image: compare step by step.",
    mistakes=(
        (lambda x, mean, W: (x - mean) @ W.T, "this is the code; the decoder is missing"),
        (
            lambda x, mean, W: (x - mean) @ W.T @ W,
            "you did not add the mean back: the code belongs to the centred image, and so does your result",
        ),
        (
            lambda x, mean, W: x @ W.T @ W + mean,
            "you did not subtract the mean before encoding, so that a part of it is in the result twice",
        ),
        (
            lambda x, mean, W: x @ W.T @ W,
            "the mean is missing: subtract it before encoding, and add it back after decoding",
        ),
        (lambda x, mean, W: x, "this is the input itself: send it through the code"),
        (
            lambda x, mean, W: by_pca(x, x.mean(dim=0), W),
            "use the `mean` that you are given, which was fitted on the training images, not the mean of the images "
            "that you reconstruct",
        ),
    ),
    told=(
        (lambda x, mean, W: by_pca(x, mean, W)[0], "has shape (784,), right is (9, 784)"),
        (lambda x, mean, W: by_pca(x, mean, -2 * W), "compare step by step"),
        (
            lambda x, mean, W: by_pca(x, mean, W).tolist(),
            "returned a list of 9; return the reconstructed rows",
        ),
    ),
    hints=(
        "Three steps: subtract the mean, compute the coordinates z of shape (N, n), and go back to 784 pixels.",
        "z = (x - mean) @ W.T; then z @ W are images without their mean.",
    ),
    praise="That is PCA's whole encoder and decoder: two matrix products and a mean.",
)


# --- the smallest code that is good enough ---

TRAIN_ERRORS = [30.0, 9.5, 8.0, 6.0, 3.0, 1.0]
HELD_OUT_ERRORS = [31.0, 22.0, 12.0, 10.0, 7.0, 7.5]


def good(sizes, errors, limit):
    return [size for size, error in zip(sizes, errors) if error <= limit]


exercise(
    "smallest_code",
    objective="choose a code size by the error on held-out images",
    given=lambda: [
        ([2, 4, 8, 16, 32, 64], [*TRAIN_ERRORS], [*HELD_OUT_ERRORS], limit) for limit in (10.0, 7.2, 25.0)
    ],
    solution=lambda sizes, train, held_out, limit: good(sizes, held_out, limit)[0],
    compare=Whole(
        "a size, one whole number", "your size is right, but of type float: return it as it is in sizes."
    ),
    describe=lambda sizes, train, held_out, limit: f"for a limit of {limit}",
    otherwise="Take the smallest size whose held-out error is at most the limit.",
    mistakes=(
        (
            lambda sizes, train, held_out, limit: good(sizes, train, limit)[0],
            "you went by the training errors, which are too kind: compare the held-out errors",
        ),
        (
            lambda sizes, train, held_out, limit: good(sizes, held_out, limit)[-1],
            "that is the largest size that qualifies, not the smallest",
        ),
        (
            lambda sizes, train, held_out, limit: sizes[sizes.index(good(sizes, held_out, limit)[0]) - 1],
            "your size is one too small: its held-out error is still above the limit",
        ),
        (
            lambda sizes, train, held_out, limit: min(n for n, e in zip(sizes, held_out) if e < limit),
            "an error equal to the limit counts as good enough, so use <=",
        ),
        (
            lambda sizes, train, held_out, limit: sizes.index(good(sizes, held_out, limit)[0]),
            lambda call: f"{call.result} is not one of the sizes: did you return a position or an error?",
            lambda call: float(call.result) not in call.arguments[0],
        ),
    ),
    told=(
        (lambda *given: [8, 16], "return a size, one whole number; your function returned a list of 2"),
        (lambda *given: 2, "Take the smallest size whose held-out error"),
        (lambda *given: float(good(given[0], *given[2:])[0]), "of type float"),
    ),
    hints=(
        "Which of the two errors says how the model does on images that it has not seen?",
        "Go through zip(sizes, held_out_errors) and take the first size whose error is at most the limit.",
    ),
    praise="The held-out error decides; the training error only tells how much was memorised.",
)
