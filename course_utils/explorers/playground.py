"""A playground of small networks: train one on points in the plane and watch what every hidden unit sees."""

from collections.abc import Sequence

import torch

from course_utils.explorers.web_demo import WebDemo, stored_still
from course_utils.toy_data import TOY_SETS, toy_points

ACTIVATIONS = ("ReLU", "tanh", "sigmoid", "linear")
LEARNING_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
MOST_LAYERS, MOST_UNITS = 3, 8
HELD_OUT_SEED = 1000


class Playground(WebDemo):
    """Choose points and a network, then train, pause, step or reset, and watch every hidden unit.

    The arguments are where the controls start: `data` is a set of `toy_points`, and `units` are one to three numbers
    from 1 to 8, one for each hidden layer. The network has already taken `steps` steps when it appears. It trains in
    the page, and nothing of it reaches Python.
    """

    module = "playground"

    def __init__(
        self,
        data: str = "circles",
        units: tuple[int, ...] = (4,),
        activation: str = "tanh",
        noise: float = 0.1,
        learning_rate: float = 0.03,
        steps: int = 0,
    ):
        _check_one_of("data", data, list(TOY_SETS))
        _check_one_of("activation", activation, ACTIVATIONS)
        _check_one_of("learning_rate", learning_rate, LEARNING_RATES)
        if not 1 <= len(units) <= MOST_LAYERS or not all(1 <= count <= MOST_UNITS for count in units):
            raise ValueError(
                f"units must be one to {MOST_LAYERS} numbers from 1 to {MOST_UNITS}, one for each hidden "
                f"layer; got {units}"
            )
        values = {
            "sets": list(TOY_SETS),
            "activations": list(ACTIVATIONS),
            "learning_rates": list(LEARNING_RATES),
            "points": data,
            "units": list(units),
            "activation": activation,
            "noise": noise,
            "learning_rate": learning_rate,
            "steps": steps,
        }
        alt = (
            "Playground: points of two classes in the plane, a small network that learns to tell them apart, "
            "what each of its hidden units answers over the plane, its decision surface and its loss curves."
        )
        still = "playground_spirals" if data == "spirals" else "playground_circles"
        super().__init__(values, _points_of_all_sets(), {}, stored_still(still), alt)


def _check_one_of(name: str, value, allowed: Sequence) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}; got {value!r}")


def _points_of_all_sets() -> dict[str, torch.Tensor]:
    """For each set its points (N, 2) without noise, and the noise of strength 1, for training and held out."""
    tensors = {}
    for name in TOY_SETS:
        for kind, seed in (("", 0), ("held_out_", HELD_OUT_SEED)):
            x, _ = toy_points(name, noise=0, seed=seed)
            tensors[f"{name}.{kind}x"] = x
            tensors[f"{name}.{kind}noise"] = toy_points(name, noise=1, seed=seed)[0] - x
    return tensors
