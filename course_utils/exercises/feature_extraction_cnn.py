"""Exercises of notebook 02: convolutions and nearest neighbours."""

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


# --- a convolution with stride and padding ---


def convolve(image, kernel, stride=1, padding=0):
    return F.conv2d(image[None, None], kernel[None, None], None, stride, padding)[0, 0]


def with_loops(image, kernel, stride, padding):
    image, size = F.pad(image, (padding,) * 4).double(), len(kernel)
    rows = range(0, image.shape[0] - size + 1, stride)
    return torch.tensor(
        [[(image[i : i + size, j : j + size] * kernel).sum().item() for j in rows] for i in rows]
    )


def images_to_convolve():
    # One setting after the other, so that what is left out is told one at a time.
    settings = ((8, 1, 0), (8, 1, 1), (8, 2, 0), (9, 2, 1), (10, 3, 2))
    return [(torch.randn(n, n), torch.randn(3, 3), stride, padding) for n, stride, padding in settings]


exercise(
    "convolve_with_stride",
    objective="build padding and stride on top of a plain convolution",
    level=2,
    points=2,
    given=images_to_convolve,
    solution=convolve,
    also_right=(with_loops, lambda x, w, s, p: convolve(x.double(), w.double(), s, p)),
    compare=Tensor("a tensor (H, W)"),
    describe=lambda x, w, s, p: f"for an image of {len(x)} × {len(x)}, stride {s} and padding {p}",
    mistakes=(
        (
            lambda x, w, s, p: convolve(x, w, s),
            "you left out the padding: the image needs a frame of zeros first",
        ),
        (
            lambda x, w, s, p: convolve(x, w, 1, p),
            "you left out the stride: keep only every stride-th place",
        ),
        (
            lambda x, w, s, p: convolve(x, w.flip(0, 1), s, p),
            "you turned the kernel by 180 degrees, as mathematics does: networks leave it as it is",
        ),
        (
            lambda x, w, s, p: convolve(F.pad(x, (p, 0, p, 0)), w, s),
            "you padded at the left and at the top only: the right and the bottom need zeros as well",
        ),
        (
            lambda x, w, s, p: convolve(x[::s, ::s], w, 1, p),
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
    ),
    told=(
        (lambda *given: convolve(*given)[None], "your result has shape (1, 6, 6), right is (6, 6)"),
        (lambda *given: convolve(*given) / 9, "the shape is right, but at ["),
        (lambda *given: convolve(*given).numpy(), "return a tensor (H, W)"),
    ),
    hints=(
        "Padding comes first: F.pad(image, (left, right, top, bottom)) puts zeros around the image.",
        "A stride of 2 computes what a stride of 1 computes, and keeps every second row and column.",
        "`convolve` from above does the rest: slice its result with [::stride, ::stride].",
    ),
    praise="nn.Conv2d does just this for every pair of channels, and sums over the input channels.",
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


def includes_itself(indices):
    return (indices == torch.arange(len(indices))[:, None]).any(dim=1).all()


exercise(
    "nearest_others",
    objective="search a set of images by the distance of their features",
    level=2,
    points=2,
    # Columns of very different scale: Euclidean, city-block and cosine neighbours differ.
    given=lambda: [(torch.randn(12, 12) * torch.linspace(0.5, 3, 12) + 1, 3)],
    solution=lambda f, k: nearest(distances(f), k),
    also_right=(
        lambda f, k: distances(f).argsort(dim=1)[:, 1 : k + 1],
        lambda f, k: nearest(distances(f.double()), k),
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
            lambda call: wrong_but(call, includes_itself),
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
