"""The classic mistakes of notebook 00's exercises, each with its own diagnosis."""

import pytest
import torch

from course_utils.data import to_pixels

MISTAKES = [
    ("flatten", lambda images: images.reshape(-1), "merged the images as well"),
    ("flatten", lambda images: images.flatten(1).T, "your rows are pixels"),
    ("flatten", lambda images: images.flatten(2), r"yours is (3, 1, 20)"),
    ("flatten", lambda images: images.permute(1, 2, 3, 0).reshape(3, 20), "are mixed"),
    ("flatten", lambda images: images.numpy().reshape(3, 20), "returns a ndarray"),
    ("squared_distance", lambda a, b: (to_pixels(a) - to_pixels(b)).square().mean(), "784 times too small"),
    ("squared_distance", lambda a, b: (to_pixels(a) - to_pixels(b)).square().sum(), "6 times too large"),
    (
        "squared_distance",
        lambda a, b: (a.float() - b.float()).square().sum(dim=(1, 2)).mean(),
        "still run from 0 to 255",
    ),
    (
        "squared_distance",
        lambda a, b: to_pixels(a - b).square().flatten(1).sum(1).mean(),
        "wraps around (3 - 5",
    ),
    ("squared_distance", lambda a, b: ((a - b) ** 2).float().sum(dim=(1, 2)).mean(), "wraps around at 256"),
    (
        "squared_distance",
        lambda a, b: (to_pixels(a) - to_pixels(b)).flatten(1).norm(dim=1).mean(),
        "square root",
    ),
    (
        "squared_distance",
        lambda a, b: (to_pixels(a) - to_pixels(b)).abs().flatten(1).sum(1).mean(),
        "did not square",
    ),
    ("squared_distance", lambda a, b: torch.tensor(5.0), "you have 5, right is"),
]


@pytest.mark.parametrize(("name", "mistake", "diagnosis"), MISTAKES)
def test_each_mistake_gets_its_own_diagnosis(name, mistake, diagnosis, assert_own_diagnosis):
    assert_own_diagnosis(name, mistake, diagnosis, MISTAKES)
