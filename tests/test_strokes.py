"""Any shape can be written by hand, and bad input gets one sentence."""

import numpy as np
import pytest

from course_utils import strokes


def test_rasterise_draws_a_line_of_the_asked_width():
    image = strokes.rasterise([np.array([[4.0, 10.0], [20.0, 10.0]])], pen_width=4.0)
    assert (image[:, 12] / 255).sum() == pytest.approx(4, abs=0.01)
    assert (image[9:12, 4:21] == 255).all()
    assert (image[13:] == 0).all() and (image[:, 24:] == 0).all()


def test_any_shape_can_be_drawn():
    triangle = [np.array([[0.5, 0.0], [0.0, 1.0], [1.0, 1.0], [0.5, 0.0]])]
    images, factors = strokes.draw_shapes([triangle] * 3, seed=0)
    assert images.shape == (3, 28, 28) and (images.max(axis=(1, 2)) > 240).all()
    assert tuple(factors) == ("slant", "rotation", "stretch", "pen_width")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: strokes.draw_shapes([[np.zeros((2, 2))]], -1), "seed is -1: expected an integer >= 0"),
        (lambda: strokes.draw_shapes([[np.zeros((1, 2))]], 0), r"strokes has shapes \[\(1, 2\)\]: expected"),
        (lambda: strokes.draw_shapes([[]], 0), r"strokes has shapes \[\]: expected"),
        (lambda: strokes.rasterise([np.zeros((4, 3))], 2.0), r"strokes has shapes \[\(4, 3\)\]: expected"),
    ],
)
def test_bad_input_gets_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
