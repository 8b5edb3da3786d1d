"""The stepper of notebook 04: its numbers are PyTorch's, its picture follows every control, and it plays."""

import io
from itertools import product

import ipywidgets
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from course_utils.explorers.base import PLAYING
from course_utils.explorers.transpose_stepper import (
    CELL,
    HEIGHT,
    INPUT,
    LARGEST_KERNEL,
    LEFT,
    MOST_OUTPUT_PADDING,
    MOST_PADDING,
    MOST_STRIDE,
    OUTPUT_LEFT,
    SUM_LEFT,
    TOP,
    WIDTH,
    TransposeStepper,
    _problem,
    _sums,
)

SETTINGS = list(
    product(range(1, 5), range(1, MOST_STRIDE + 1), range(MOST_PADDING + 1), range(MOST_OUTPUT_PADDING + 1))
)


def pytorch(kernel_size, stride, padding, output_padding):
    """PyTorch's output as an array, or None if it refuses the setting."""
    x = torch.tensor(INPUT, dtype=torch.float64)[None, None]
    w = torch.tensor(LARGEST_KERNEL[:kernel_size, :kernel_size], dtype=torch.float64)[None, None]
    try:
        y = F.conv_transpose2d(x, w, stride=stride, padding=padding, output_padding=output_padding)
    except RuntimeError:
        return None
    return y[0, 0].numpy()


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_numbers_are_those_of_pytorch_and_impossible_settings_are_told(setting):
    kernel_size, stride, padding, output_padding = setting
    total = _sums(LARGEST_KERNEL[:kernel_size, :kernel_size], stride, output_padding)[-1]
    expected = pytorch(*setting)
    problem = _problem(len(total) - 2 * padding, stride, padding, output_padding)
    assert bool(problem) == (expected is None)
    if not problem:
        assert np.array_equal(total[padding : len(total) - padding, padding : len(total) - padding], expected)


def test_each_step_adds_one_pixel_and_the_kernel_without_symmetry_lands_upright():
    sums = _sums(LARGEST_KERNEL[:3, :3], stride=2, output_padding=0)
    assert len(sums) == INPUT.size + 1 and not sums[0].any()
    step = sums[6] - sums[5]
    assert np.array_equal(step[2:5, 4:7], INPUT[1, 2] * LARGEST_KERNEL[:3, :3])
    assert np.count_nonzero(step) == 9


def colour_of(picture, left, row, column):
    """The colour of a cell of a grid, near the cell's corner, where no number stands."""
    return picture.convert("RGB").getpixel((left + column * CELL + 5, TOP + row * CELL + 5))


@pytest.mark.parametrize("padding", (0, 1))
def test_the_outputs_that_the_current_pixel_touches_are_lit_and_no_others(padding):
    picture = TransposeStepper().draw(kernel_size=3, stride=2, padding=padding, output_padding=0, position=6)
    expected = {(i, j) for i in (2, 3, 4) for j in (4, 5, 6)}  # pixel (1, 2), two rows or columns a step
    lit = colour_of(picture, LEFT, 1, 2)
    cells = set(product(range(7), range(7)))
    assert {cell for cell in cells if colour_of(picture, SUM_LEFT, *cell) == lit} == expected
    kept = {(i - padding, j - padding) for i, j in expected if max(i, j) < 7 - padding}
    assert {cell for cell in cells if colour_of(picture, OUTPUT_LEFT, *cell) == lit} == kept


def test_every_control_changes_the_picture():
    stepper = TransposeStepper()
    pictures = [bytes(stepper.picture.value)]
    for name, value in (
        ("kernel_size", 4),
        ("stride", 3),
        ("padding", 1),
        ("output_padding", 2),
        ("position", 8),
    ):
        stepper.controls[name].value = value
        pictures.append(bytes(stepper.picture.value))
        assert stepper.error is None
    assert len(set(pictures)) == len(pictures)
    assert Image.open(io.BytesIO(pictures[-1])).size == (WIDTH, HEIGHT)


def test_the_play_button_moves_the_position_and_the_slider_moves_the_play_button():
    stepper = TransposeStepper()
    before = bytes(stepper.picture.value)
    assert isinstance(stepper.play, ipywidgets.Play) and not getattr(stepper.play, PLAYING)
    stepper.play.value = 7
    assert stepper.controls["position"].value == 7 and bytes(stepper.picture.value) != before
    stepper.controls["position"].value = 3
    assert stepper.play.value == 3
    assert stepper.play.max == stepper.controls["position"].max == INPUT.size


def test_a_setting_without_output_says_so_instead_of_failing():
    stepper = TransposeStepper(kernel_size=1, stride=1, padding=0)
    for name, value in (("padding", 3), ("output_padding", 2)):
        stepper.controls["padding"].value = 0
        before = stepper.picture.value
        stepper.controls[name].value = value
        assert stepper.error is None and stepper.picture.value != before
    assert "Choose a smaller\npadding" in _problem(-1, 1, 2, 0)
    assert "must be smaller than the stride" in _problem(5, 1, 0, 1)


def test_a_broken_draw_shows_its_message(monkeypatch):
    stepper = TransposeStepper()
    monkeypatch.setattr(stepper, "draw", lambda **values: 1 / 0)
    stepper.controls["position"].value = 2
    assert isinstance(stepper.error, ZeroDivisionError)
    assert "ZeroDivisionError" in stepper.message.value
