"""The line of a measured number: what stands in it, and what of it the tests of the notebooks compare."""

import configparser
import doctest
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from course_utils import measured as module
from course_utils.measured import measured, measured_table


def test_the_example_of_the_docstring():
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("value", "more", "line"),
    [
        (5.434, {}, "error: ≈ 5.43"),
        (torch.tensor(5.434), {"at_most": 5.5}, "error: ≈ 5.43; target at most 5.5: reached"),
        (np.float32(5.6), {"at_most": 5.5}, "error: ≈ 5.60; target at most 5.5: missed"),
        (98.44, {"unit": "%", "at_least": 98.5}, "error: ≈ 98.44 %; target at least 98.5 %: missed"),
        (1234567, {"decimals": 0}, "error: ≈ 1,234,567"),
        (float("nan"), {"at_most": 1}, "error: ≈ nan; target at most 1: missed"),
        ([1.0, 3.0], {"at_most": 2}, "error: ≈ 2.00 (2 seeds, ≈ 1.00 to ≈ 3.00); target at most 2: missed"),
        ((1.0,), {}, "error: ≈ 1.00"),
        (torch.tensor([1.0, 3.0]), {}, "error: ≈ 2.00 (2 seeds, ≈ 1.00 to ≈ 3.00)"),
        (np.array([1.0, 3.0]), {}, "error: ≈ 2.00 (2 seeds, ≈ 1.00 to ≈ 3.00)"),
    ],
)
def test_a_line_holds_the_number_its_unit_its_target_and_the_verdict(value, more, line, capsys):
    measured("error", value, **more)
    assert capsys.readouterr().out == f"{line}\n"


@pytest.mark.parametrize("values", [[5.4, float("nan")], [float("nan"), 5.4]])
@pytest.mark.parametrize("target", ["at_most", "at_least"])
def test_several_values_of_which_one_is_nan_miss_every_target(values, target, capsys):
    measured("error", values, **{target: 5.4})
    assert capsys.readouterr().out.endswith("missed\n")


def test_a_number_wider_than_its_column_is_parted_from_the_one_before_it(capsys):
    measured_table("pixels", {"a": 2, "b": 2}, {"all": [1.0, 1234567890.0]})
    assert "≈ 1.00 ≈ 1,234,567,890.00" in capsys.readouterr().out


def test_a_table_takes_several_values_as_a_tensor_too(capsys):
    measured_table("strokes", {"error": 1}, {"n = 2": [torch.tensor([1.0, 2.0])]})
    assert "≈ 1.5 (≈ 1.0 to ≈ 2.0)" in capsys.readouterr().out


def test_a_table_of_several_seeds_shows_means_and_ranges(capsys):
    measured_table("strokes", {"error": 1, "active": 0}, {"n = 2": [[1.0, 2.0], [2, 2]], "n = 10": [3.0, 9]})
    head, two, ten = capsys.readouterr().out.splitlines()
    assert head.split() == ["strokes", "error", "active"]
    assert two.split("  ")[0] == "n = 2" and "≈ 1.5 (≈ 1.0 to ≈ 2.0)" in two and "≈ 2 (≈ 2 to ≈ 2)" in two
    assert ten.endswith("≈ 9") and len(head) == len(two) == len(ten)


def test_a_table_whose_row_lacks_a_number_is_refused():
    with pytest.raises(ValueError, match="rows must have 2 values each; got 1 for 'n = 2'"):
        measured_table("strokes", {"error": 1, "active": 0}, {"n = 2": [1.0]})


def test_what_says_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one of several; got none for 'error'"):
        measured("error", [])
    with pytest.raises(ValueError, match="at_most or at_least; got both for 'error'"):
        measured("error", 1, at_most=2, at_least=0)


def masked(text: str) -> str:
    config = configparser.ConfigParser()
    config.read(Path(__file__).parent / "nbval.cfg", encoding="ascii")
    section = config["measured numbers"]
    return re.sub(section["regex"], section["replace"], text)


def test_digits_are_masked_and_verdicts_targets_and_shapes_are_compared(capsys):
    measured("error of 16 numbers", [5.43, 5.61], at_most=6)
    first = capsys.readouterr().out
    assert (
        masked(first)
        == "error of 16 numbers:about # (2 seeds,about # toabout #); target at most 6: reached\n"
    )
    for value, target, same in (([5.5, 5.9], 6, True), ([5.5, 6.1], 6, False), ([5.5, 5.9], 7, False)):
        measured("error of 16 numbers", value, at_most=target)
        assert (masked(capsys.readouterr().out) == masked(first)) == same
    assert masked("(4, 1, 28, 28)") == "(4, 1, 28, 28)"


def test_a_number_of_a_table_may_get_one_digit_more():
    assert masked("AE      ≈ 99.5    ≈ 3") == masked("AE     ≈ 100.2   ≈ 12") != masked("AE     ≈ 99.5")
