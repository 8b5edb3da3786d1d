"""Exercises of notebook 05: images of another size, kernel 3, one image through a model, and fair comparisons."""

import torch
from torch import nn

from course_utils.data import to_pixels
from course_utils.exercises.compare import Network, Tensor, Value, Whole
from course_utils.exercises.engine import Wrong, exercise
from course_utils.exercises.spies import Spy

# --- how many numbers reach the linear layer ---


def flattened_size(side, channels):
    return channels[-1] * (side // 2 ** len(channels)) ** 2


def by_layers(side, channels):
    x = torch.zeros(1, 1, side, side)
    for before, after in zip([1, *channels], channels, strict=False):
        x = nn.Conv2d(before, after, kernel_size=4, stride=2, padding=1)(x)
    return x.numel()


exercise(
    "flattened_size",
    objective="predict how many numbers an encoder of strided convolutions passes on to its linear layer",
    level=1,
    points=1,
    # The last side is odd on the way, so that rounding shows.
    given=lambda: [(28, [16, 32]), (96, [16, 32, 64]), (32, [8]), (64, [16, 16]), (50, [4, 8, 12])],
    together=True,
    solution=flattened_size,
    also_right=(by_layers,),
    compare=Whole("one whole number"),
    describe=lambda side, channels: f"for images of {side} x {side} and blocks of {channels} channels",
    otherwise="Go through the blocks one by one, and write down the shape after each.",
    mistakes=(
        (
            lambda side, channels: (side // 2 ** len(channels)) ** 2,
            "you left out the channels: every place of the last map has as many numbers as the last block has channels",
        ),
        (
            lambda side, channels: channels[-1] * (side // 2 ** len(channels)),
            "you counted one row: the map has side × side places",
        ),
        (
            lambda side, channels: channels[-1] * side**2 // 2 ** len(channels),
            "you halved the number of places: each block halves the side, which leaves a quarter of the places",
        ),
        (
            lambda side, channels: channels[-1] * (side // 2) ** 2,
            "you halved the side once, but every block halves it",
        ),
        (
            lambda side, channels: channels[-1] * side**2,
            "you kept the side: a convolution of stride 2 halves it",
        ),
        (
            lambda side, channels: sum(channels) * (side // 2 ** len(channels)) ** 2,
            "you added up the channels of all blocks: only those of the last one leave the encoder",
        ),
        (
            lambda side, channels: channels[0] * (side // 2 ** len(channels)) ** 2,
            "you took the channels of the first block: those of the last one count",
        ),
        (
            lambda side, channels: int(channels[-1] * (side / 2 ** len(channels)) ** 2),
            "you did not round: an odd side loses its last row and column, so use //",
        ),
    ),
    told=((lambda side, channels: 1568, "you have 1568, right is 9216. Go through the blocks"),),
    hints=(
        "How many times is the side halved? Once for each block.",
        "Flatten passes on channels × side × side numbers, of the last map.",
        "side // 2 for every block; then channels[-1] * side**2.",
    ),
    praise="So nn.Linear(flattened_size(side, channels), code_size) fits images of any size.",
)


# --- a decoder with kernel 3 ---


def decoder(first=(2, 1, 1), second=(2, 1, 1), kernel=3, between=nn.ReLU, end=nn.Sigmoid, middle=16, last=1):
    """A decoder; `first` and `second` are stride, padding and output_padding of its layers."""
    return nn.Sequential(
        nn.ConvTranspose2d(32, 16, kernel, *first),
        between(),
        nn.ConvTranspose2d(middle, last, kernel, *second),
        end(),
    )


def layers(call, kind):
    return [layer for layer in call.result.modules() if isinstance(layer, kind)]


def transposed(call):
    return layers(call, nn.ConvTranspose2d)


def output(call):
    return call.exercise.compare.output(call.result)


def kernels(call):
    first, second = (layer.kernel_size for layer in transposed(call))
    return f"your kernels are {first} and {second}; this exercise asks for 3 in both layers"


def pixel_range(call):
    x_hat = output(call)
    return (
        f"your pixels reach from {x_hat.min():.1f} to {x_hat.max():.1f}, but pixels lie in [0, 1]: end with "
        "nn.Sigmoid()"
    )


NO_RELU = (
    "there is no ReLU between the two layers; with nothing between them they would be a single linear map"
)
ONLY_ONE = "only one of the two layers doubles: both need stride=2 and output_padding=1"

exercise(
    "decoder_with_kernel_3",
    objective="choose the settings with which transpose convolutions of an odd kernel double the size",
    level=2,
    points=2,
    given=lambda: [()],
    solution=decoder,
    also_right=(lambda: decoder(between=nn.SiLU), lambda: decoder().double().float()),
    compare=Network("an nn.Sequential of layers", (4, 32, 7, 7)),
    otherwise="Work the size out, layer by layer, with the formula of notebook 04.",
    mistakes=(
        (
            lambda: nn.Sequential(nn.Conv2d(32, 1, 3, 2, 1)),
            "nn.Conv2d with stride 2 halves the size: going up takes nn.ConvTranspose2d",
            lambda call: bool(layers(call, nn.Conv2d)),
        ),
        (
            lambda: nn.Sequential(nn.ConvTranspose2d(32, 1, 3, 2, 1, 1)),
            lambda call: (
                f"transpose convolutions in your decoder: {len(transposed(call))}; two of them double 7 twice"
            ),
            lambda call: len(transposed(call)) != 2,
        ),
        (
            lambda: decoder((2, 1, 0), (2, 1, 0), kernel=4),
            kernels,
            lambda call: [layer.kernel_size for layer in transposed(call)] != [(3, 3), (3, 3)],
        ),
        (
            lambda: decoder(middle=8),
            lambda call: (
                f"your decoder cannot take an input of 32 x 7 x 7 ({output(call)}): the first layer has 32 input "
                "channels, and the second takes as many as the first gives"
            ),
            lambda call: isinstance(output(call), str),
        ),
        (
            lambda: decoder(last=3),
            lambda call: (
                f"four inputs give {tuple(output(call).shape)}; an image has one grey channel, (4, 1, 28, 28)"
            ),
            lambda call: output(call).shape[:2] != (4, 1),
        ),
        (
            lambda: decoder((1, 1, 0), (1, 1, 0)),
            "both layers keep the size: give them stride=2",
        ),
        (
            lambda: decoder((1, 0, 0), (1, 0, 0)),
            "both layers have stride 1: give them stride=2",
        ),
        (lambda: decoder((2, 1, 0), (1, 1, 0)), ONLY_ONE),
        (lambda: decoder((2, 1, 1), (1, 1, 0)), ONLY_ONE),
        (
            lambda: decoder((2, 1, 0), (2, 1, 0)),
            "each layer falls one pixel short of doubling (7 => 13 => 25): that is what output_padding is for",
        ),
        (
            lambda: decoder((2, 1, 0), (2, 1, 1)),
            "only the second layer has output_padding=1: the first one gives 13 and not 14",
        ),
        (
            lambda: decoder((2, 1, 1), (2, 1, 0)),
            "only the first layer has output_padding=1: the second one gives 27 and not 28",
        ),
        (
            lambda: decoder((2, 0, 0), (2, 0, 0)),
            "without padding each layer gives one pixel too many (7 => 15 => 31): cut the frame off with padding=1",
        ),
        (
            lambda: decoder((2, 0, 1), (2, 0, 1)),
            "output_padding makes the image larger, and without padding=1 it is too large already (7 => 16 => 34)",
        ),
        (
            lambda: decoder(end=lambda: nn.Softmax(dim=1)),
            "softmax makes numbers that add up to 1, whereas each pixel may be any number in [0, 1]: end with "
            "nn.Sigmoid()",
            lambda call: bool(layers(call, (nn.Softmax, nn.Softmax2d, nn.LogSoftmax))),
        ),
        (
            lambda: decoder(end=nn.Identity),
            pixel_range,
            lambda call: call.right and not 0 <= output(call).min() <= output(call).max() <= 1,
        ),
        (
            lambda: decoder(between=nn.Identity),
            NO_RELU,
            lambda call: call.right and not layers(call, (nn.ReLU, nn.SiLU, nn.GELU, nn.LeakyReLU)),
        ),
        (lambda: decoder(between=nn.Sigmoid), NO_RELU),
    ),
    told=(
        (lambda: list(decoder()), "your function returned a list of 4; return an nn.Sequential"),
        (lambda: 28, "your function returned a int"),
        (lambda: decoder((3, 1, 1), (2, 1, 1)), "Work the size out"),
    ),
    hints=(
        "The side is (n - 1) · stride + kernel - 2 · padding + output_padding. Kernel 3 and stride 2 are given: "
        "which of the others make 2n of it?",
        "padding=1 leaves 2n - 1. One more row and column come from output_padding=1.",
        "nn.Sequential(nn.ConvTranspose2d(32, 16, ...), nn.ReLU(), nn.ConvTranspose2d(16, 1, ...), nn.Sigmoid())",
    ),
    praise="An odd kernel needs output_padding to double the size exactly; kernel 4 does not, so we use that.",
)


# --- one image through a model with BatchNorm ---


class TinyAutoencoder(nn.Module):
    """A model that computes something else in training mode, as every model with BatchNorm does."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm2d(1), nn.Sigmoid())

    def forward(self, x):
        if x.dtype == torch.uint8:
            raise Wrong("the model was given whole numbers from 0 to 255: to_pixels makes pixels in [0, 1].")
        if x.max() > 1:
            raise Wrong(f"the model was given numbers up to {x.max():.0f}: divide by 255, or use to_pixels.")
        return self.layers(x)


def reconstruct(model, image):
    model.eval()
    with torch.no_grad():
        return model(to_pixels(image[None]))[0, 0]


def in_training_mode(model, image):
    with torch.no_grad():
        return model.train()(to_pixels(image[None]))[0, 0]


def with_gradient(model, image):
    return model.eval()(to_pixels(image[None]))[0, 0]


@torch.inference_mode()
def without_slices(model, image):
    return model.train(False)(image.view(1, 1, 28, 28) / 255).squeeze()


def single_cases():
    model = Spy("model", TinyAutoencoder(), {"x": (1, 1, 28, 28)})
    return [(model.train(), torch.randint(0, 256, (28, 28), dtype=torch.uint8))]


UP_TO_255 = "your pixels reach up to 255: return them in [0, 1], as the model gives them"

exercise(
    "reconstruct_one",
    objective="apply a trained model with BatchNorm to a single image",
    level=2,
    points=2,
    given=single_cases,
    solution=reconstruct,
    also_right=(without_slices, lambda model, image: with_gradient(model, image).detach()),
    compare=Tensor("a tensor (28, 28)", rtol=0, atol=1e-4, gradient=False),
    otherwise="Return the pixels of model(x) unchanged.",
    mistakes=(
        (
            lambda model, image: reconstruct(model, image)[None, None],
            "a batch of one image goes in, and a batch of one comes out: take the image out with [0, 0]",
        ),
        (
            in_training_mode,
            "you forgot model.eval(): in training mode BatchNorm uses mean and variance of the images that it is "
            "given, here of a single one",
        ),
        (lambda model, image: 255 * reconstruct(model, image), UP_TO_255),
        (lambda model, image: (255 * reconstruct(model, image)).byte(), UP_TO_255),
    ),
    told=(
        (with_gradient, "carries a gradient: compute it inside torch.no_grad()"),
        (lambda model, image: model(image[None, None]), "whole numbers from 0 to 255"),
        (lambda model, image: model(image / 255), "your x has the shape (28, 28)"),
        (lambda model, image: model(image[None, None].float()), "numbers up to 255"),
        (
            lambda model, image: model(to_pixels(image[None]).repeat(4, 1, 1, 1)),
            "your x has the shape (4, 1, 28, 28)",
        ),
        (lambda model, image: 1 - reconstruct(model, image), "Return the pixels of model(x) unchanged"),
        (lambda model, image: reconstruct(model, image).numpy(), "return a tensor (28, 28)"),
    ),
    hints=(
        "to_pixels takes images (N, 28, 28). image[None] makes a batch of one out of one image.",
        "Two lines come before the model is called: model.eval(), and with torch.no_grad().",
        "The model returns (1, 1, 28, 28); [0, 0] takes the image out.",
    ),
    praise="In eval mode the reconstruction of an image is the same, whichever images stand beside it.",
)


# --- which comparisons are fair ---

# Made-up results. The best error of all belongs to another code size; the training errors turn one comparison round;
# at 16 the worse run stands first; at 64 numbers only one model was measured on held-out images, twice.
RUNS = (
    {"model": "mlp", "code_size": 16, "images": "train", "error": 5.0},
    {"model": "mlp", "code_size": 16, "images": "test", "error": 8.2},
    {"model": "conv", "code_size": 16, "images": "test", "error": 7.1},
    {"model": "conv", "code_size": 16, "images": "train", "error": 6.8},
    {"model": "mlp", "code_size": 8, "images": "test", "error": 14.0},
    {"model": "conv", "code_size": 8, "images": "test", "error": 15.5},
    {"model": "mlp", "code_size": 64, "images": "test", "error": 2.4},
    {"model": "mlp", "code_size": 64, "images": "test", "error": 2.5},
    {"model": "conv", "code_size": 64, "images": "train", "error": 1.9},
)


def winners(runs, images=("test",), alone=False, pick=min, differ="model"):
    """The model with the smallest error at each code size where the runs differ in their `model`; `alone`: at all."""
    found = {}
    for size in sorted({run["code_size"] for run in runs}):
        own = [run for run in runs if run["code_size"] == size and run["images"] in images]
        if own and (alone or len({run[differ] for run in own}) > 1):
            found[size] = pick(own, key=lambda run: run["error"])["model"]
    return found


ONLY_THE_MLP = "at 64 numbers only the MLP was measured on test images, twice: there is no winner"
NOT_COMPARED = (
    "one of your winners has a larger error on test images than the other model: compare the errors of both"
)

exercise(
    "fair_winners",
    objective="tell which results may be compared, and draw no conclusion from the others",
    level=2,
    points=2,
    given=lambda: [([dict(run) for run in RUNS],)],
    solution=winners,
    compare=Value("a dict, code size to model", (dict, str)),
    otherwise="Go through the runs by hand.",
    mistakes=(
        (
            lambda runs: "mlp",
            lambda call: (
                f"you named one winner of all ({call.result!r}), but a longer code can hold more: compare within each "
                "code size"
            ),
            lambda call: isinstance(call.result, str),
        ),
        (
            lambda runs: {8: 14.0, 16: 7.1},
            lambda call: f"the values must be names of models, such as 'conv'; you have {call.result}",
            lambda call: not all(isinstance(winner, str) for winner in call.result.values()),
        ),
        (
            lambda runs: winners(runs, ("train",)),
            "you compared errors on training images: the MLP looks better than it is",
        ),
        (
            lambda runs: winners(runs, ("train",), alone=True),
            "you compared errors on training images",
        ),
        (
            lambda runs: winners(runs, ("test", "train")),
            "you mixed training and test errors: keep the runs on test images only",
        ),
        (lambda runs: winners(runs, alone=True), ONLY_THE_MLP),
        (lambda runs: winners(runs, differ="error"), ONLY_THE_MLP),
        (lambda runs: winners(runs, pick=lambda own, key: own[0]), NOT_COMPARED),
        (lambda runs: winners(runs, pick=lambda own, key: own[-1]), NOT_COMPARED),
        (lambda runs: winners(runs, pick=max), "you took the largest error: small is good"),
        (
            lambda runs: winners(runs, alone=True, pick=max),
            "you took the largest error, and at 64 numbers there is no second model",
        ),
    ),
    told=(
        (lambda runs: {8: "mlp"}, "Go through the runs by hand"),
        (lambda runs: ["mlp", "conv"], "return a dict, code size to model"),
    ),
    hints=(
        "Which of the runs may be compared at all? Leave the others out first.",
        "Keep the runs on held-out images (images == 'test'), and group them by code_size.",
        "A group with one model only has no winner. In the others, take the model with the smallest error.",
    ),
    praise="Same code size, held-out images, both models measured: only then does the architecture decide.",
)
