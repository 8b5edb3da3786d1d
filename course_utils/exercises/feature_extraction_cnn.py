"""Exercises of notebook 02: convolutions and nearest neighbours."""

import torch
import torch.nn.functional as F

from course_utils.exercises.registry import Wrong, call, exercise

# (size, kernel, stride, padding): the first is odd on purpose, so that rounding shows.
SETTINGS = ((28, 5, 2, 2), (28, 3, 1, 0), (7, 4, 2, 0), (32, 4, 2, 1), (10, 3, 3, 1), (5, 5, 1, 0))


def _size(size: int, kernel: int, stride: int, padding: int) -> int:
    return (size + 2 * padding - kernel) // stride + 1


SIZE_MISTAKES = (
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
        lambda n, k, s, p: -(-(n + 2 * p - k) // s) + 1,
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
)


@exercise(
    "conv_output_size",
    hints=(
        "Along one side, the padded input has size + 2 × padding pixels. How far can the kernel move in it?",
        "It can move by size + 2 × padding - kernel pixels, in steps of stride. Count its positions, and "
        "do not forget the first.",
    ),
    praise="You can now predict the shape behind every convolution and every pooling layer.",
)
def check_conv_output_size(answer) -> None:
    given = [call(answer, *setting) for setting in SETTINGS]
    if any(isinstance(size, torch.Tensor) or not isinstance(size, (int, float)) for size in given):
        raise Wrong(f"your function returned a {type(given[0]).__name__}, but a size is one whole number.")
    expected = [_size(*setting) for setting in SETTINGS]
    if given == expected:
        if any(isinstance(size, float) for size in given):
            raise Wrong("your sizes are right, but of type float: use // to get whole numbers.")
        return
    wrong = next(i for i in range(len(SETTINGS)) if given[i] != expected[i])
    n, k, s, p = SETTINGS[wrong]
    setting = f"for size {n}, kernel {k}, stride {s}, padding {p}"
    case = f"{setting} you gave {given[wrong]:.4g}, PyTorch gives {expected[wrong]}"
    if given == [(n + 2 * p - k) / s + 1 for n, k, s, p in SETTINGS]:
        raise Wrong(f"you did not round: {case}. There are no half positions; use // for the division.")
    for mistake, diagnosis in SIZE_MISTAKES:
        if given == [mistake(*setting) for setting in SETTINGS]:
            raise Wrong(f"{diagnosis} ({case}).")
    raise Wrong(f"{case}. Count the positions of the kernel in the padded input.")


@exercise(
    "convolve_with_stride",
    hints=(
        "Padding comes first: F.pad(image, (left, right, top, bottom)) puts zeros around the image.",
        "A stride of 2 computes what a stride of 1 computes, and keeps every second row and column.",
        "`convolve` from above does the rest: slice its result with [::stride, ::stride].",
    ),
    praise="nn.Conv2d does just this for every pair of channels, and sums over the input channels.",
)
def check_convolve_with_stride(answer) -> None:
    generator = torch.Generator().manual_seed(0)
    kernel = torch.randn(3, 3, generator=generator)
    for size, stride, padding in ((8, 1, 0), (8, 1, 1), (8, 2, 0), (9, 2, 1), (10, 3, 2)):
        image = torch.randn(size, size, generator=generator)
        result = call(answer, image.clone(), kernel.clone(), stride, padding)
        if not isinstance(result, torch.Tensor):
            raise Wrong(f"your function returned a {type(result).__name__}; return a tensor (H, W).")
        _diagnose_convolution(result, image, kernel, stride, padding)


def _diagnose_convolution(result, image, kernel, stride: int, padding: int) -> None:
    expected = _convolve(image, kernel, stride, padding)
    if _same(result, expected):
        return
    case = f"with stride {stride} and padding {padding}"
    mistakes = (
        (
            _convolve(image, kernel, stride, 0),
            "you left out the padding: the image needs a frame of zeros first",
        ),
        (_convolve(image, kernel, 1, padding), "you left out the stride: keep only every stride-th place"),
        (
            _convolve(image, kernel.flip(0, 1), stride, padding),
            "you turned the kernel by 180 degrees, as mathematics does: networks leave it as it is",
        ),
        (
            _convolve(F.pad(image, (padding, 0, padding, 0)), kernel, stride, 0),
            "you padded at the left and at the top only: the right and the bottom need zeros as well",
        ),
        (
            _convolve(image[::stride, ::stride], kernel, 1, padding),
            "you thinned out the image before the convolution: the kernel has to see all pixels, but stand "
            "only at every stride-th place",
        ),
        (
            _convolve(image, kernel, 1, padding)[::stride],
            "you applied the stride to the rows only: the columns need it as well",
        ),
        (
            _convolve(image, kernel, 1, padding)[:, ::stride],
            "you applied the stride to the columns only: the rows need it as well",
        ),
        (
            F.pad(_convolve(image, kernel, 1, 0)[::stride, ::stride], (padding,) * 4),
            "you put the zeros around the result: they belong around the image, before the convolution",
        ),
    )
    for wrong, diagnosis in mistakes:
        if _same(result, wrong):
            raise Wrong(f"{diagnosis} ({case}).")
    if result.shape != expected.shape:
        raise Wrong(
            f"{case} your result has shape {tuple(result.shape)}, but an image of {tuple(image.shape)} gives "
            f"{tuple(expected.shape)}."
        )
    difference = (result - expected).abs().max().item()
    raise Wrong(f"{case} the shape is right, but the numbers differ from F.conv2d by up to {difference:.3g}.")


def _convolve(image, kernel, stride: int, padding: int):
    return F.conv2d(image[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


def _same(result, expected) -> bool:
    return result.shape == expected.shape and torch.allclose(result, expected, atol=1e-5)


@exercise(
    "nearest_others",
    hints=(
        "torch.cdist(features, features) holds all distances. What stands on its diagonal?",
        "Set the diagonal to infinity (fill_diagonal_), so that no point is its own neighbour.",
        "distances.topk(k, largest=False) gives the smallest values of each row, and their indices.",
    ),
    praise="This is a search engine for images: only the features decide what counts as similar.",
)
def check_nearest_others(answer) -> None:
    # Columns of very different scale: Euclidean, city-block and cosine neighbours differ.
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(12, 12, generator=generator) * torch.linspace(0.5, 3, 12) + 1
    k = 3
    result = call(answer, features.clone(), k)
    if isinstance(result, tuple):
        raise Wrong(
            "your function returned several things (topk gives values and indices): return the indices."
        )
    if not isinstance(result, torch.Tensor):
        raise Wrong(f"your function returned a {type(result).__name__}; return a tensor (N, k) of indices.")
    if result.is_floating_point():
        raise Wrong(
            "your function returned numbers with decimals, which look like distances: return indices."
        )
    distances = torch.cdist(features, features)
    expected = _smallest(distances, k)
    if torch.equal(result, expected):
        return
    if result.shape != expected.shape:
        hint = " You took the smallest along the columns (dim 0)." if result.shape == expected.T.shape else ""
        raise Wrong(
            f"for {len(features)} points and k = {k} your result has shape {tuple(result.shape)}; one row "
            f"for each point has shape {tuple(expected.shape)}.{hint}"
        )
    own = torch.arange(len(features))[:, None]
    if (result == own).any(dim=1).all():
        if torch.equal(result, distances.topk(k, largest=False).indices):
            raise Wrong("every point is its own first neighbour, at distance 0: leave the point itself out.")
        raise Wrong("every point is among its own neighbours: leave the point itself out.")
    if torch.equal(result.sort(dim=1).values, expected.sort(dim=1).values):
        raise Wrong("you found the right neighbours, but not in order: the nearest comes first.")
    mistakes = (
        (-distances, "these are the farthest points, not the nearest: distances have to be small"),
        (torch.cdist(features, features, p=1), "you summed absolute differences: add up squares"),
        (-features @ features.T, "you ranked by the dot product: use the distance"),
        (_cosine_distances(features), "you ranked by the angle (cosine): use the distance"),
        (
            torch.cdist(features.T, features.T),
            "you compared columns, not rows: each row of features is one point",
        ),
    )
    for wrong_distances, diagnosis in mistakes:
        if torch.equal(result, _smallest(wrong_distances, k)):
            raise Wrong(f"{diagnosis}.")
    i = int((result != expected).any(dim=1).nonzero()[0, 0])
    raise Wrong(
        f"the neighbours of point {i} are {expected[i].tolist()}, you gave {result[i].tolist()}. "
        "Print its distances and look at the smallest ones."
    )


def _smallest(distances: torch.Tensor, k: int) -> torch.Tensor:
    return distances.clone().fill_diagonal_(float("inf")).topk(k, largest=False).indices


def _cosine_distances(features: torch.Tensor) -> torch.Tensor:
    unit = F.normalize(features, dim=1)
    return -unit @ unit.T
