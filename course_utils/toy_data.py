"""Four sets of points in the plane, each of two classes: two numbers each, so that all can be seen."""

import math
from collections.abc import Callable

import torch

POINTS_PER_SET = 200


def toy_points(
    name: str, noise: float = 0.1, count: int = POINTS_PER_SET, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Points x, float32 (count, 2), roughly within -2.5 .. 2.5, and their classes y, int64 (count,), 0 or 1.

    `name`: `blobs`, `circles`, `xor` or `spirals`. `noise`: the standard deviation of the normal displacement
    of every coordinate, at least 0. `count`: even; half of the points are in each class. Another `seed` gives
    other points of the same set.
    """
    if name not in TOY_SETS:
        raise ValueError(f"name must be one of {', '.join(TOY_SETS)}; got {name!r}")
    if noise < 0:
        raise ValueError(f"noise must be at least 0; got {noise}")
    if count < 2 or count % 2:
        raise ValueError(f"count must be even and at least 2; got {count}")
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(count) % 2
    x = TOY_SETS[name](y, generator)
    return x + noise * torch.randn(count, 2, generator=generator), y


def _blobs(y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    centres = torch.tensor([[-1.2, -1.2], [1.2, 1.2]])
    return centres[y] + 0.4 * torch.randn(len(y), 2, generator=generator)


def _circles(y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Class 1 is a disc of radius 0.8, class 0 the ring around it, of radius 1.6 to 2.2."""
    inner, outer = torch.tensor([1.6, 0.0])[y], torch.tensor([2.2, 0.8])[y]
    # Uniform in area, not in radius.
    share = torch.rand(len(y), generator=generator)
    radius = (inner**2 + share * (outer**2 - inner**2)).sqrt()
    return _polar(radius, 2 * math.pi * torch.rand(len(y), generator=generator))


def _xor(y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Class 1 where the two coordinates have different signs, with a gap of 0.4 along both axes."""
    size = 0.2 + 1.8 * torch.rand(len(y), 2, generator=generator)
    first_sign = 1.0 - 2.0 * torch.randint(2, (len(y),), generator=generator)
    return size * torch.stack([first_sign, first_sign * (1.0 - 2.0 * y)], dim=1)


def _spirals(y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Two arms, each one and a half turns, the second half a turn ahead of the first."""
    along = torch.rand(len(y), generator=generator).sqrt()
    return _polar(0.2 + 2.1 * along, 3 * math.pi * along + math.pi * y)


def _polar(radius: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)


TOY_SETS: dict[str, Callable] = {"blobs": _blobs, "circles": _circles, "xor": _xor, "spirals": _spirals}
