"""One line for a measured number: what it is, its value, its unit, its target, and whether that was reached.

Every measured number stands behind the sign ≈, which says that it differs a little from machine to machine; the tests
compare such lines with these numbers masked (tests/nbval.cfg), so that the verdict counts and the digits do not.
"""

import statistics
from collections.abc import Sequence


def measured(
    what: str,
    value: float | Sequence[float],
    unit: str = "",
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    decimals: int = 2,
) -> None:
    """Print a measured number, or the mean and range of several (one for each seed), beside its target.

    `what` names the quantity and the images it was taken on; `unit` follows the number, as in "nats per image" or "%".
    Several values reach a target if each of them does. Raises ValueError for no value at all, and for two targets.

    >>> measured("squared error, held-out images", [5.43, 5.61], "per image", at_most=6)
    squared error, held-out images: ≈ 5.52 per image (2 seeds, ≈ 5.43 to ≈ 5.61); target at most 6: reached
    """
    values = [float(one) for one in (value if isinstance(value, Sequence) else [value])]
    if not values:
        raise ValueError(f"value must be a number or at least one of several; got none for {what!r}")
    if at_most is not None and at_least is not None:
        raise ValueError(f"a target is at_most or at_least; got both for {what!r}")

    def written(number: float) -> str:
        return f"≈ {number:,.{decimals}f}"

    line = f"{what}: {written(statistics.fmean(values))}{_behind_number(unit)}"
    if len(values) > 1:
        line += f" ({len(values)} seeds, {written(min(values))} to {written(max(values))})"
    if at_most is not None:
        line += _verdict(f"at most {at_most:g}", max(values) <= at_most, unit)
    if at_least is not None:
        line += _verdict(f"at least {at_least:g}", min(values) >= at_least, unit)
    print(line)


def _behind_number(unit: str) -> str:
    return f" {unit}" if unit else ""


def _verdict(target: str, reached: bool, unit: str) -> str:
    percent = " %" if unit == "%" else ""
    return f"; target {target}{percent}: {'reached' if reached else 'missed'}"
