"""Exercises of notebook 02: convolutions, receptive fields and nearest neighbours."""

import math

import torch
import torch.nn.functional as F

from course_utils.exercises.compare import Tensor, Whole
from course_utils.exercises.engine import exercise

# --- the size of the output ---


def size_after(n, k, s, p):
    return (n + 2 * p - k) // s + 1


exercise(
    "conv_output_size",
    objective="predict the output size of a convolution from kernel, stride and padding",
    points=2,
    # The first is odd on purpose, so that rounding shows.
    given=lambda: [(28, 5, 2, 2), (28, 3, 1, 0), (7, 4, 2, 0), (32, 4, 2, 1), (10, 3, 3, 1), (5, 5, 1, 0)],
    together=True,
    solution=size_after,
    also_right=(
        lambda n, k, s, p: F.conv2d(torch.zeros(1, 1, n, n), torch.zeros(1, 1, k, k), None, s, p).shape[2],
        lambda *setting: torch.tensor(size_after(*setting)),
    ),
    compare=Whole("a size, which is one whole number"),
    describe=lambda n, k, s, p: f"for size {n}, kernel {k}, stride {s}, padding {p}",
    otherwise="Count the positions of the kernel in the padded input.",
    mistakes=(
        (
            lambda n, k, s, p: (n + 2 * p - k) / s + 1,
            "you did not round, but there are no half positions: use // for the division",
        ),
        (
            lambda n, k, s, p: (n + 2 * p - k) // s,
            "the + 1 is missing: the kernel's first position counts, too",
        ),
        (
            lambda n, k, s, p: (n + p - k) // s + 1,
            "you counted the padding once, but it is added on both sides",
        ),
        (
            lambda n, k, s, p: (n - k) // s + 1,
            "you left out the padding, which makes the input larger by 2 × padding",
        ),
        (
            lambda n, k, s, p: math.ceil((n + 2 * p - k) / s) + 1,
            "you rounded up, but a kernel that would stick out at the end is left out: round down, with //",
        ),
        (
            lambda n, k, s, p: (n + 2 * p - k) * s + 1,
            "you multiplied by the stride, but longer steps make fewer positions: divide",
        ),
        (
            lambda n, k, s, p: n + 2 * p - k + 1,
            "you left out the stride: only every stride-th position is used",
        ),
        (
            lambda n, k, s, p: (n + 2 * p - k + 1) // s,
            "you added the 1 before you divided: it stands for the first position, so add it after the division",
        ),
        (
            lambda n, k, s, p: (n + 2 * p) // s,
            "you left out the kernel: its first position already covers that many pixels",
        ),
    ),
    told=(
        (lambda *setting: float(size_after(*setting)), "of type float: use // to get whole numbers"),
        (lambda n, k, s, p: n, "you have 28, right is 14. Count"),
        (
            lambda n, k, s, p: (n, n),
            "return a size, which is one whole number; your function returned a tuple",
        ),
    ),
    hints=(
        "Along one side, the padded input has size + 2 × padding pixels. How far can the kernel move in it?",
        "It can move by size + 2 × padding - kernel pixels, in steps of stride. Count its positions, and do not forget "
        "the first.",
    ),
    praise="You can now predict the shape behind every convolution and every pooling layer.",
)


# --- a convolution over channels, with stride and padding ---


def convolve(image, kernel, stride=1, padding=0):
    return F.conv2d(image[None], kernel[None], None, stride, padding)[0, 0]


def with_loops(image, kernel, stride, padding):
    image, size = F.pad(image, (padding,) * 4).double(), kernel.shape[1]
    rows, columns = (range(0, side - size + 1, stride) for side in image.shape[1:])
    return torch.tensor(
        [[(image[:, i : i + size, j : j + size] * kernel).sum().item() for j in columns] for i in rows]
    )


def images_to_convolve():
    # One setting after the other, so that what is left out is told one at a time.
    settings = (
        ((3, 8, 8), 3, 1, 0),
        ((3, 8, 8), 3, 1, 1),
        ((3, 8, 8), 3, 2, 0),
        ((3, 9, 9), 3, 2, 1),
        ((3, 10, 10), 3, 3, 2),
        ((2, 8, 8), 4, 1, 0),
        ((3, 8, 11), 3, 2, 1),
    )
    return [
        (torch.randn(shape), torch.randn(shape[0], k, k), stride, padding)
        for shape, k, stride, padding in settings
    ]


exercise(
    "convolve_channels",
    objective="build a convolution over several channels, with padding and stride, from a plain one",
    level=2,
    points=2,
    given=images_to_convolve,
    solution=convolve,
    also_right=(with_loops, lambda x, w, s, p: convolve(x.double(), w.double(), s, p)),
    compare=Tensor("a tensor (H, W)"),
    describe=lambda x, w, s, p: (
        f"for an image of shape {tuple(x.shape)}, a kernel of {w.shape[1]}, stride {s} and padding {p}"
    ),
    mistakes=(
        (
            lambda x, w, s, p: convolve(x[:1], w[:1], s, p),
            "you used the first channel only: each channel has a kernel of its own, and the results are added",
        ),
        (
            lambda x, w, s, p: convolve(x, w, s, p) / len(x),
            "you averaged over the channels: a convolution adds them up",
        ),
        (
            lambda x, w, s, p: F.conv2d(x[:, None], w[:, None], None, s, p).diagonal().permute(2, 0, 1),
            "you returned a map for each channel: add them up, so that one kernel over all channels gives one map",
        ),
        (
            lambda x, w, s, p: convolve(x, w[:1].expand_as(w), s, p),
            "you used the first channel's kernel for all of them: channel c has the kernel w[c]",
        ),
        (
            lambda x, w, s, p: convolve(x, w, s),
            "you left out the padding: the image needs a frame of zeros first",
        ),
        (
            lambda x, w, s, p: convolve(x, w, 1, p),
            "you left out the stride: keep only every stride-th place",
        ),
        (
            lambda x, w, s, p: convolve(x, w.flip(1, 2), s, p),
            "you turned the kernel by 180 degrees, as mathematics does: networks leave it as it is",
        ),
        (
            lambda x, w, s, p: convolve(F.pad(x, (p, 0, p, 0)), w, s),
            "you padded at the left and at the top only: the right and the bottom need zeros as well",
        ),
        (
            lambda x, w, s, p: convolve(x[:, ::s, ::s], w, 1, p),
            "you thinned out the image before the convolution: the kernel has to see all pixels, but stand only at "
            "every stride-th place",
        ),
        (
            lambda x, w, s, p: convolve(x, w, 1, p)[::s],
            "you applied the stride to the rows only: the columns need it as well",
        ),
        (
            lambda x, w, s, p: convolve(x, w, 1, p)[:, ::s],
            "you applied the stride to the columns only: the rows need it as well",
        ),
        (
            lambda x, w, s, p: F.pad(convolve(x, w, s), (p,) * 4),
            "you put the zeros around the result: they belong around the image, before the convolution",
        ),
        (
            lambda x, w, s, p: convolve(x, w, s, p)[:, : (x.shape[1] + 2 * p - w.shape[1]) // s + 1],
            "you made as many columns as rows, but an image need not be square",
        ),
    ),
    told=(
        (lambda *given: convolve(*given)[None], "your result has shape (1, 6, 6), right is (6, 6)"),
        (lambda *given: convolve(*given) / 9, "the shape is right, but at ["),
        (lambda *given: convolve(*given).numpy(), "return a tensor (H, W)"),
    ),
    hints=(
        "Channel c of the image meets channel c of the kernel: convolve(x[c], w[c]). Add up these maps.",
        "Padding comes first: F.pad(x, (left, right, top, bottom)) puts zeros around every channel.",
        "A stride of 2 computes what a stride of 1 computes, and keeps every second row and column: slice the sum "
        "with [::stride, ::stride].",
    ),
    praise="nn.Conv2d does just this, once for each output channel, and adds a bias.",
)


# --- the receptive field ---


def field_of(layers):
    size, step = 1, 1
    for kernel, stride in layers:
        size += (kernel - 1) * step
        step *= stride
    return size


def field_with(grow, start=1):
    """A receptive field in which a layer changes (size, step) by `grow(size, step, kernel, stride)`."""

    def wrong(layers):
        size, step = start, 1
        for kernel, stride in layers:
            size, step = grow(size, step, kernel, stride)
        return size

    return wrong


exercise(
    "receptive_field",
    objective="derive how far a unit sees from the kernels and strides below it",
    level=2,
    points=2,
    given=lambda: [
        ([(5, 1), (2, 2), (3, 1)],),
        ([(3, 1), (3, 1)],),
        ([(3, 2), (3, 2), (3, 2)],),
        ([(4, 3), (2, 1), (5, 2), (3, 1)],),
        ([(5, 1), (2, 2), (3, 1), (2, 2), (3, 1), (2, 2)],),
    ],
    together=True,
    solution=field_of,
    also_right=(lambda layers: torch.tensor(field_of(layers)),),
    compare=Whole("the side of the receptive field, which is one whole number"),
    describe=lambda layers: f"for the layers {layers}",
    otherwise="Draw two layers in one dimension, and count the pixels under one unit of the upper layer.",
    mistakes=(
        (
            field_with(lambda size, step, k, s: (size + k - 1, step)),
            "you left out the strides: behind a layer of stride 2, neighbouring units are 2 pixels apart",
        ),
        (
            field_with(lambda size, step, k, s: (size + (k - 1) * step * s, step * s)),
            "you counted a layer's own stride for its own kernel: its stride spreads only the layers above it",
        ),
        (
            field_with(lambda size, step, k, s: (size + (k - 1) * step, s)),
            "you used the stride of the layer below alone: the strides of all layers below multiply",
        ),
        (
            field_with(lambda size, step, k, s: (size + (k - 1) * step, step + s - 1)),
            "you added the strides up: those of all layers below multiply",
        ),
        (
            field_with(lambda size, step, k, s: (size + k * step, step * s)),
            "you added the whole kernel: one of its numbers lies on pixels that were counted already, so add "
            "(kernel - 1)",
        ),
        (
            field_with(lambda size, step, k, s: (size + (k - 1) * step, step * s), start=0),
            "you started at 0: without any layer, a unit is a pixel and sees 1",
        ),
        (
            field_with(lambda size, step, k, s: (size * k, step)),
            "you multiplied the kernels: the pixels under neighbouring places overlap, so the field grows by a sum",
        ),
        (
            lambda layers: layers[-1][0],
            "you returned the last kernel alone: each of the places under it sees several pixels itself",
        ),
    ),
    told=(
        (lambda layers: float(field_of(layers)), "of type float"),
        (lambda layers: 7, "you have 7, right is 10. Draw"),
    ),
    hints=(
        "Go from the bottom to the top, and keep two numbers: the size of the field, 1 at first, and the step, the "
        "distance in pixels of two neighbouring units, 1 at first.",
        "A kernel of k covers k units, which are a step apart. By how many pixels is that wider than one unit's field?",
        "The field grows by (kernel - 1) × step. Then the step grows by the factor stride.",
    ),
    praise="A network whose receptive field is smaller than the object cannot see it as a whole.",
)


# --- nearest neighbours ---


def distances(features, p=2.0):
    return torch.cdist(features, features, p=p)


def nearest(distance, k):
    """The indices of the k smallest distances of each row, leaving the diagonal out."""
    return distance.clone().fill_diagonal_(math.inf).topk(k, largest=False).indices


def wrong_but(call, condition):
    """Whether the result is wrong, but has the right shape, and `condition(result)` holds."""
    return not call.right and call.result.shape == call.expected.shape and bool(condition(call.result))


def itself(indices):
    """Which points are among their own neighbours."""
    return (indices == torch.arange(len(indices))[:, None]).any(dim=1)


def points():
    """Columns of very different scale: Euclidean, city-block and cosine neighbours differ."""
    return torch.randn(12, 12) * torch.linspace(0.5, 3, 12) + 1


def points_with_copies():
    """Four points stand there twice. They are far apart and from all others, so that no other distances are equal."""
    twice = 100 * torch.eye(12)[:4] + torch.randn(4, 12)
    return torch.cat([twice, points()[:8], twice])


def without_all_zeros(features, k):
    """As right as the solution where no point occurs twice."""
    distance = distances(features)
    return distance.masked_fill(distance == 0, math.inf).topk(k, largest=False).indices


def without_the_first(features, k):
    """As right as the solution where no point occurs twice. Of two copies, either may be sorted first."""
    return distances(features).argsort(dim=1, stable=True)[:, 1 : k + 1]


exercise(
    "nearest_others",
    objective="find the fault in a search whose result is too good",
    level=2,
    points=2,
    given=lambda: [(points(), 3), (points_with_copies(), 2)],
    solution=lambda f, k: nearest(distances(f), k),
    also_right=(
        lambda f, k: nearest(distances(f.double()), k),
        lambda f, k: nearest(distances(f) ** 2, k),
    ),
    compare=Tensor("the indices alone, a tensor (N, k)"),
    describe=lambda f, k: f"for {len(f)} points and k = {k}",
    otherwise="Print the distances of one point, and look at the smallest ones.",
    mistakes=(
        (
            lambda f, k: distances(f).fill_diagonal_(math.inf).topk(k, largest=False).values,
            "your function returned numbers of type float, which look like distances: return indices",
            lambda call: call.result.is_floating_point(),
        ),
        (
            lambda f, k: nearest(distances(f), k).T,
            "you took the smallest along the columns (dim 0): each row belongs to one point",
        ),
        (
            lambda f, k: distances(f).topk(k, largest=False).indices,
            "every point is its own first neighbour, at distance 0: leave the point itself out",
        ),
        (
            lambda f, k: distances(f).topk(k + 1, largest=False).indices[:, [1, 0, 2]],
            "every point is among its own neighbours: leave the point itself out",
            lambda call: wrong_but(call, lambda indices: itself(indices).all()),
        ),
        (
            lambda f, k: nearest(distances(f), k).flip(1),
            "you found the right neighbours, but not in order: the nearest comes first",
            lambda call: wrong_but(call, lambda i: torch.equal(i.sort().values, call.expected.sort().values)),
        ),
        (
            lambda f, k: nearest(-distances(f), k),
            "these are the farthest points, not the nearest: distances have to be small",
        ),
        (lambda f, k: nearest(distances(f, p=1.0), k), "you summed absolute differences: add up squares"),
        (lambda f, k: nearest(-f @ f.T, k), "you ranked by the dot product: use the distance"),
        (
            lambda f, k: nearest(-F.normalize(f) @ F.normalize(f).T, k),
            "you ranked by the angle (cosine): use the distance",
        ),
        (
            lambda f, k: nearest(distances(f.T), k),
            "you compared columns, not rows: each row of features is one point",
        ),
        (lambda f, k: nearest(distances(f), 3), "you wrote for three neighbours: take k of them"),
        (
            without_all_zeros,
            "some points occur twice here: you left out the copy as well, which is the nearest other one, so leave the "
            "point out by its index",
        ),
        (
            without_the_first,
            "some points occur twice here, and what you left out as the nearest is then the copy and not the point: "
            "leave the point out by its index",
            lambda call: wrong_but(call, lambda indices: itself(indices).any() and not itself(indices).all()),
        ),
    ),
    told=(
        (lambda f, k: distances(f).topk(k), "returned a topk of 2; return the indices alone"),
        (lambda f, k: nearest(distances(f), k + 2), "has shape (12, 5), right is (12, 3)"),
        (lambda f, k: nearest(distances(f), k).numpy(), "return the indices alone, a tensor (N, k)"),
        (lambda f, k: (torch.arange(12)[:, None] + torch.arange(1, 4)) % 12, "Print the distances of one"),
    ),
    hints=(
        "torch.cdist(features, features) holds all distances. What stands on its diagonal?",
        "Set the diagonal to infinity (fill_diagonal_), so that no point is its own neighbour.",
        "distances.topk(k, largest=False) gives the smallest values of each row, and their indices.",
    ),
    praise="This is a search engine for images: only the features decide what counts as similar.",
)
