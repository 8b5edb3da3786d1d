"""Exercises of notebook 04: scatter-add, sizes of transpose convolutions, and what makes checkerboards."""

import torch
from torch import nn

from course_utils.exercises.compare import Tensor, Whole
from course_utils.exercises.engine import exercise

# --- scatter-add with a stride ---


def scatter(y, w, stride, step=None, add=True):
    """The transpose convolution of y (H, W) with kernel w (k, k), without padding; `step`, `add`: with a mistake."""
    k, step = len(w), step or stride
    x = torch.zeros((y.shape[0] - 1) * stride + k, (y.shape[1] - 1) * stride + k)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            part = x[i * step : i * step + k, j * step : j * step + k]
            part.copy_(part * add + y[i, j] * w)
    return x


def too_large(y, w, stride):
    x = torch.zeros(y.shape[0] * stride + len(w), y.shape[1] * stride + len(w))
    right = scatter(y, w, stride)
    x[: right.shape[0], : right.shape[1]] = right
    return x


def scatter_cases():
    # Stride 1 first: whoever fails there has another problem than the stride. y is no square, so that swapped axes
    # show.
    w = torch.randn(3, 3)
    return [(torch.randn(3, 4), w.clone(), stride) for stride in (1, 2, 3)]


exercise(
    "scatter_with_stride",
    objective="compute a transpose convolution by adding up scaled copies of the kernel",
    level=2,
    points=3,
    given=scatter_cases,
    solution=scatter,
    also_right=(lambda y, w, s: torch.conv_transpose2d(y[None, None], w[None, None], stride=s)[0, 0],),
    compare=Tensor("a tensor (H, W)"),
    describe=lambda y, w, s: f"for y of {tuple(y.shape)}, w of {tuple(w.shape)} and stride {s}",
    mistakes=(
        (
            lambda y, w, s: scatter(y, w, 1),
            "you forgot the stride: the next input pixel starts `stride` rows or columns further on",
        ),
        (
            lambda y, w, s: scatter(y, w, s, step=1),
            "the size is right, but you forgot the stride in the places: pixel (i, j) starts at row i × stride, "
            "column j × stride",
        ),
        (
            lambda y, w, s: scatter(y, w, s, add=False),
            "you overwrite where kernels overlap: contributions to the same output are added, with +=",
        ),
        (
            lambda y, w, s: scatter(y, w.flip(0, 1), s),
            "you turned the kernel by 180 degrees: each pixel puts down the kernel as it is",
        ),
        (lambda y, w, s: scatter(y, w.T, s), "you swapped rows and columns of the kernel"),
        (
            lambda y, w, s: scatter(y.T, w.T, s),
            "your result is transposed: rows come first in x, as in y",
        ),
        (
            lambda y, w, s: scatter(torch.ones_like(y), w, s),
            "you put down the bare kernel: multiply it by the input pixel y[i, j]",
        ),
        (
            too_large,
            "your x is too large, and its last rows and columns stay empty: only size - 1 steps of the stride lie "
            "between the first and the last pixel",
        ),
    ),
    told=(
        (lambda y, w, s: scatter(y, w, s)[1:], "your result has shape (4, 6), right is (5, 6)"),
        (lambda y, w, s: scatter(y, w, s) + 1, "the shape is right, but at ["),
        (lambda y, w, s: y.numpy(), "return a tensor (H, W)"),
    ),
    hints=(
        "Only two things change: where a contribution starts, and how large x is.",
        "Pixel (i, j) starts at row i * stride and column j * stride. Its slice is as long as the kernel.",
        "The last row of y starts at (y.shape[0] - 1) * stride; the kernel needs w.shape[0] rows from there.",
    ),
    praise="This is nn.ConvTranspose2d for one input and one output channel, without its padding.",
)


# --- the size of the output ---


def size_after(n, k, s, p, o, d):
    """The side of the output of a transpose convolution: Dumoulin & Visin (2016), relationship 14, with dilation."""
    return (n - 1) * s - 2 * p + d * (k - 1) + o + 1


def size_in_words(size, kernel, stride, padding, *rest):
    more = "".join(f", {name} {value}" for name, value in zip(("output_padding", "dilation"), rest))
    return f"for size {size}, kernel {kernel}, stride {stride}, padding {padding}{more}"


FORWARD = "this is the formula of the forward convolution, which makes images smaller: you need the way back"

exercise(
    "transpose_output_size",
    objective="predict the output size of a transpose convolution from its five settings",
    level=1,
    points=2,
    # The first ones ask for little, so that a formula which leaves out several things is told about one at a time.
    given=lambda: [
        (4, 3, 1, 0, 0, 1),
        (7, 2, 2, 0, 0, 1),
        (7, 4, 2, 1, 0, 1),
        (7, 3, 2, 1, 1, 1),
        (5, 3, 2, 0, 0, 2),
        (6, 5, 3, 2, 2, 3),
    ],
    together=True,
    solution=size_after,
    also_right=(
        lambda n, k, s, p, o, d: nn.ConvTranspose2d(1, 1, k, s, p, o, dilation=d)(
            torch.zeros(1, 1, n, n)
        ).shape[2],
        lambda *setting: torch.tensor(size_after(*setting)),
    ),
    compare=Whole(
        "a size, which is one whole number",
        "your sizes are right, but of type float: nothing is to be divided here.",
    ),
    describe=size_in_words,
    otherwise="Follow the last input pixel: where its kernel starts, and where it ends.",
    mistakes=(
        (lambda n, k, s, p, o, d: (n + 2 * p - d * (k - 1) - 1) // s + 1, FORWARD),
        (lambda n, k, s, p, o, d: (n + 2 * p - k) // s + 1, FORWARD),
        (
            lambda n, k, s, p, o, d: size_after(n, k, s, p, 0, d),
            "you forgot output_padding, which adds rows at the bottom and columns at the right",
        ),
        (
            lambda n, k, s, p, o, d: size_after(n, k, s, p, 2 * o, d),
            "you added output_padding twice, but it is added on one side only",
        ),
        (
            lambda n, k, s, p, o, d: size_after(n, k, s, p, -o, d),
            "you subtracted output_padding, but it makes the output larger",
        ),
        (
            lambda n, k, s, p, o, d: size_after(n, k, s, p, o, d) + p,
            "you counted the padding once, but it is cut off on both sides",
        ),
        (
            lambda n, k, s, p, o, d: size_after(n, k, s, -p, o, d),
            "the padding has the wrong sign: in a transpose convolution it cuts rows and columns off",
        ),
        (
            lambda n, k, s, p, o, d: size_after(n, k, s, 0, o, d),
            "you left out the padding, which cuts rows and columns off on both sides",
        ),
        (
            lambda n, k, s, p, o, d: size_after(n, k, s, p, o, 1),
            "you forgot dilation: the kernel's rows lie dilation apart, so it covers more of them",
        ),
        (
            lambda n, k, s, p, o, d: (n - 1) * s - 2 * p + d * k + o,
            "a dilated kernel covers dilation × (kernel - 1) + 1 rows, not dilation × kernel: its gaps lie only "
            "between its rows",
        ),
        (
            lambda n, k, s, p, o, d: size_after(n + 1, k, s, p, o, d),
            "you count one step of the stride too many: from first to last pixel there are size - 1 steps",
        ),
        (
            lambda n, k, s, p, o, d: size_after(n, k, s, p, o, d) - 1,
            "you are one short: a kernel that starts at row a covers the rows a to a + dilation × (kernel - 1), "
            "both included",
        ),
        (
            lambda n, k, s, p, o, d: n * s,
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
        "From there on, a kernel with gaps covers dilation * (kernel - 1) + 1 rows.",
        "Then padding cuts off rows on both sides, and output_padding adds rows on one side.",
    ),
    praise="You can now plan a decoder on paper, layer by layer.",
)


# --- the output_padding that leads back ---


def by_trial(size, kernel, stride, padding):
    """The output_padding that PyTorch's own layers need to lead back to the size."""
    small = nn.Conv2d(1, 1, kernel, stride, padding)(torch.zeros(1, 1, size, size))
    for extra in range(stride):
        if nn.ConvTranspose2d(1, 1, kernel, stride, padding, extra)(small).shape[2] == size:
            return extra


exercise(
    "choose_output_padding",
    objective="choose the output_padding with which a transpose convolution undoes a convolution's size",
    level=2,
    points=2,
    given=lambda: [
        (28, 4, 2, 1),
        (28, 3, 2, 1),
        (14, 3, 2, 1),
        (13, 3, 2, 1),
        (28, 5, 3, 0),
        (29, 5, 3, 1),
        (30, 4, 4, 1),
    ],
    together=True,
    solution=lambda n, k, s, p: (n + 2 * p - k) % s,
    also_right=(by_trial,),
    compare=Whole(
        "one whole number",
        "your numbers are right, but of type float, which nn.ConvTranspose2d refuses: use %.",
    ),
    describe=size_in_words,
    otherwise="Compute the size behind the convolution first, and then what leads back from there.",
    mistakes=(
        (
            lambda n, k, s, p: 0,
            "you never ask for more rows, which is right only where the stride fits exactly",
        ),
        (lambda n, k, s, p: 1, "1 is a common choice, but not always the right one"),
        (
            lambda n, k, s, p: s - 1,
            "stride - 1 is the most that is allowed, but not always what is missing",
        ),
        (
            lambda n, k, s, p: n % s,
            "you left out kernel and padding: the remainder of which division is it?",
        ),
        (
            lambda n, k, s, p: (n - k) % s,
            "you left out the padding: the convolution walks over size + 2 × padding rows",
        ),
        (
            lambda n, k, s, p: (n + p - k) % s,
            "you counted the padding once, but the convolution pads both sides",
        ),
        (
            lambda n, k, s, p: -(n + 2 * p - k) % s,
            "you have what is missing to the next full step, but the rows that were left over are asked for",
        ),
        (
            lambda n, k, s, p: (n + 2 * p - k) // s,
            "you have the number of whole steps: the remainder (%) is what they do not reach",
        ),
    ),
    told=(
        (lambda n, k, s, p: float((n + 2 * p - k) % s), "which nn.ConvTranspose2d refuses"),
        (lambda n, k, s, p: 3, "For size 28, kernel 4, stride 2, padding 1: you have 3, right is 0"),
        (lambda n, k, s, p: [1], "return one whole number"),
    ),
    hints=(
        "First compute the size behind the convolution: (size + 2 * padding - kernel) // stride + 1.",
        "Then compute what a transpose convolution without output_padding makes of it. What is missing?",
        "Both together are the remainder of a division: (size + 2 * padding - kernel) % stride.",
    ),
    praise="The rounding of the forward convolution loses these rows, and output_padding brings them back.",
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
