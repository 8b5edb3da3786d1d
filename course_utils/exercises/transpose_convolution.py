"""Exercises of notebook 04: scatter-add, sizes of transpose convolutions, and what makes checkerboards."""

import torch

from course_utils.exercises.registry import Wrong, call, exercise


def _scatter(y: torch.Tensor, w: torch.Tensor, stride: int) -> torch.Tensor:
    """The transpose convolution of y (H, W) with kernel w (k, k), without padding."""
    k = len(w)
    x = torch.zeros((y.shape[0] - 1) * stride + k, (y.shape[1] - 1) * stride + k)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            x[i * stride : i * stride + k, j * stride : j * stride + k] += y[i, j] * w
    return x


def _overwrite(y: torch.Tensor, w: torch.Tensor, stride: int) -> torch.Tensor:
    k = len(w)
    x = torch.zeros((y.shape[0] - 1) * stride + k, (y.shape[1] - 1) * stride + k)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            x[i * stride : i * stride + k, j * stride : j * stride + k] = y[i, j] * w
    return x


def _without_steps(y: torch.Tensor, w: torch.Tensor, stride: int) -> torch.Tensor:
    """The right size, but every contribution at the place that it has with stride 1."""
    x = torch.zeros_like(_scatter(y, w, stride))
    close = _scatter(y, w, 1)
    x[: close.shape[0], : close.shape[1]] = close
    return x


SCATTER_MISTAKES = (
    (
        lambda y, w, s: _scatter(y, w, 1),
        "you forgot the stride: the next input pixel starts `stride` rows or columns further on",
    ),
    (
        _without_steps,
        "the size is right, but you forgot the stride in the places: pixel (i, j) starts at row i × stride, "
        "column j × stride",
    ),
    (
        _overwrite,
        "you overwrite where kernels overlap: contributions to the same output are added, with +=",
    ),
    (
        lambda y, w, s: _scatter(y, w.flip(0, 1), s),
        "you turned the kernel by 180 degrees: each pixel puts down the kernel as it is",
    ),
    (
        lambda y, w, s: _scatter(y, w.T, s),
        "you swapped rows and columns of the kernel",
    ),
    (
        lambda y, w, s: _scatter(y.T, w.T, s),
        "your result is transposed: rows come first in x, as in y",
    ),
    (
        lambda y, w, s: _scatter(torch.ones_like(y), w, s),
        "you put down the bare kernel: multiply it by the input pixel y[i, j]",
    ),
)


@exercise(
    "scatter_with_stride",
    hints=(
        "Only two things change: where a contribution starts, and how large x is.",
        "Pixel (i, j) starts at row i * stride and column j * stride. Its slice is as long as the kernel.",
        "The last row of y starts at (y.shape[0] - 1) * stride; the kernel needs w.shape[0] rows from there.",
    ),
    praise="This is nn.ConvTranspose2d for one input and one output channel, without its padding.",
)
def check_scatter_with_stride(answer) -> None:
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(3, 3, generator=generator)
    # Stride 1 first: whoever fails there has another problem than the stride. y is no square, so that swapped
    # axes show.
    for stride in (1, 2, 3):
        y = torch.randn(3, 4, generator=generator)
        result = call(answer, y.clone(), w.clone(), stride)
        if not isinstance(result, torch.Tensor):
            raise Wrong(
                f"your function returned a {type(result).__name__}, but a tensor (H, W) is asked for."
            )
        _diagnose_scatter(result, y, w, stride)


def _diagnose_scatter(result: torch.Tensor, y: torch.Tensor, w: torch.Tensor, stride: int) -> None:
    expected = _scatter(y, w, stride)
    if _same(result, expected):
        return
    case = f"for y of {tuple(y.shape)}, w of {tuple(w.shape)} and stride {stride}"
    for mistake, diagnosis in SCATTER_MISTAKES:
        if _same(result, mistake(y, w, stride)):
            raise Wrong(f"{diagnosis} ({case}).")
    if result.ndim == 2 and all(got > right for got, right in zip(result.shape, expected.shape, strict=True)):
        rows, columns = expected.shape
        if (
            _same(result[:rows, :columns], expected)
            and not result[rows:].any()
            and not result[:, columns:].any()
        ):
            raise Wrong(
                f"your x is too large, {tuple(result.shape)} instead of {tuple(expected.shape)}: its last "
                "rows and columns stay empty, since only size - 1 steps of the stride lie between the first "
                f"and the last pixel ({case})."
            )
    if result.shape != expected.shape:
        raise Wrong(f"{case} the result has shape {tuple(expected.shape)}; yours is {tuple(result.shape)}.")
    difference = (result - expected).abs().max().item()
    raise Wrong(
        f"{case} the shape is right, but the numbers differ from PyTorch's by up to {difference:.3g}."
    )


def _same(result: torch.Tensor, expected: torch.Tensor) -> bool:
    return result.shape == expected.shape and torch.allclose(result.float(), expected, atol=1e-5)


# (size, kernel, stride, padding, output_padding, dilation): the first ones ask for little, so that a formula
# which leaves out several things is told about one thing at a time.
SIZE_SETTINGS = (
    (4, 3, 1, 0, 0, 1),
    (7, 2, 2, 0, 0, 1),
    (7, 4, 2, 1, 0, 1),
    (7, 3, 2, 1, 1, 1),
    (5, 3, 2, 0, 0, 2),
    (6, 5, 3, 2, 2, 3),
)


def _size(n: int, k: int, s: int, p: int, o: int, d: int) -> int:
    return (n - 1) * s - 2 * p + d * (k - 1) + o + 1


SIZE_MISTAKES = (
    (
        lambda n, k, s, p, o, d: (n + 2 * p - d * (k - 1) - 1) // s + 1,
        "this is the formula of the forward convolution, which makes images smaller: you need the way back",
    ),
    (
        lambda n, k, s, p, o, d: (n + 2 * p - k) // s + 1,
        "this is the formula of the forward convolution, which makes images smaller: you need the way back",
    ),
    (
        lambda n, k, s, p, o, d: _size(n, k, s, p, 0, d),
        "you forgot output_padding, which adds rows at the bottom and columns at the right",
    ),
    (
        lambda n, k, s, p, o, d: _size(n, k, s, p, 2 * o, d),
        "you added output_padding twice, but it is added on one side only",
    ),
    (
        lambda n, k, s, p, o, d: _size(n, k, s, p, -o, d),
        "you subtracted output_padding, but it makes the output larger",
    ),
    (
        lambda n, k, s, p, o, d: _size(n, k, s, p, o, d) + p,
        "you counted the padding once, but it is cut off on both sides",
    ),
    (
        lambda n, k, s, p, o, d: _size(n, k, s, -p, o, d),
        "the padding has the wrong sign: in a transpose convolution it cuts rows and columns off",
    ),
    (
        lambda n, k, s, p, o, d: _size(n, k, s, 0, o, d),
        "you left out the padding, which cuts rows and columns off on both sides",
    ),
    (
        lambda n, k, s, p, o, d: _size(n, k, s, p, o, 1),
        "you forgot dilation: the kernel's rows lie dilation apart, so it covers more of them",
    ),
    (
        lambda n, k, s, p, o, d: (n - 1) * s - 2 * p + d * k + o,
        "a dilated kernel covers dilation × (kernel - 1) + 1 rows, not dilation × kernel: its gaps lie only "
        "between its rows",
    ),
    (
        lambda n, k, s, p, o, d: n * s - 2 * p + d * (k - 1) + o + 1,
        "you count one step of the stride too many: from first to last pixel there are size - 1 steps",
    ),
    (
        lambda n, k, s, p, o, d: _size(n, k, s, p, o, d) - 1,
        "you are one short: a kernel that starts at row a covers the rows a to a + dilation × (kernel - 1), "
        "both included",
    ),
    (
        lambda n, k, s, p, o, d: n * s,
        "you only multiplied by the stride: the kernel and the padding count as well",
    ),
)


@exercise(
    "transpose_output_size",
    hints=(
        "Where does the kernel of the last input pixel start? It is size - 1 steps away from the first one.",
        "From there on, a kernel with gaps covers dilation * (kernel - 1) + 1 rows.",
        "Then padding cuts off rows on both sides, and output_padding adds rows on one side.",
    ),
    praise="You can now plan a decoder on paper, layer by layer.",
)
def check_transpose_output_size(answer) -> None:
    given = [call(answer, *setting) for setting in SIZE_SETTINGS]
    if any(isinstance(size, torch.Tensor) or not isinstance(size, (int, float)) for size in given):
        raise Wrong(f"your function returned a {type(given[0]).__name__}, but a size is one whole number.")
    expected = [_size(*setting) for setting in SIZE_SETTINGS]
    if given == expected:
        if any(isinstance(size, float) for size in given):
            raise Wrong("your sizes are right, but of type float: nothing has to be divided here.")
        return
    wrong = next(i for i in range(len(given)) if given[i] != expected[i])
    names = ("size", "kernel", "stride", "padding", "output_padding", "dilation")
    setting = ", ".join(f"{name} {value}" for name, value in zip(names, SIZE_SETTINGS[wrong], strict=True))
    case = f"for {setting} you gave {given[wrong]:.4g}, PyTorch gives {expected[wrong]}"
    for mistake, diagnosis in SIZE_MISTAKES:
        if given == [mistake(*setting) for setting in SIZE_SETTINGS]:
            raise Wrong(f"{diagnosis} ({case}).")
    raise Wrong(f"{case}. Follow the last input pixel: where its kernel starts, and where it ends.")


# (size, kernel, stride, padding)
RETURN_SETTINGS = (
    (28, 4, 2, 1),
    (28, 3, 2, 1),
    (14, 3, 2, 1),
    (13, 3, 2, 1),
    (28, 5, 3, 0),
    (29, 5, 3, 1),
    (30, 4, 4, 1),
)

RETURN_MISTAKES = (
    (lambda n, k, s, p: 0, "you never ask for more rows. That is right only where the stride fits exactly"),
    (lambda n, k, s, p: 1, "1 is a common choice, but not always the right one"),
    (lambda n, k, s, p: s - 1, "stride - 1 is the most that is allowed, but not always what is missing"),
    (lambda n, k, s, p: n % s, "you left out kernel and padding: the rest of what division is it?"),
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
        "you have the number of whole steps: the rest of the division (%) is what they do not reach",
    ),
)


@exercise(
    "choose_output_padding",
    hints=(
        "First compute the size behind the convolution: (size + 2 * padding - kernel) // stride + 1.",
        "Then compute what a transpose convolution without output_padding makes of it. What is missing?",
        "Both together are the rest of a division: (size + 2 * padding - kernel) % stride.",
    ),
    praise="The rounding of the forward convolution loses these rows, and output_padding brings them back.",
)
def check_choose_output_padding(answer) -> None:
    given = [call(answer, *setting) for setting in RETURN_SETTINGS]
    if any(isinstance(value, torch.Tensor) or not isinstance(value, (int, float)) for value in given):
        raise Wrong(f"your function returned a {type(given[0]).__name__}, but one whole number is asked for.")
    expected = [(n + 2 * p - k) % s for n, k, s, p in RETURN_SETTINGS]
    if given == expected:
        if any(isinstance(value, float) for value in given):
            raise Wrong("your numbers are right, but of type float, which nn.ConvTranspose2d refuses: use %.")
        return
    wrong = next(i for i in range(len(given)) if given[i] != expected[i])
    n, k, s, p = RETURN_SETTINGS[wrong]
    small = (n + 2 * p - k) // s + 1
    case = (
        f"size {n}, kernel {k}, stride {s}, padding {p}: the convolution gives {small}, and output_padding "
        f"{given[wrong]:.4g} would lead back to {_size(small, k, s, p, given[wrong], 1):.4g}, not to {n}"
    )
    for mistake, diagnosis in RETURN_MISTAKES:
        if given == [mistake(*setting) for setting in RETURN_SETTINGS]:
            raise Wrong(f"{diagnosis} ({case}).")
    raise Wrong(f"wrong output_padding ({case}).")


def _phase_sums(w: torch.Tensor, stride: int) -> torch.Tensor:
    return torch.stack(
        [torch.stack([w[a::stride, b::stride].sum() for b in range(stride)]) for a in range(stride)]
    )


def _block_sums(w: torch.Tensor, stride: int) -> torch.Tensor:
    blocks = [
        [w[a * stride :, b * stride :][:stride, :stride].sum() for b in range(stride)] for a in range(stride)
    ]
    return torch.stack([torch.stack(row) for row in blocks])


SUM_MISTAKES = (
    (
        _block_sums,
        "you summed blocks of neighbours: weights of one kind lie stride apart, w[a::stride, b::stride]",
    ),
    (
        lambda w, s: _phase_sums(w, s).T,
        "rows and columns are swapped: [a, b] means rows a, a + stride, ... and columns b, b + stride, ...",
    ),
    (
        lambda w, s: _phase_sums(torch.ones_like(w), s),
        "you counted the weights: that is the coverage. Add up their values",
    ),
    (
        lambda w, s: _phase_sums(w, s) / _phase_sums(torch.ones_like(w), s),
        "you averaged the weights: a transpose convolution adds them up",
    ),
    (
        lambda w, s: _phase_sums(w.abs(), s),
        "you added absolute values, but weights of opposite sign cancel out",
    ),
    (
        lambda w, s: _phase_sums(w.square(), s),
        "you added squares: an input of ones adds up the weights themselves",
    ),
    (
        lambda w, s: _phase_sums(w.flip(0, 1), s),
        "you turned the kernel by 180 degrees: each pixel puts down the kernel as it is",
    ),
    (lambda w, s: w[:s, :s], "you took the first weight of each kind: add up all of them"),
)


@exercise(
    "phase_sums",
    hints=(
        "Which weights can arrive at output row 0, 2, 4, ...? With stride 2 only the kernel's rows 0, 2, ...",
        "w[a::stride, b::stride] takes every stride-th row from a on and every stride-th column from b on.",
        "Fill a tensor of zeros: sums[a, b] = w[a::stride, b::stride].sum() for all a and b below stride.",
    ),
    praise="If these sums are equal, a plain area stays plain; if they differ, it turns into a checkerboard.",
)
def check_phase_sums(answer) -> None:
    generator = torch.Generator().manual_seed(0)
    for kernel, stride in ((4, 2), (3, 2), (5, 3)):
        w = torch.randn(kernel, kernel, generator=generator)
        result = call(answer, w.clone(), stride)
        if not isinstance(result, torch.Tensor):
            raise Wrong(f"your function returned a {type(result).__name__}, but a tensor is asked for.")
        expected = _phase_sums(w, stride)
        if _same(result, expected):
            continue
        case = f"for a kernel of {kernel} × {kernel} and stride {stride}"
        for mistake, diagnosis in SUM_MISTAKES:
            if _same(result, mistake(w, stride)):
                raise Wrong(f"{diagnosis} ({case}).")
        if result.shape != expected.shape:
            raise Wrong(
                f"{case} the result has shape {tuple(expected.shape)}; yours is {tuple(result.shape)}."
            )
        a, b = divmod(int((result - expected).abs().argmax()), stride)
        raise Wrong(f"{case} the sum at [{a}, {b}] is {expected[a, b]:.4f}; you have {result[a, b]:.4f}.")
