"""The stepper of notebook 04: its numbers are PyTorch's, and impossible settings are told."""

from itertools import product

import pytest
import torch
import torch.nn.functional as F

from course_utils.explorers.transpose_stepper import TransposeStepper

NAMES = ("kernelSize", "stride", "padding", "outputPadding")
SETTINGS = list(product(range(1, 5), range(1, 4), range(4), range(3)))


@pytest.fixture(scope="module")
def steps(in_node):
    """For each of SETTINGS, what the demo shows at the last input pixel."""
    given = [dict(zip(NAMES, setting), position=9) for setting in SETTINGS]
    return in_node("transpose_stepper", "given.map(demo.stepAt)", given)


@pytest.fixture(scope="module")
def numbers(in_node):
    """The input and the largest kernel of the demo."""
    return [
        torch.tensor(rows, dtype=torch.float64)
        for rows in in_node("transpose_stepper", "[demo.INPUT, demo.LARGEST_KERNEL]", None)
    ]


def pytorch(x, kernel, stride, padding, output_padding):
    """PyTorch's output as lists, or None if it refuses the setting."""
    try:
        y = F.conv_transpose2d(
            x[None, None], kernel[None, None], stride=stride, padding=padding, output_padding=output_padding
        )
    except RuntimeError:
        return None
    return y[0, 0].tolist()


def test_the_numbers_are_those_of_pytorch_and_impossible_settings_are_told(steps, numbers):
    x, largest = numbers
    for (kernel_size, *setting), step in zip(SETTINGS, steps, strict=True):
        expected = pytorch(x, largest[:kernel_size, :kernel_size], *setting)
        assert bool(step["problem"]) == (expected is None), setting
        if expected is not None:
            assert step["output"] == expected, setting


def test_the_problem_says_what_to_do(steps):
    problems = {setting: step["problem"] for setting, step in zip(SETTINGS, steps)}
    assert "Choose a smaller padding" in problems[1, 1, 2, 0]
    assert "must be smaller than the stride" in problems[4, 1, 0, 1]


def test_each_step_adds_one_pixel_and_the_kernel_without_symmetry_lands_upright(in_node, numbers):
    x, largest = numbers
    setting = {"kernelSize": 3, "stride": 2, "padding": 0, "outputPadding": 0, "position": 6}
    step = in_node("transpose_stepper", "demo.stepAt(given)", setting)
    added = torch.tensor(step["sum"]) - torch.tensor(step["before"])
    assert added.count_nonzero() == 9
    assert added[2:5, 4:7].tolist() == (x[1, 2] * largest[:3, :3]).tolist()


@pytest.mark.parametrize("padding", [0, 1])
def test_the_outputs_that_the_current_pixel_touches_are_lit_and_what_padding_cuts_is_told(in_node, padding):
    setting = {"kernelSize": 3, "stride": 2, "padding": padding, "outputPadding": 0, "position": 6}
    places = "[...Array(49).keys()].map((i) => [Math.floor(i / 7), i % 7])"
    lit, kept = in_node(
        "transpose_stepper",
        f"((step, places) => [places.filter((p) => step.lit(...p)), places.filter((p) => step.kept(...p))])"
        f"(demo.stepAt(given), {places})",
        setting,
    )
    assert lit == [[i, j] for i in (2, 3, 4) for j in (4, 5, 6)]
    assert kept == [[i, j] for i in range(padding, 7 - padding) for j in range(padding, 7 - padding)]


def test_the_settings_reach_the_page():
    data = TransposeStepper(stride=3, position=5).data
    expected = {"kernel_size": 3, "stride": 3, "padding": 0, "output_padding": 0, "position": 5}
    assert {name: data[name] for name in expected} == expected
