"""One line for a measured number: what it is, its value, its unit, its target, and the verdict; or a table of them.

Every measured number stands behind the sign ≈, which says that it differs a little from machine to machine; the tests
compare such lines with these numbers masked (tests/nbval.cfg), so that the verdict counts and the digits do not.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import torch

WIDTH, WIDTH_OF_SEVERAL = 12, 30  # of a table's columns, at least

Values: TypeAlias = float | Sequence[float] | torch.Tensor | np.ndarray


def measured(
    what: str,
    value: Values,
    unit: str = "",
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    decimals: int = 2,
) -> None:
    """Print a measured number, or the mean and range of several (one for each seed), beside its target.

    `what` names the quantity and the images it was taken on; `unit` follows the number, as in "nats per image" or "%".
    Several values (a sequence, or a tensor or array (N,)) reach a target if each of them does. Raises ValueError for no
    value at all, and for two targets.

    >>> measured("squared error, held-out images", [5.43, 5.61], "per image", at_most=6)
    squared error, held-out images: ≈ 5.52 per image (2 seeds, ≈ 5.43 to ≈ 5.61); target at most 6: reached
    """
    values = _several(value, what)
    if at_most is not None and at_least is not None:
        raise ValueError(f"a target is at_most or at_least; got both for {what!r}")

    line = f"{what}: {_written(statistics.fmean(values), decimals)}{_behind_number(unit)}"
    if len(values) > 1:
        line += f" ({len(values)} seeds, {_range(values, decimals)})"
    if at_most is not None:
        line += _verdict(f"at most {at_most:g}", all(number <= at_most for number in values), unit)
    if at_least is not None:
        line += _verdict(f"at least {at_least:g}", all(number >= at_least for number in values), unit)
    print(line)


def measured_table(title: str, columns: Mapping[str, int], rows: Mapping[str, Sequence[Values]]) -> None:
    """Print measured numbers as a table: for each row its name, and for each column a number, or the mean of several.

    `columns` maps the heads to the decimals below them. Of several values (one for each seed) the range stands beside
    the mean. Raises ValueError for a row with another number of columns.

    >>> measured_table("held-out images", {"error": 2, "accepted, %": 0}, {"AE": [5.434, 92], "VAE": [7.1, 48]})
    held-out images       error  accepted, %
    AE                   ≈ 5.43         ≈ 92
    VAE                  ≈ 7.10         ≈ 48
    """
    several = any(isinstance(_plain(value), Sequence) for values in rows.values() for value in values)
    widths = [max(len(head) + 2, WIDTH_OF_SEVERAL if several else WIDTH) for head in columns]
    left = max(len(name) for name in [title, *rows])
    print(f"{title:<{left}}" + "".join(f"{head:>{width}}" for head, width in zip(columns, widths)))
    for name, values in rows.items():
        if len(values) != len(columns):
            raise ValueError(f"rows must have {len(columns)} values each; got {len(values)} for {name!r}")
        entries = map(_entry, values, columns.values())
        # The space in front parts an entry from the one before it where it is wider than its column.
        print(f"{name:<{left}}" + "".join(f"{' ' + entry:>{width}}" for entry, width in zip(entries, widths)))


def _plain(value: Values) -> float | Sequence[float]:
    return value.tolist() if isinstance(value, torch.Tensor | np.ndarray) else value


def _several(value: Values, what: str) -> list[float]:
    plain = _plain(value)
    values = [float(one) for one in (plain if isinstance(plain, Sequence) else [plain])]
    if not values:
        raise ValueError(f"value must be a number or at least one of several; got none for {what!r}")
    return values


def _entry(value: Values, decimals: int) -> str:
    values = _several(value, "an entry")
    mean = _written(statistics.fmean(values), decimals)
    return mean if len(values) == 1 else f"{mean} ({_range(values, decimals)})"


def _range(values: list[float], decimals: int) -> str:
    return f"{_written(min(values), decimals)} to {_written(max(values), decimals)}"


def _written(number: float, decimals: int) -> str:
    return f"≈ {number:,.{decimals}f}"


def _behind_number(unit: str) -> str:
    return f" {unit}" if unit else ""


def _verdict(target: str, reached: bool, unit: str) -> str:
    percent = " %" if unit == "%" else ""
    return f"; target {target}{percent}: {'reached' if reached else 'missed'}"
