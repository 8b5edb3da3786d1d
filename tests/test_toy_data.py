"""The four sets of points: balanced, repeatable, and asked for by valid arguments."""

import pytest
import torch

from course_utils.toy_data import TOY_SETS, toy_points


@pytest.mark.parametrize("name", TOY_SETS)
def test_toy_points_are_balanced_and_repeatable(name):
    x, y = toy_points(name, noise=0.1)
    assert x.shape == (200, 2)
    assert y.bincount().tolist() == [100, 100]
    assert x.abs().max() < 3
    assert torch.equal(x, toy_points(name, noise=0.1)[0])
    assert not torch.equal(x, toy_points(name, noise=0.1, seed=1)[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "moon"}, "name must be one of blobs, circles, xor, spirals; got 'moon'"),
        ({"name": "xor", "noise": -1}, "noise must be at least 0; got -1"),
        ({"name": "xor", "count": 3}, "count must be even and at least 2; got 3"),
    ],
)
def test_bad_arguments_of_toy_points(arguments, message):
    with pytest.raises(ValueError, match=message):
        toy_points(**arguments)
