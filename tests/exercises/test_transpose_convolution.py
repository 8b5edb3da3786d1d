"""The classic mistakes of notebook 04's exercises, each with its own diagnosis."""

import pytest
import torch

from course_utils.exercises import check


def scatter(
    y,
    w,
    stride,
    step=None,
    size=lambda n, k, s: (n - 1) * s + k,
    add=True,
    kernel=lambda w: w,
    value=lambda v: v,
):
    """Scatter-add with a switch for each mistake."""
    step = stride if step is None else step
    k = len(w)
    x = torch.zeros(size(y.shape[0], k, stride), size(y.shape[1], k, stride))
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            part = x[i * step : i * step + k, j * step : j * step + k]
            part.copy_(part * add + value(y[i, j]) * kernel(w))
    return x


def right_size(size, kernel, stride, padding, output_padding, dilation):
    return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1


def sums(w, stride, pick=lambda part: part.sum()):
    return torch.tensor(
        [[pick(w[a::stride, b::stride]).item() for b in range(stride)] for a in range(stride)]
    )


def block_sums(w, s):
    return torch.tensor(
        [[w[a * s : (a + 1) * s, b * s : (b + 1) * s].sum().item() for b in range(s)] for a in range(s)]
    )


MISTAKES = [
    ("scatter_with_stride", lambda y, w, stride: scatter(y, w, 1), "you forgot the stride: the next"),
    (
        "scatter_with_stride",
        lambda y, w, stride: scatter(y, w, stride, step=1),
        "forgot the stride in the places",
    ),
    ("scatter_with_stride", lambda y, w, stride: scatter(y, w, stride, add=False), "you overwrite"),
    (
        "scatter_with_stride",
        lambda y, w, stride: scatter(y, w, stride, kernel=lambda w: w.flip(0, 1)),
        "turned the kernel by 180 degrees: each pixel puts down the kernel as it is (for y",
    ),
    (
        "scatter_with_stride",
        lambda y, w, stride: scatter(y, w, stride, kernel=lambda w: w.T),
        "swapped rows and columns of the kernel",
    ),
    ("scatter_with_stride", lambda y, w, stride: scatter(y, w, stride).T, "your result is transposed"),
    ("scatter_with_stride", lambda y, w, stride: scatter(y, w, stride, value=lambda v: 1), "the bare kernel"),
    (
        "scatter_with_stride",
        lambda y, w, stride: scatter(y, w, stride, size=lambda n, k, s: n * s + k),
        "your x is too large, (6, 7) instead of (5, 6)",
    ),
    ("scatter_with_stride", lambda y, w, stride: scatter(y, w, stride)[1:], "yours is (4, 6)"),
    (
        "scatter_with_stride",
        lambda y, w, stride: scatter(y, w, stride) + 1,
        "differ from PyTorch's by up to 1",
    ),
    ("scatter_with_stride", lambda y, w, stride: y.numpy(), "a tensor (H, W) is asked for"),
    (
        "transpose_output_size",
        lambda size, kernel, stride, padding, output_padding, dilation: (
            (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        ),
        "formula of the forward convolution",
    ),
    (
        "transpose_output_size",
        lambda n, k, s, p, o, d: right_size(n, k, s, p, 0, d),
        "you forgot output_padding",
    ),
    (
        "transpose_output_size",
        lambda n, k, s, p, o, d: right_size(n, k, s, p, 2 * o, d),
        "output_padding twice",
    ),
    (
        "transpose_output_size",
        lambda n, k, s, p, o, d: right_size(n, k, s, p, -o, d),
        "subtracted output_padding",
    ),
    (
        "transpose_output_size",
        lambda n, k, s, p, o, d: (n - 1) * s - p + d * (k - 1) + o + 1,
        "counted the padding once, but it is cut off",
    ),
    ("transpose_output_size", lambda n, k, s, p, o, d: right_size(n, k, s, -p, o, d), "has the wrong sign"),
    (
        "transpose_output_size",
        lambda n, k, s, p, o, d: right_size(n, k, s, 0, o, d),
        "left out the padding, which cuts",
    ),
    ("transpose_output_size", lambda n, k, s, p, o, d: right_size(n, k, s, p, o, 1), "you forgot dilation"),
    (
        "transpose_output_size",
        lambda n, k, s, p, o, d: (n - 1) * s - 2 * p + d * k + o,
        "not dilation × kernel",
    ),
    (
        "transpose_output_size",
        lambda n, k, s, p, o, d: n * s - 2 * p + d * (k - 1) + o + 1,
        "one step of the stride too many",
    ),
    ("transpose_output_size", lambda *setting: right_size(*setting) - 1, "you are one short"),
    ("transpose_output_size", lambda n, k, s, p, o, d: n * s, "you only multiplied by the stride"),
    ("transpose_output_size", lambda *setting: float(right_size(*setting)), "but of type float: nothing"),
    ("transpose_output_size", lambda *setting: 0, "you gave 0, PyTorch gives 6. Follow"),
    ("transpose_output_size", lambda *setting: torch.tensor(3), "but a size is one whole number"),
    ("choose_output_padding", lambda n, k, s, p: 0, "you never ask for more rows"),
    ("choose_output_padding", lambda n, k, s, p: 1, "1 is a common choice"),
    ("choose_output_padding", lambda n, k, s, p: s - 1, "stride - 1 is the most"),
    ("choose_output_padding", lambda n, k, s, p: n % s, "you left out kernel and padding"),
    ("choose_output_padding", lambda n, k, s, p: (n - k) % s, "left out the padding: the convolution"),
    (
        "choose_output_padding",
        lambda n, k, s, p: (n + p - k) % s,
        "counted the padding once, but the convolution",
    ),
    ("choose_output_padding", lambda n, k, s, p: -(n + 2 * p - k) % s, "missing to the next full step"),
    ("choose_output_padding", lambda n, k, s, p: (n + 2 * p - k) // s, "number of whole steps"),
    (
        "choose_output_padding",
        lambda n, k, s, p: float((n + 2 * p - k) % s),
        "which nn.ConvTranspose2d refuses",
    ),
    ("choose_output_padding", lambda n, k, s, p: 3, "wrong output_padding (size 28"),
    ("choose_output_padding", lambda n, k, s, p: torch.tensor(1), "but one whole number is asked for"),
    ("phase_sums", block_sums, "you summed blocks of neighbours"),
    ("phase_sums", lambda w, stride: sums(w, stride).T, "rows and columns are swapped: [a, b]"),
    ("phase_sums", lambda w, stride: sums(torch.ones_like(w), stride), "you counted the weights"),
    ("phase_sums", lambda w, stride: sums(w, stride, torch.mean), "you averaged the weights"),
    ("phase_sums", lambda w, stride: sums(w.abs(), stride), "you added absolute values"),
    ("phase_sums", lambda w, stride: sums(w.square(), stride), "you added squares"),
    (
        "phase_sums",
        lambda w, stride: sums(w.flip(0, 1), stride),
        "turned the kernel by 180 degrees: each pixel puts down the kernel as it is (for a kernel",
    ),
    ("phase_sums", lambda w, stride: w[:stride, :stride], "you took the first weight of each kind"),
    ("phase_sums", lambda w, stride: sums(w, stride).flatten(), "has shape (2, 2); yours is (4,)"),
    ("phase_sums", lambda w, stride: sums(w, stride) + torch.eye(stride), "the sum at ["),
    ("phase_sums", lambda w, stride: sums(w, stride).tolist(), "returned a list"),
]
ANSWERS = {
    "scatter_with_stride": scatter,
    "transpose_output_size": right_size,
    "choose_output_padding": lambda size, kernel, stride, padding: (size + 2 * padding - kernel) % stride,
    "phase_sums": sums,
}


@pytest.mark.parametrize(("name", "mistake", "diagnosis"), MISTAKES)
def test_each_mistake_gets_its_own_diagnosis(name, mistake, diagnosis, assert_own_diagnosis):
    assert_own_diagnosis(name, mistake, diagnosis, MISTAKES)


@pytest.mark.parametrize("name", ANSWERS)
def test_right_answers_pass_and_stubs_are_to_do(name, capsys):
    check(name, ANSWERS[name])
    assert capsys.readouterr().out.startswith(f"Right ({name})")
    check(name, lambda *arguments: None)
    assert capsys.readouterr().out.startswith(f"To do ({name})")


def test_the_reference_is_pytorch_itself(capsys):
    """The checks hold their own reference answers; PyTorch must pass them."""
    check(
        "scatter_with_stride",
        lambda y, w, stride: torch.conv_transpose2d(y[None, None], w[None, None], stride=stride)[0, 0],
    )
    check(
        "transpose_output_size",
        lambda n, k, s, p, o, d: torch.nn.ConvTranspose2d(1, 1, k, s, p, o, dilation=d)(
            torch.zeros(1, 1, n, n)
        ).shape[2],
    )
    assert capsys.readouterr().out.count("Right (") == 2


def test_chosen_output_padding_leads_back_in_pytorch(capsys):
    def by_trial(size, kernel, stride, padding):
        small = torch.nn.Conv2d(1, 1, kernel, stride, padding)(torch.zeros(1, 1, size, size))
        for extra in range(stride):
            if torch.nn.ConvTranspose2d(1, 1, kernel, stride, padding, extra)(small).shape[2] == size:
                return extra

    check("choose_output_padding", by_trial)
    assert capsys.readouterr().out.startswith("Right (")
