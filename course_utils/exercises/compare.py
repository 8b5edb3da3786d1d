"""How the result of an answer is compared with what is right: numbers, whole numbers, tensors, other values.

Numbers are compared in double precision, so that an answer in float64 is as right as one in float32. NaN is never
right.
"""

import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from course_utils.environment import forked_random_numbers

FORGOTTEN_RETURN = "your function returned nothing: is its `return` missing?"


class Kind:
    """A kind of result. `same` takes NaN for equal to NaN only where asked, to recognise mistakes that give NaN."""

    def problem(self, result: Any) -> str:
        """Why the result cannot be compared at all, as a sentence, or ""."""
        raise NotImplementedError

    def same(self, result: Any, expected: Any, equal_nan: bool = False) -> bool:
        """Whether two results without a problem agree."""
        raise NotImplementedError

    def difference(self, result: Any, expected: Any) -> str:
        """What the two are, as a part of a sentence."""
        raise NotImplementedError

    def flaw(self, result: Any) -> str:
        """What is still wrong with a result whose numbers are right, as a sentence, or ""."""
        return ""


@dataclass(frozen=True)
class Number(Kind):
    """One number: a float, an int, a NumPy number or a tensor with one element.

    what: what is asked for, in words. rtol, atol: as in torch.allclose. gradient: True if the number must carry a
    gradient, False if it must not, None if that does not matter.
    """

    what: str = "one number"
    rtol: float = 1e-4
    atol: float = 1e-6
    gradient: bool | None = None

    def problem(self, result: Any) -> str:
        if result is None:
            return FORGOTTEN_RETURN
        if isinstance(result, torch.Tensor):
            few = result.numel() == 1 and result.dtype != torch.bool
            return "" if few else f"return {self.what}; your result is {_kind(result)}."
        if isinstance(result, bool) or not isinstance(result, numbers.Real):
            return f"return {self.what}; your function returned {_kind(result)}."
        if self.gradient:
            return f"return {self.what}, as a tensor, so that it has gradients: no .item() and no float()."
        return ""

    def same(self, result: Any, expected: Any, equal_nan: bool = False) -> bool:
        result, expected = _double(result), _double(expected)
        if result.numel() != 1 or expected.numel() != 1:
            return False
        if equal_nan and math.isnan(result) and math.isnan(expected):
            return True
        return math.isclose(result, expected, rel_tol=self.rtol, abs_tol=self.atol)

    def difference(self, result: Any, expected: Any) -> str:
        return f"you have {_double(result).item():.6g}, right is {_double(expected).item():.6g}"

    def flaw(self, result: Any) -> str:
        return _gradient_flaw(result, self.gradient)


@dataclass(frozen=True)
class Whole(Kind):
    """One whole number, as an int, a NumPy integer or a tensor with one integer.

    what: what is asked for, in words. if_float: what is said of a number that is right but of type float.
    """

    what: str = "one whole number"
    if_float: str = "your numbers are right, but of type float: use // to get whole numbers."

    def problem(self, result: Any) -> str:
        return Number(self.what).problem(result)

    def same(self, result: Any, expected: Any, equal_nan: bool = False) -> bool:
        return float(result) == float(expected)

    def difference(self, result: Any, expected: Any) -> str:
        return f"you have {float(result):.6g}, right is {float(expected):.6g}"

    def flaw(self, result: Any) -> str:
        floating = result.is_floating_point() if isinstance(result, torch.Tensor) else False
        is_whole = isinstance(result, numbers.Integral) or (isinstance(result, torch.Tensor) and not floating)
        return "" if is_whole else self.if_float


@dataclass(frozen=True)
class Tensor(Kind):
    """A tensor. what: its shape and meaning, in words; rtol, atol and gradient as in Number."""

    what: str = "a tensor"
    rtol: float = 1e-4
    atol: float = 1e-5
    gradient: bool | None = None

    def problem(self, result: Any) -> str:
        if result is None:
            return FORGOTTEN_RETURN
        if not isinstance(result, torch.Tensor):
            return f"your function returned {_kind(result)}; return {self.what}."
        return ""

    def same(self, result: Any, expected: Any, equal_nan: bool = False) -> bool:
        result, expected = _double(result), _double(expected)
        if result.shape != expected.shape:
            return False
        return torch.allclose(result, expected, self.rtol, self.atol, equal_nan)

    def difference(self, result: Any, expected: Any) -> str:
        if result.shape != expected.shape:
            return f"your result has shape {tuple(result.shape)}, right is {tuple(expected.shape)}"
        got, right = _double(result), _double(expected)
        place = int((got - right).abs().nan_to_num(math.inf).argmax())
        index = [int(i) for i in torch.unravel_index(torch.tensor(place), got.shape)]
        return (
            f"the shape is right, but at {index} you have {got.flatten()[place]:.4g}, right is "
            f"{right.flatten()[place]:.4g}"
        )

    def flaw(self, result: Any) -> str:
        return _gradient_flaw(result, self.gradient)


@dataclass(frozen=True)
class Estimate(Tensor):
    """A tensor that chance moves: its differences from what is expected must be 0 on average.

    Five standard errors are allowed, estimated from the differences themselves, so that a constant error is found.
    """

    def same(self, result: Any, expected: Any, equal_nan: bool = False) -> bool:
        result, expected = _double(result), _double(expected)
        if result.shape != expected.shape:
            return False
        differences = result - expected
        error = differences.std(correction=0) / math.sqrt(differences.numel())
        return bool(differences.mean().abs() <= 5 * error + self.atol)

    def difference(self, result: Any, expected: Any) -> str:
        if result.shape != expected.shape:
            return super().difference(result, expected)
        return f"on average you have {result.mean().item():.5g}, right is {expected.mean().item():.5g}"


@dataclass(frozen=True)
class Value(Kind):
    """Anything that == compares: texts, dicts, lists. kinds: the types that are asked for; what: in words."""

    what: str
    kinds: tuple[type, ...]

    def problem(self, result: Any) -> str:
        if result is None:
            return FORGOTTEN_RETURN
        if not isinstance(result, self.kinds):
            return f"your function returned {_kind(result)}; return {self.what}."
        return ""

    def same(self, result: Any, expected: Any, equal_nan: bool = False) -> bool:
        return bool(result == expected)

    def difference(self, result: Any, expected: Any) -> str:
        return f"you have {result!r}, right is {expected!r}"


@dataclass(frozen=True)
class Instance(Value):
    """A value of which only the type is asked for: the exercise's mistakes decide whether it is right."""

    def same(self, result: Any, expected: Any, equal_nan: bool = False) -> bool:
        return True


@dataclass(frozen=True)
class Network(Kind):
    """A network, compared by the shape of its output. what: in words; shape: that of an input, (4, 32, 7, 7) say."""

    what: str
    shape: tuple[int, ...]

    def output(self, network: nn.Module) -> torch.Tensor | str:
        """What the network makes of random inputs, or why it cannot take them, in words."""
        try:
            with forked_random_numbers(), torch.no_grad():
                # So large that numbers which an activation should limit are seen to be unlimited.
                output = network(100 * torch.randn(self.shape))
        except Exception as error:
            return str(error).split("\n")[0]
        return output if isinstance(output, torch.Tensor) else f"its output is {_kind(output)}"

    def problem(self, result: Any) -> str:
        return Value(self.what, (nn.Module,)).problem(result)

    def same(self, result: Any, expected: Any, equal_nan: bool = False) -> bool:
        output, right = self.output(result), self.output(expected)
        return not isinstance(output, str) and not isinstance(right, str) and output.shape == right.shape

    def difference(self, result: Any, expected: Any) -> str:
        output, right = self.output(result), self.output(expected)
        if isinstance(output, str) or isinstance(right, str):
            return f"your network fails on an input of shape {self.shape}: {output}"
        return f"your network makes {tuple(output.shape)} of {self.shape}, right is {tuple(right.shape)}"


@dataclass(frozen=True)
class Several(Kind):
    """A tuple or list of results, each compared in its own way. what: what they are, in words."""

    what: str
    parts: tuple[Any, ...]

    def problem(self, result: Any) -> str:
        if result is None:
            return FORGOTTEN_RETURN
        if not isinstance(result, tuple | list) or len(result) != len(self.parts):
            return f"return {len(self.parts)} things: {self.what}; your function returned {_kind(result)}."
        return next((text for part, one in zip(self.parts, result) if (text := part.problem(one))), "")

    def same(self, result: Any, expected: Any, equal_nan: bool = False) -> bool:
        return all(
            part.same(a, b, equal_nan) for part, a, b in zip(self.parts, result, expected, strict=True)
        )

    def difference(self, result: Any, expected: Any) -> str:
        pairs = zip(self.parts, result, expected, strict=True)
        first = next(i for i, (part, a, b) in enumerate(pairs) if not part.same(a, b))
        text = self.parts[first].difference(result[first], expected[first])
        return f"of your {len(self.parts)} results, number {first + 1} is not right: {text}"

    def flaw(self, result: Any) -> str:
        return next((text for part, one in zip(self.parts, result) if (text := part.flaw(one))), "")


@dataclass(frozen=True)
class Table(Kind):
    """The results of all cases, compared in the same way (the engine makes it of `together`)."""

    each: Any

    def problem(self, result: Sequence) -> str:
        return next((text for one in result if (text := self.each.problem(one))), "")

    def same(self, result: Sequence, expected: Sequence, equal_nan: bool = False) -> bool:
        return all(self.each.same(a, b, equal_nan) for a, b in zip(result, expected, strict=True))

    def first_difference(self, result: Sequence, expected: Sequence) -> int:
        """The first case in which the two differ."""
        pairs = zip(result, expected, strict=True)
        return next(i for i, (a, b) in enumerate(pairs) if not self.each.same(a, b))

    def difference(self, result: Any, expected: Any) -> str:
        return self.each.difference(result, expected)

    def flaw(self, result: Sequence) -> str:
        return next((text for one in result if (text := self.each.flaw(one))), "")


def _double(value: Any) -> torch.Tensor:
    return torch.as_tensor(value).detach().cpu().double()


def _gradient_flaw(result: Any, gradient: bool | None) -> str:
    carries = isinstance(result, torch.Tensor) and result.requires_grad
    if gradient and not carries:
        return (
            "the result is right, but carries no gradient, so that nothing can be learnt from it: leave out no_grad, "
            "detach and item()."
        )
    if gradient is False and carries:
        return "the result is right, but carries a gradient: compute it inside torch.no_grad()."
    return ""


def _kind(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        content = " of bools," if value.dtype == torch.bool else ""
        return f"a tensor{content} of shape {tuple(value.shape)}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"
