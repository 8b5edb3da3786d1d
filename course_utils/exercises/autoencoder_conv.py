"""Exercises of notebook 05: back to 28 x 28, one image through a model with BatchNorm, and fair comparisons."""

import copy

import torch
from torch import nn

from course_utils.exercises.registry import Wrong, call, exercise

# The side that comes out of a chain with a classic mistake in it (7 => ? => ?), and what the mistake is.
WRONG_SIDES = {
    7: "both layers keep the size: give them stride=2",
    11: "both layers have stride 1: give them stride=2",
    13: "only one of the two layers doubles: both need stride=2 and output_padding=1",
    14: "only one of the two layers doubles: both need stride=2 and output_padding=1",
    25: "each layer falls one pixel short of doubling (7 => 13 => 25): that is what output_padding is for",
    26: "only the second layer has output_padding=1: the first one gives 13 and not 14",
    27: "only the first layer has output_padding=1: the second one gives 27 and not 28",
    31: "without padding each layer gives one pixel too many (7 => 15 => 31): cut the frame off with padding=1",
    34: "output_padding makes the image larger, and without padding=1 it is too large already (7 => 16 => 34)",
}


@exercise(
    "decoder_with_kernel_3",
    hints=(
        "The side is (n - 1) · stride + kernel - 2 · padding + output_padding. Kernel 3 and stride 2 are given: "
        "which of the others make 2n of it?",
        "padding=1 leaves 2n - 1. One more row and column come from output_padding=1.",
        "nn.Sequential(nn.ConvTranspose2d(32, 16, ...), nn.ReLU(), nn.ConvTranspose2d(16, 1, ...), nn.Sigmoid())",
    ),
    praise="An odd kernel needs output_padding to double the size exactly; kernel 4 does not, so we use that.",
)
def check_decoder_with_kernel_3(answer) -> None:
    torch.manual_seed(0)
    layers = call(answer)
    if isinstance(layers, (list, tuple)):
        raise Wrong("your function returned the layers in a list: put them into one nn.Sequential.")
    if not isinstance(layers, nn.Module):
        raise Wrong(f"your function returned a {type(layers).__name__}; return an nn.Sequential of layers.")
    transposed = [layer for layer in layers.modules() if isinstance(layer, nn.ConvTranspose2d)]
    if any(type(layer) is nn.Conv2d for layer in layers.modules()):
        raise Wrong("nn.Conv2d with stride 2 halves the size: going up takes nn.ConvTranspose2d.")
    if len(transposed) != 2:
        raise Wrong(f"your decoder has {len(transposed)} transpose convolutions; two of them double 7 twice.")
    kernels = [layer.kernel_size for layer in transposed]
    if kernels != [(3, 3), (3, 3)]:
        raise Wrong(
            f"your kernels are {kernels[0]} and {kernels[1]}; this exercise asks for 3 in both layers."
        )
    try:
        with torch.no_grad():
            x_hat = layers(100 * torch.randn(4, 32, 7, 7))
    except RuntimeError as error:
        raise Wrong(
            f"your decoder cannot take an input of 32 x 7 x 7 ({str(error).splitlines()[0]}): the first layer has "
            "32 input channels, and the second takes as many as the first gives."
        ) from None
    _diagnose_image(x_hat)
    if not any(isinstance(layer, (nn.ReLU, nn.SiLU, nn.GELU, nn.LeakyReLU)) for layer in layers.modules()):
        raise Wrong(
            "there is no nonlinearity between the two layers: without one they are a single linear map."
        )


def _diagnose_image(x_hat: torch.Tensor) -> None:
    if x_hat.ndim != 4 or x_hat.shape[:2] != (4, 1):
        raise Wrong(f"four inputs give {tuple(x_hat.shape)}, expected (4, 1, 28, 28): one grey channel each.")
    side = x_hat.shape[2]
    if x_hat.shape[2:] != (28, 28):
        diagnosis = WRONG_SIDES.get(
            side, "work the size out, layer by layer, with the formula of notebook 04"
        )
        raise Wrong(f"your images are {side} x {x_hat.shape[3]} pixels, not 28 x 28: {diagnosis}.")
    if x_hat.min() < 0 or x_hat.max() > 1:
        raise Wrong(
            f"your pixels reach from {x_hat.min():.1f} to {x_hat.max():.1f}, but pixels lie in [0, 1]: end with "
            "nn.Sigmoid()."
        )


class _TinyAutoencoder(nn.Module):
    """A model that answers differently in training mode, as every model with BatchNorm does; it sees its input."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm2d(1), nn.Sigmoid())

    def forward(self, x):
        if x.dtype == torch.uint8:
            raise Wrong("the model was given whole numbers from 0 to 255: to_pixels makes pixels in [0, 1].")
        if x.ndim != 4:
            raise Wrong(
                f"the model was given shape {tuple(x.shape)}, but takes (B, 1, 28, 28): a batch, here of one image."
            )
        if x.shape != (1, 1, 28, 28):
            raise Wrong(f"the model was given shape {tuple(x.shape)}; one image is (1, 1, 28, 28).")
        if x.max() > 1:
            raise Wrong(f"the model was given numbers up to {x.max():.0f}: divide by 255, or use to_pixels.")
        return self.layers(x)


@exercise(
    "reconstruct_one",
    hints=(
        "to_pixels takes images (N, 28, 28). image[None] makes a batch of one out of one image.",
        "Two lines come before the model is called: model.eval(), and with torch.no_grad().",
        "The model returns (1, 1, 28, 28); [0, 0] takes the image out.",
    ),
    praise="In eval mode the answer for an image is the same, whichever images stand beside it.",
)
def check_reconstruct_one(answer) -> None:
    torch.manual_seed(0)
    model = _TinyAutoencoder()
    image = torch.randint(0, 256, (28, 28), dtype=torch.uint8)
    with torch.no_grad():
        in_eval = model.eval()(image[None, None].float() / 255)[0, 0]
        # A copy: a pass in training mode moves the running statistics.
        in_train = copy.deepcopy(model).train()(image[None, None].float() / 255)[0, 0]
    result = call(answer, model.train(), image.clone())
    if not isinstance(result, torch.Tensor):
        raise Wrong(f"your function returned a {type(result).__name__}; return a tensor (28, 28).")
    if result.shape != (28, 28):
        raise Wrong(
            f"your result has shape {tuple(result.shape)}; one image is (28, 28): take it out with [0, 0]."
        )
    if _same(result, in_train):
        raise Wrong(
            "you forgot model.eval(): in training mode BatchNorm uses mean and variance of the images it is shown, "
            f"here of a single one. The pixels are off by up to {(in_train - in_eval).abs().max():.2f}."
        )
    if _same(result.float(), 255 * in_eval) or result.dtype == torch.uint8:
        raise Wrong("your pixels reach up to 255: return them in [0, 1], as the model gives them.")
    if not _same(result, in_eval):
        raise Wrong(
            f"your pixels differ from model(x) by up to {(result - in_eval).abs().max():.2f}: return them unchanged."
        )
    if result.requires_grad:
        raise Wrong("the numbers are right, but carry a gradient: call the model inside torch.no_grad().")


def _same(result: torch.Tensor, expected: torch.Tensor) -> bool:
    return torch.allclose(result.detach().float(), expected, atol=1e-4)


# Made-up results. The best error of all belongs to another code size; the training errors turn one comparison
# round; at 64 numbers only one model was measured on held-out images.
RUNS = (
    {"model": "conv", "code_size": 16, "images": "test", "error": 7.1},
    {"model": "mlp", "code_size": 16, "images": "train", "error": 5.0},
    {"model": "mlp", "code_size": 16, "images": "test", "error": 8.2},
    {"model": "conv", "code_size": 16, "images": "train", "error": 6.8},
    {"model": "mlp", "code_size": 8, "images": "test", "error": 14.0},
    {"model": "conv", "code_size": 8, "images": "test", "error": 15.5},
    {"model": "mlp", "code_size": 64, "images": "test", "error": 2.4},
    {"model": "conv", "code_size": 64, "images": "train", "error": 1.9},
)


def _winners(runs, images=("test",), alone=False, worst=False) -> dict[int, str]:
    """The model with the smallest error at each code size; `alone`: also where only one model was measured."""
    winners = {}
    for size in sorted({run["code_size"] for run in runs}):
        own = [run for run in runs if run["code_size"] == size and run["images"] in images]
        if own and (alone or len({run["model"] for run in own}) > 1):
            winners[size] = (max if worst else min)(own, key=lambda run: run["error"])["model"]
    return winners


@exercise(
    "fair_winners",
    hints=(
        "Which of the runs may be compared at all? Leave the others out first.",
        "Keep the runs on held-out images (images == 'test'), and group them by code_size.",
        "A group with one model only has no winner. In the others, take the model with the smallest error.",
    ),
    praise="Same code size, held-out images, both models measured: only then does the architecture decide.",
)
def check_fair_winners(answer) -> None:
    result = call(answer, [dict(run) for run in RUNS])
    if isinstance(result, str):
        raise Wrong(
            f"you named one winner of all ({result!r}), but a longer code always has the smaller error: compare "
            "within each code size."
        )
    if not isinstance(result, dict):
        raise Wrong(f"your function returned a {type(result).__name__}; return a dict, code size to model.")
    expected = _winners(RUNS)
    if result == expected:
        return
    both = ("test", "train")
    mistakes = (
        (
            _winners(RUNS, ("train",)),
            "you compared errors on training images: the MLP looks better than it is",
        ),
        (_winners(RUNS, ("train",), alone=True), "you compared errors on training images"),
        (_winners(RUNS, both), "you mixed training and test errors: keep the runs on test images only"),
        (
            _winners(RUNS, alone=True),
            "at 64 numbers only the MLP was measured on test images: no winner there",
        ),
        (_winners(RUNS, worst=True), "you took the largest error: small is good"),
        (_winners(RUNS, alone=True, worst=True), "you took the largest error, and 64 has no second model"),
    )
    for wrong, diagnosis in mistakes:
        if result == wrong:
            raise Wrong(f"{diagnosis}. You gave {result}, expected is {expected}.")
    if result and not all(isinstance(winner, str) for winner in result.values()):
        raise Wrong(f"the values must be names of models, such as 'conv'; you gave {result}.")
    raise Wrong(f"you gave {result}, expected is {expected}. Go through the runs by hand.")
