"""Exercises of notebook 03: layer sizes, the reconstruction loss, PCA by hand, and choosing a code size."""

from itertools import pairwise

import torch
from torch import nn

from course_utils.exercises.registry import Wrong, call, exercise

ENCODER_SIZES = (784, 256, 64)


@exercise(
    "build_encoder",
    hints=(
        "Images come as (B, 1, 28, 28): nn.Flatten() makes rows of 784 numbers of them.",
        "Three linear layers: 784 to 256, 256 to 64, 64 to code_size, with nn.ReLU() after the first two.",
    ),
    praise="The sizes fit together, and the code is free to take any value.",
)
def check_build_encoder(answer) -> None:
    for code_size in (5, 30):
        # The notebook's random numbers must not depend on how often a check is run.
        with torch.random.fork_rng():
            torch.manual_seed(0)
            encoder = call(answer, code_size)
            _diagnose_encoder(encoder, code_size)


def _diagnose_encoder(encoder, code_size: int) -> None:
    if not isinstance(encoder, nn.Module):
        raise Wrong(f"return the network, an nn.Sequential; you returned a {type(encoder).__name__}.")
    linear = [layer for layer in encoder.modules() if isinstance(layer, nn.Linear)]
    sizes = [(layer.in_features, layer.out_features) for layer in linear]
    expected = list(zip(ENCODER_SIZES, (*ENCODER_SIZES[1:], code_size)))
    written = ", ".join(f"{a} to {b}" for a, b in sizes)
    if sizes and abs(sizes[-1][1] - code_size) == 1:
        raise Wrong(f"with code_size={code_size} your code has {sizes[-1][1]} numbers: it is off by one.")
    if sizes == expected[::-1] or sizes == [(b, a) for a, b in expected[::-1]]:
        raise Wrong(f"your layers go {written}: that is a decoder, from the code to the image.")
    for (_, out), (into, _) in pairwise(sizes):
        if out != into:
            raise Wrong(f"a layer gives {out} numbers and the next one takes {into}: the two must be equal.")
    if sizes and sizes[-1][1] != code_size:
        raise Wrong(
            f"the code should have code_size={code_size} numbers; your last linear layer gives {sizes[-1][1]}."
        )
    if sizes != expected:
        raise Wrong(
            f"the layer sizes should go 784, 256, 64, {code_size}; yours go {written or 'nowhere (no nn.Linear)'}."
        )
    _diagnose_activations(encoder)
    _diagnose_code(encoder, code_size)


def _diagnose_activations(encoder: nn.Module) -> None:
    kinds = [type(layer) for layer in encoder.modules() if isinstance(layer, (nn.Linear, nn.ReLU))]
    if kinds[-1] is nn.ReLU:
        raise Wrong(
            "there is a ReLU after the code, so no number of a code can be negative: leave it out after the last layer."
        )
    if kinds != [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]:
        raise Wrong(
            "a ReLU belongs after each of the two hidden layers: two linear layers in a row are only one linear layer."
        )


@torch.no_grad()
def _diagnose_code(encoder: nn.Module, code_size: int) -> None:
    try:
        z = encoder(torch.rand(6, 1, 28, 28))
    except RuntimeError as error:
        raise Wrong(
            f"six images (6, 1, 28, 28) do not pass ({str(error).splitlines()[0]}): do you flatten them first?"
        ) from None
    if z.shape != (6, code_size):
        raise Wrong(f"six images should give codes of shape (6, {code_size}); you get {tuple(z.shape)}.")


@exercise(
    "reconstruction_loss",
    hints=(
        "Square the difference of the two. Then two steps: one over the pixels, one over the images.",
        "sum(dim=(1, 2, 3)) adds up the pixels of each image and leaves one number an image.",
    ),
    praise="784 pixels added up, images averaged: every squared error of this course is measured like this.",
)
def check_reconstruction_loss(answer) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(6, 1, 28, 28, generator=generator)
    x_hat = torch.rand(6, 1, 28, 28, generator=generator, requires_grad=True)
    loss = call(answer, x, x_hat)
    if not isinstance(loss, torch.Tensor):
        raise Wrong(f"return a tensor, so that it has gradients; you returned a {type(loss).__name__}.")
    if loss.numel() != 1:
        raise Wrong(
            f"the loss is one number; yours has shape {tuple(loss.shape)}: average over the images at the end."
        )
    squares = (x - x_hat).detach().square().flatten(1)
    expected = squares.sum(dim=1).mean().item()
    value = loss.item()
    mistakes = (
        (expected / 784, "784 times too small: you averaged over the pixels. Add up over them"),
        (expected * 6, "6 times too large for 6 images: you added up over the images. Average over them"),
        (squares.sum(dim=1).sqrt().mean().item(), "you took the square root; the squared error has none"),
        (
            (x - x_hat).detach().abs().flatten(1).sum(dim=1).mean().item(),
            "you added up absolute differences: square them",
        ),
        (
            (x - x_hat).detach().flatten(1).sum(dim=1).mean().item(),
            "you added up the differences without squares, so that errors cancel",
        ),
    )
    for wrong, diagnosis in mistakes:
        if abs(value - wrong) < 1e-4 * abs(wrong):
            raise Wrong(f"{diagnosis} (you got {value:.4g}, expected {expected:.4g}).")
    if abs(value - expected) > 1e-4 * expected:
        raise Wrong(f"you got {value:.4g}, expected {expected:.4g}: squares, summed over pixels, averaged.")
    if not loss.requires_grad:
        raise Wrong(
            "the number is right, but it has lost its gradient, so no network can learn from it: no .item(), "
            ".detach() or no_grad here."
        )


@exercise(
    "reconstruct_rows",
    hints=(
        "Three steps: take the mean off, compute the coordinates z of shape (N, n), and go back to 784 pixels.",
        "z = (x - mean) @ W.T; then z @ W are images without their mean.",
    ),
    praise="That is PCA's whole encoder and decoder: two matrix products and a mean.",
)
def check_reconstruct_rows(answer) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(9, 784, generator=generator)
    mean = 0.3 + 0.4 * torch.rand(784, generator=generator)
    W = torch.linalg.qr(torch.randn(784, 4, generator=generator)).Q.T.contiguous()  # (4, 784)
    given = call(answer, x.clone(), mean.clone(), W.clone())
    if not isinstance(given, torch.Tensor):
        raise Wrong(f"return the reconstructed rows, a tensor; you returned a {type(given).__name__}.")
    z = (x - mean) @ W.T
    if given.shape != x.shape:
        reason = "that is the code; the decoder is missing" if given.shape == z.shape else "one row an image"
        raise Wrong(f"the result should have shape {tuple(x.shape)}, yours {tuple(given.shape)}: {reason}.")
    mistakes = (
        (z @ W, "you did not add the mean back: the code belongs to the centred image, and so does your result"),
        (x @ W.T @ W + mean, "you did not take the mean off before encoding, so it is in the result twice"),
        (x @ W.T @ W, "the mean is missing: take it off before encoding, and add it back after decoding"),
        (x, "this is the input itself: send it through the code"),
        ((x - x.mean(dim=0)) @ W.T @ W + x.mean(dim=0), "use the `mean` that you are given, which was fitted on the "
         "training images, not the mean of the images that you reconstruct"),
    )  # fmt: skip
    if torch.allclose(given, z @ W + mean, atol=1e-4):
        return
    for wrong, diagnosis in mistakes:
        if torch.allclose(given, wrong, atol=1e-4):
            raise Wrong(f"{diagnosis}.")
    difference = (given - (z @ W + mean)).abs().max()
    raise Wrong(
        f"pixels differ by up to {difference:.2g} from z W + mean with z = (x - mean) W.T: compare step by step."
    )


@exercise(
    "smallest_code",
    hints=(
        "Which of the two errors says how the model does on images that it has not seen?",
        "Go through zip(sizes, held_out_errors) and take the first size whose error is at most the limit.",
    ),
    praise="The held-out error decides; the training error only tells how much was memorised.",
)
def check_smallest_code(answer) -> None:
    sizes = [2, 4, 8, 16, 32, 64]
    train_errors = [30.0, 9.5, 8.0, 6.0, 3.0, 1.0]
    held_out_errors = [31.0, 22.0, 12.0, 10.0, 7.0, 7.5]
    for limit, expected in ((10.0, 16), (7.2, 32), (25.0, 4)):
        given = call(answer, sizes, train_errors, held_out_errors, limit)
        if isinstance(given, bool) or not isinstance(given, int):
            raise Wrong(f"return a size, one whole number; you returned {given!r}.")
        if given == expected:
            continue
        good = [n for n, error in zip(sizes, held_out_errors) if error <= limit]
        by_training = next(n for n, error in zip(sizes, train_errors) if error <= limit)
        case = f"for a limit of {limit} you chose {given}, expected {expected}"
        if given == by_training:
            raise Wrong(
                f"you went by the training errors, which are too kind: {case}. Compare the held-out errors."
            )
        if given in (good[-1], sizes[-1]):
            raise Wrong(f"that is the largest size that qualifies, not the smallest: {case}.")
        if given == sizes[sizes.index(expected) - 1]:
            raise Wrong(f"one size too small, its held-out error is still above the limit: {case}.")
        if given == next((n for n in good if held_out_errors[sizes.index(n)] < limit), None):
            raise Wrong(f"an error equal to the limit counts as good enough, so use <=: {case}.")
        if given not in sizes:
            raise Wrong(f"{given} is not one of the sizes (did you return a position or an error?): {case}.")
        raise Wrong(f"{case}: take the smallest size whose held-out error is at most the limit.")
