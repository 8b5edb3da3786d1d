"""The classic mistakes of notebook 02's exercises, each with its own diagnosis."""

import math

import pytest
import torch
import torch.nn.functional as F

from course_utils.exercises import check


def convolve(image, kernel, stride=1, padding=0):
    return F.conv2d(image[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


def others(distances, k, largest=False):
    diagonal = -float("inf") if largest else float("inf")
    return distances.clone().fill_diagonal_(diagonal).topk(k, largest=largest)


def euclidean(features):
    return torch.cdist(features, features)


def cosine(features):
    return 1 - F.cosine_similarity(features[:, None], features[None], dim=2)


RIGHT = {
    "conv_output_size": lambda n, k, s, p: (n + 2 * p - k) // s + 1,
    "convolve_with_stride": convolve,
    "nearest_others": lambda features, k: others(euclidean(features), k).indices,
}
MISTAKES = [
    ("conv_output_size", lambda n, k, s, p: (n + 2 * p - k) // s, "the + 1 is missing"),
    ("conv_output_size", lambda n, k, s, p: (n + p - k) // s + 1, "counted the padding once"),
    ("conv_output_size", lambda n, k, s, p: (n - k) // s + 1, "left out the padding, which"),
    ("conv_output_size", lambda n, k, s, p: math.ceil((n + 2 * p - k) / s) + 1, "you rounded up"),
    ("conv_output_size", lambda n, k, s, p: (n + 2 * p - k) * s + 1, "multiplied by the stride"),
    ("conv_output_size", lambda n, k, s, p: n + 2 * p - k + 1, "left out the stride: only"),
    ("conv_output_size", lambda n, k, s, p: (n + 2 * p - k + 1) // s, "before you divided"),
    ("conv_output_size", lambda n, k, s, p: (n + 2 * p) // s, "left out the kernel"),
    ("conv_output_size", lambda n, k, s, p: (n + 2 * p - k) / s + 1, "did not round"),
    ("conv_output_size", lambda n, k, s, p: float((n + 2 * p - k) // s + 1), "of type float"),
    ("conv_output_size", lambda n, k, s, p: torch.tensor(3), "returned a Tensor"),
    ("conv_output_size", lambda n, k, s, p: n, "you gave 28, PyTorch gives 14. Count"),
    ("convolve_with_stride", lambda x, w, s, p: convolve(x, w, s), "needs a frame of zeros first"),
    ("convolve_with_stride", lambda x, w, s, p: convolve(x, w, 1, p), "you left out the stride: keep"),
    ("convolve_with_stride", lambda x, w, s, p: convolve(x, w.flip(0, 1), s, p), "turned the kernel"),
    (
        "convolve_with_stride",
        lambda x, w, s, p: convolve(F.pad(x, (p, 0, p, 0)), w, s),
        "at the left and at the top only",
    ),
    ("convolve_with_stride", lambda x, w, s, p: convolve(x[::s, ::s], w, 1, p), "thinned out the image"),
    ("convolve_with_stride", lambda x, w, s, p: convolve(x, w, 1, p)[::s], "to the rows only"),
    ("convolve_with_stride", lambda x, w, s, p: convolve(x, w, 1, p)[:, ::s], "to the columns only"),
    ("convolve_with_stride", lambda x, w, s, p: F.pad(convolve(x, w, s), (p,) * 4), "around the result"),
    (
        "convolve_with_stride",
        lambda x, w, s, p: convolve(x, w, s, p)[None],
        "your result has shape (1, 6, 6)",
    ),
    ("convolve_with_stride", lambda x, w, s, p: convolve(x, w, s, p) / 9, "the numbers differ from F.conv2d"),
    ("convolve_with_stride", lambda x, w, s, p: convolve(x, w, s, p).numpy(), "return a tensor (H"),
    ("nearest_others", lambda f, k: euclidean(f).topk(k, largest=False).indices, "at distance 0"),
    (
        "nearest_others",
        lambda f, k: euclidean(f).topk(k + 1, largest=False).indices[:, [1, 0, 2]],
        "among its own",
    ),
    ("nearest_others", lambda f, k: others(euclidean(f), k).indices.flip(1), "not in order"),
    ("nearest_others", lambda f, k: others(euclidean(f), k, largest=True).indices, "farthest points"),
    ("nearest_others", lambda f, k: others(torch.cdist(f, f, p=1), k).indices, "absolute differences"),
    ("nearest_others", lambda f, k: others(-f @ f.T, k).indices, "dot product"),
    ("nearest_others", lambda f, k: others(cosine(f), k).indices, "angle (cosine)"),
    ("nearest_others", lambda f, k: others(euclidean(f.T), k).indices, "compared columns"),
    ("nearest_others", lambda f, k: others(euclidean(f), k), "several things"),
    ("nearest_others", lambda f, k: others(euclidean(f), k).values, "look like distances"),
    ("nearest_others", lambda f, k: others(euclidean(f), k).indices.T, "along the columns (dim 0)"),
    ("nearest_others", lambda f, k: others(euclidean(f), k + 2).indices, "has shape (12, 5)"),
    ("nearest_others", lambda f, k: others(euclidean(f), k).indices.numpy(), "return a tensor (N, k)"),
    (
        "nearest_others",
        lambda f, k: (torch.arange(12)[:, None] + torch.arange(1, 4)) % 12,
        "Print its distances",
    ),
]


@pytest.mark.parametrize(("name", "mistake", "diagnosis"), MISTAKES)
def test_each_mistake_gets_its_own_diagnosis(name, mistake, diagnosis, assert_own_diagnosis):
    assert_own_diagnosis(name, mistake, diagnosis, MISTAKES)


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_answer_passes_and_the_stub_is_to_do(name, capsys):
    check(name, RIGHT[name])
    assert capsys.readouterr().out.startswith(f"Right ({name}).")
    check(name, lambda *arguments: None)
    assert capsys.readouterr().out.startswith(f"To do ({name})")


def test_a_convolution_with_loops_and_another_sum_order_is_right(capsys):
    def with_loops(image, kernel, stride, padding):
        image, size = F.pad(image, (padding,) * 4).double(), len(kernel)
        rows = range(0, image.shape[0] - size + 1, stride)
        return torch.tensor(
            [[float((image[i : i + size, j : j + size] * kernel).sum()) for j in rows] for i in rows]
        )

    check("convolve_with_stride", with_loops)
    assert capsys.readouterr().out.startswith("Right")


def test_leaving_out_the_first_of_the_sorted_is_right_too(capsys):
    check("nearest_others", lambda features, k: euclidean(features).argsort(dim=1)[:, 1 : k + 1])
    assert capsys.readouterr().out.startswith("Right")
