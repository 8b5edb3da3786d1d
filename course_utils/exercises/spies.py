"""Stand-ins for encoders, decoders, generators, discriminators and judges, which remember how they were called."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from course_utils.exercises.engine import Wrong

WHOLE = (torch.int64, torch.int32)


class Spy(nn.Module):
    """Computes `function`, checks what it is given, and remembers it.

    name: what a reader calls it, such as "model.decode". takes: argument -> shape, where a letter stands for any number
    that is the same wherever the letter stands, e.g. {"z": ("B", 8), "y": ("B",)}; None allows any shape. labels: the
    arguments that are whole numbers, with the number of classes, e.g. {"y": 10}. `calls` holds the arguments of each
    call as tuples, `results` what came out, `modes` whether the spy (or the model that it is a part of) was in
    training mode.
    """

    def __init__(
        self,
        name: str,
        function: Callable,
        takes: Mapping[str, tuple | None],
        labels: dict[str, int] | None = None,
    ):
        super().__init__()
        self.name, self.function, self.takes, self.labels = name, function, takes, labels or {}
        self.calls: list[tuple] = []
        self.results: list[Any] = []
        self.modes: list[bool] = []

    @property
    def last(self) -> tuple[tuple, Any]:
        """The arguments of the last call, and what came out; Wrong if there was none."""
        if not self.calls:
            raise Wrong(f"you never called {self.name}({', '.join(self.takes)}).")
        return self.calls[-1], self.results[-1]

    def forward(self, *given):
        wanted = ", ".join(f"{argument} {_written(shape)}" for argument, shape in self.takes.items())
        if len(given) != len(self.takes):
            raise Wrong(f"{self.name} takes {wanted}; you gave it {len(given)} arguments.")
        letters: dict[str, int] = {}
        for (argument, shape), value in zip(self.takes.items(), given, strict=True):
            if not isinstance(value, torch.Tensor):
                raise Wrong(
                    f"{self.name} takes {wanted}; your {argument} is of type {type(value).__name__}, not a tensor."
                )
            self._check_labels(argument, value)
            if shape is None:
                continue
            if value.ndim == len(shape):
                new = {size: n for size, n in zip(shape, value.shape) if isinstance(size, str)}
                letters = new | letters
            if value.shape != tuple(letters.get(size, size) for size in shape):
                raise Wrong(
                    f"{self.name} takes {wanted}; your {argument} has the shape {tuple(value.shape)}."
                )
        # An answer in float64 is an answer, too: the stand-in computes in float32.
        values = [value.float() if value.is_floating_point() else value for value in given]
        self.calls.append(tuple(values))
        self.modes.append(self.training)
        self.results.append(self.function(*values))
        return self.results[-1]

    def _check_labels(self, argument: str, value: torch.Tensor) -> None:
        if argument not in self.labels:
            return
        classes = self.labels[argument]
        if value.dtype not in WHOLE:
            raise Wrong(f"{self.name} takes labels of type int64 as {argument}; yours are {_dtype(value)}.")
        if value.numel() and not 0 <= value.min() <= value.max() < classes:
            raise Wrong(
                f"{self.name} knows the labels 0 to {classes - 1}; you gave it {value.min()} to {value.max()}."
            )


def _written(shape: tuple | None) -> str:
    if shape is None:
        return "of any shape"
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _dtype(value: torch.Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")
