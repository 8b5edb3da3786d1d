"""Exercises of notebook 04: scatter-add, sizes of transpose convolutions, a decoder to repair, checkerboards."""

import torch
from torch import nn

from course_utils.exercises.compare import Network, Tensor, Whole
from course_utils.exercises.engine import Call, Mistake, exercise

# --- scatter-add with a stride ---


def scatter(h, w, stride, step=None, add=True):
    """The transpose convolution of h (H, W) with kernel w (k, k), without padding; `step`, `add`: with a mistake."""
    k, step = len(w), step or stride
    x = torch.zeros((h.shape[0] - 1) * stride + k, (h.shape[1] - 1) * stride + k)
    for i in range(h.shape[0]):
        for j in range(h.shape[1]):
            part = x[i * step : i * step + k, j * step : j * step + k]
            part.copy_(part * add + h[i, j] * w)
    return x


def too_large(h, w, stride):
    x = torch.zeros(h.shape[0] * stride + len(w), h.shape[1] * stride + len(w))
    right = scatter(h, w, stride)
    x[: right.shape[0], : right.shape[1]] = right
    return x


def scatter_of_three(h, w, stride):
    x = torch.zeros((h.shape[0] - 1) * stride + 3, (h.shape[1] - 1) * stride + 3)
    for i in range(h.shape[0]):
        for j in range(h.shape[1]):
            x[i * stride : i * stride + 3, j * stride : j * stride + 3] += h[i, j] * w
    return x


def scatter_cases():
    # Stride 1 first: whoever fails there has another problem than the stride. h is no square, so that swapped axes
    # show, and not all kernels have a side of 3, so that a 3 in the place of len(w) does.
    return [
        (torch.randn(3, 4), torch.randn(k, k), stride)
        for k, stride in ((3, 1), (3, 2), (3, 3), (4, 2), (2, 3))
    ]


exercise(
    "scatter_with_stride",
    objective="compute a transpose convolution by adding up scaled copies of the kernel",
    level=2,
    points=3,
    given=scatter_cases,
    solution=scatter,
    also_right=(lambda h, w, s: torch.conv_transpose2d(h[None, None], w[None, None], stride=s)[0, 0],),
    compare=Tensor("a tensor (H, W)"),
    describe=lambda h, w, s: f"for h of {tuple(h.shape)}, w of {tuple(w.shape)} and stride {s}",
    mistakes=(
        (
            lambda h, w, s: scatter(h, w, 1),
            "you forgot the stride: the next input pixel starts `stride` rows or columns further on",
        ),
        (
            lambda h, w, s: scatter(h, w, s, step=1),
            "the size is right, but you forgot the stride in the places: pixel (i, j) starts at row i × stride, "
            "column j × stride",
        ),
        (
            lambda h, w, s: scatter(h, w, s, add=False),
            "you overwrite where kernels overlap: contributions to the same output are added, with +=",
        ),
        (
            lambda h, w, s: scatter(h, w.flip(0, 1), s),
            "you turned the kernel by 180 degrees: each pixel puts down the kernel as it is",
        ),
        (lambda h, w, s: scatter(h, w.T, s), "you swapped rows and columns of the kernel"),
        (
            lambda h, w, s: scatter(h.T, w.T, s),
            "your result is transposed: rows come first in x, as in h",
        ),
        (
            lambda h, w, s: scatter(torch.ones_like(h), w, s),
            "you put down the bare kernel: multiply it by the input pixel h[i, j]",
        ),
        (
            too_large,
            "your x is too large, and its last rows and columns stay empty: only size - 1 steps of the stride lie "
            "between the first and the last pixel",
        ),
    ),
    told=(
        (lambda h, w, s: scatter(h, w, s)[1:], "your result has shape (4, 6), right is (5, 6)"),
        (lambda h, w, s: scatter(h, w, s) + 1, "the shape is right, but at ["),
        (lambda h, w, s: h.numpy(), "return a tensor (H, W)"),
        (scatter_of_three, "raised RuntimeError in its line 5: The size of tensor a (3)"),
    ),
    hints=(
        "Start from zeros, go over all pixels of h, and add h[i, j] * w to a slice of x as large as the kernel.",
        "Pixel (i, j) starts at row i * stride and column j * stride. Its slice is as long as the kernel.",
        "The last row of h starts at (h.shape[0] - 1) * stride; the kernel needs w.shape[0] rows from there.",
    ),
    praise="This is nn.ConvTranspose2d for one input and one output channel, without its padding.",
)


# --- the size of the output ---


def size_after(n, k, s, p, o):
    """The side of the output of a transpose convolution: Dumoulin & Visin (2016), relationship 14."""
    return (n - 1) * s - 2 * p + k + o


def size_in_words(size, kernel, stride, padding, output_padding):
    return f"for size {size}, kernel {kernel}, stride {stride}, padding {padding}, output_padding {output_padding}"


FORWARD = "this is the formula of the forward convolution, which makes images smaller: you need the way back"

exercise(
    "transpose_output_size",
    objective="predict the output size of a transpose convolution from its settings",
    level=1,
    points=2,
    # The first ones ask for little, so that a formula which leaves out several things is told about one at a time.
    given=lambda: [
        (4, 3, 1, 0, 0),
        (7, 2, 2, 0, 0),
        (7, 4, 2, 1, 0),
        (7, 3, 2, 1, 1),
        (5, 3, 2, 0, 0),
        (6, 5, 3, 2, 2),
    ],
    together=True,
    solution=size_after,
    also_right=(
        lambda n, k, s, p, o: nn.ConvTranspose2d(1, 1, k, s, p, o)(torch.zeros(1, 1, n, n)).shape[2],
        lambda *setting: torch.tensor(size_after(*setting)),
    ),
    compare=Whole(
        "a size, which is one whole number",
        "your sizes are right, but of type float: nothing is to be divided here.",
    ),
    describe=size_in_words,
    otherwise="Follow the last input pixel: where its kernel starts, and where it ends.",
    mistakes=(
        (lambda n, k, s, p, o: (n + 2 * p - k) // s + 1, FORWARD),
        (
            lambda n, k, s, p, o: size_after(n, k, s, p, 0),
            "you forgot output_padding, which adds rows at the bottom and columns at the right",
        ),
        (
            lambda n, k, s, p, o: size_after(n, k, s, p, 2 * o),
            "you added output_padding twice, but it is added on one side only",
        ),
        (
            lambda n, k, s, p, o: size_after(n, k, s, p, -o),
            "you subtracted output_padding, but it makes the output larger",
        ),
        (
            lambda n, k, s, p, o: size_after(n, k, s, p, o) + p,
            "you counted the padding once, but it is cut off on both sides",
        ),
        (
            lambda n, k, s, p, o: size_after(n, k, s, -p, o),
            "the padding has the wrong sign: in a transpose convolution it cuts rows and columns off",
        ),
        (
            lambda n, k, s, p, o: size_after(n, k, s, 0, o),
            "you left out the padding, which cuts rows and columns off on both sides",
        ),
        (
            lambda n, k, s, p, o: size_after(n + 1, k, s, p, o),
            "you count one step of the stride too many: from first to last pixel there are size - 1 steps",
        ),
        (
            lambda n, k, s, p, o: size_after(n, k, s, p, o) - 1,
            "you are one short: a kernel that starts at row a covers the rows a to a + kernel - 1, both included",
        ),
        (
            lambda n, k, s, p, o: n * s,
            "you only multiplied by the stride: the kernel and the padding count as well",
        ),
    ),
    told=(
        (lambda *setting: float(size_after(*setting)), "but of type float: nothing"),
        (lambda *setting: 0, "you have 0, right is 6. Follow"),
        (lambda *setting: torch.zeros(3), "return a size, which is one whole number"),
    ),
    hints=(
        "Where does the kernel of the last input pixel start? It is size - 1 steps away from the first one.",
        "From there on, its copy covers `kernel` rows.",
        "Then padding cuts off rows on both sides, and output_padding adds rows on one side.",
    ),
    praise="You can now plan a decoder on paper, layer by layer.",
)


# --- a decoder to repair ---


def decoder_of(first, second, stride=3, channels=(8, 8)):
    """16 x 9 x 9 => 8 x 27 x 27 => 1 x 81 x 81 if all is right; each layer's kernel, padding and output_padding."""
    (k1, p1, o1), (k2, p2, o2) = first, second
    return nn.Sequential(
        nn.ConvTranspose2d(16, channels[0], k1, stride=stride, padding=p1, output_padding=o1),
        nn.ReLU(),
        nn.ConvTranspose2d(channels[1], 1, k2, stride=stride, padding=p2, output_padding=o2),
    )


def transposed_layers(made: Call) -> list:
    return [layer for layer in made.result.modules() if isinstance(layer, nn.ConvTranspose2d)]


class OwnModule(nn.Module):
    """A right decoder whose order of layers only its `forward` knows."""

    def __init__(self):
        super().__init__()
        self.layers = decoder_of((6, 2, 1), (6, 2, 1))

    def forward(self, h):
        return self.layers(h)


def sides(made: Call) -> list[int]:
    """Each layer's output side, by the formula, from 9 on: the heights, or if these are right, the widths."""
    for axis in (0, 1):
        side, found = 9, []
        for layer in transposed_layers(made):
            settings = (layer.kernel_size, layer.stride, layer.padding, layer.output_padding)
            side = size_after(side, *(setting[axis] for setting in settings))
            found.append(side)
        if found != [27, 81]:
            break
    return found


def unevenly_covered(made: Call) -> bool:
    return any(size % 3 for layer in transposed_layers(made) for size in layer.kernel_size)


def beyond_all_copies(made: Call) -> bool:
    """Whether output_padding gives back more than padding has cut off, on either axis of a layer."""
    return any(
        more > cut
        for layer in transposed_layers(made)
        for more, cut in zip(layer.output_padding, layer.padding)
    )


def is_affine(network: nn.Module) -> bool:
    """Whether f(x) + f(-x) = 2 f(0), as for layers without an activation between them."""
    x = torch.linspace(-100, 100, 16 * 9 * 9).view(1, 16, 9, 9)
    with torch.no_grad():
        output, bend = network(x), network(x) + network(-x) - 2 * network(torch.zeros_like(x))
    return bool(bend.abs().max() <= 1e-3 * output.abs().max())


def up_to_last_convolution(made: Call) -> nn.Module:
    """The answer without what stands behind its last transpose convolution, which may be an activation."""
    parts = list(made.result)
    while not any(isinstance(layer, nn.ConvTranspose2d) for layer in parts[-1].modules()):
        parts.pop()
    return nn.Sequential(*parts)


UNEVEN = "a kernel is no multiple of the stride, so that outputs get different numbers of copies"
LINEAR = "keep the ReLU between the layers: without it they are linear together, and do no more than one layer could"

exercise(
    "repaired_decoder",
    objective="choose kernel and padding of a decoder's layers so that sizes fit and all outputs get as many copies",
    level=2,
    points=3,
    given=lambda: [()],
    solution=lambda: decoder_of((6, 2, 1), (6, 2, 1)),
    also_right=(
        lambda: decoder_of((3, 0, 0), (9, 3, 0)),
        lambda: decoder_of((9, 4, 2), (6, 2, 1)),
        lambda: decoder_of(((6, 3), (2, 0), (1, 0)), (6, 2, 1)),
    ),
    compare=Network("the repaired nn.Sequential", (1, 16, 9, 9)),
    otherwise="Follow the side of the image through both layers with the formula.",
    mistakes=(
        Mistake(
            OwnModule,
            "return the decoder as the one above is written, as an nn.Sequential of its layers: the check reads their "
            "order and their settings there",
            told_if=lambda made: not isinstance(made.result, nn.Sequential),
        ),
        Mistake(
            lambda: nn.Sequential(nn.Upsample(scale_factor=9), nn.Conv2d(16, 1, 3, padding=1)),
            "keep two transpose convolutions: their kernel, padding and output_padding are what is wrong",
            told_if=lambda made: len(transposed_layers(made)) != 2,
        ),
        Mistake(
            lambda: decoder_of((4, 1, 0), (4, 1, 0), stride=2),
            "keep the stride of 3, and no dilation, in both layers: 9 × 9 is enlarged to 27 × 27 and then to 81 × 81",
            told_if=lambda made: any(
                (layer.stride, layer.dilation) != ((3, 3), (1, 1)) for layer in transposed_layers(made)
            ),
        ),
        Mistake(lambda: decoder_of((4, 1, 1), (6, 2, 1)), UNEVEN, told_if=unevenly_covered),
        Mistake(lambda: decoder_of((4, 1, 2), (4, 2, 0)), UNEVEN, told_if=unevenly_covered),
        Mistake(lambda: decoder_of(*[((6, 4), (2, 1), 1)] * 2), UNEVEN, told_if=unevenly_covered),
        Mistake(
            lambda: decoder_of((3, 1, 2), (6, 2, 1)),
            "a layer has more output_padding than padding: what exceeds the padding is filled with zeros, so that the "
            "last rows and columns get no copy at all",
            told_if=beyond_all_copies,
        ),
        Mistake(
            lambda: decoder_of((6, 2, 0), (6, 2, 0)),
            lambda made: (
                f"all outputs get as many copies now, but the sides are {' and '.join(map(str, sides(made)))} where 27 "
                "and 81 are asked for"
            ),
            told_if=lambda made: sides(made) != [27, 81],
        ),
        Mistake(
            lambda: decoder_of((6, 2, 1), (6, 2, 1))[::2],
            LINEAR,
            told_if=lambda made: made.right and is_affine(up_to_last_convolution(made)),
        ),
        Mistake(
            lambda: nn.Sequential(*decoder_of((6, 2, 1), (6, 2, 1))[::2], nn.ReLU()),
            LINEAR,
            told_if=lambda made: made.right and is_affine(up_to_last_convolution(made)),
        ),
    ),
    told=(
        (
            lambda: nn.Sequential(
                *decoder_of((6, 2, 1), (6, 2, 1))[:2], nn.ConvTranspose2d(8, 2, 3, stride=3)
            ),
            "Your network makes (1, 2, 81, 81) of (1, 16, 9, 9)",
        ),
        (
            lambda: decoder_of((3, 0, 0), (6, 2, 1), channels=(8, 4)),
            "Your network fails on an input of shape",
        ),
        (lambda: [nn.ReLU()], "return the repaired nn.Sequential"),
    ),
    hints=(
        "Write the formula with stride 3 and ask for 3n: which kernel - 2 * padding + output_padding do you need?",
        "It must be 3. Which kernels give every output inside as many copies if the stride is 3?",
        "The kernel must be a multiple of 3. One choice is kernel 6 with padding 2 and output_padding 1.",
    ),
    praise="Kernel 3, 6 or 9 will do; the larger ones let neighbouring copies overlap, so that edges can be smooth.",
)


# --- what makes checkerboards ---


def phase_sums(w, stride, pick=torch.sum):
    return torch.stack(
        [torch.stack([pick(w[a::stride, b::stride]) for b in range(stride)]) for a in range(stride)]
    )


def block_sums(w, s):
    return torch.stack(
        [torch.stack([w[a * s : (a + 1) * s, b * s : (b + 1) * s].sum() for b in range(s)]) for a in range(s)]
    )


exercise(
    "phase_sums",
    objective="explain checkerboards by the sums of the weights that reach each kind of output pixel",
    level=2,
    points=3,
    given=lambda: [(torch.randn(kernel, kernel), stride) for kernel, stride in ((4, 2), (3, 2), (5, 3))],
    solution=phase_sums,
    compare=Tensor("a tensor (stride, stride)"),
    describe=lambda w, s: f"for a kernel of {len(w)} × {len(w)} and stride {s}",
    mistakes=(
        (
            block_sums,
            "you summed blocks of neighbours: weights of one kind lie stride apart, w[a::stride, b::stride]",
        ),
        (
            lambda w, s: phase_sums(w, s).T,
            "rows and columns are swapped: [a, b] means rows a, a + stride, ... and columns b, b + stride, ...",
        ),
        (
            lambda w, s: phase_sums(torch.ones_like(w), s),
            "you counted the weights: that is the coverage. Add up their values",
        ),
        (
            lambda w, s: phase_sums(w, s, torch.mean),
            "you averaged the weights: a transpose convolution adds them up",
        ),
        (
            lambda w, s: phase_sums(w.abs(), s),
            "you added absolute values, but weights of opposite sign cancel out",
        ),
        (
            lambda w, s: phase_sums(w.square(), s),
            "you added squares: an input of ones adds up the weights themselves",
        ),
        (
            lambda w, s: phase_sums(w.flip(0, 1), s),
            "you turned the kernel by 180 degrees: each pixel puts down the kernel as it is",
        ),
        (lambda w, s: w[:s, :s], "you took the first weight of each kind: add up all of them"),
    ),
    told=(
        (lambda w, s: phase_sums(w, s).flatten(), "your result has shape (4,), right is (2, 2)"),
        (lambda w, s: phase_sums(w, s) + torch.eye(s), "the shape is right, but at ["),
        (lambda w, s: phase_sums(w, s).tolist(), "returned a list"),
    ),
    hints=(
        "Which weights can arrive at output row 0, 2, 4, ...? With stride 2 only the kernel's rows 0, 2, ...",
        "w[a::stride, b::stride] takes every stride-th row from a on and every stride-th column from b on.",
        "Fill a tensor of zeros: sums[a, b] = w[a::stride, b::stride].sum() for all a and b below stride.",
    ),
    praise="If these sums are equal, a plain area stays plain; if they differ, it turns into a checkerboard.",
)
