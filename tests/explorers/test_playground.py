"""The playground: its losses are torch's, it reaches what the notebook says, and what the page gets is checked."""

from itertools import pairwise

import pytest
import safetensors.torch
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parameters_to_vector

from course_utils.explorers.playground import ACTIVATIONS, Playground
from course_utils.toy_data import TOY_SETS, toy_points

TORCH_ACTIVATIONS = {"ReLU": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "linear": nn.Identity}
TRAIN = """(() => {
  const learner = new demo.Learner(given.units, given.activation, given.rate, () => 0);
  learner.network.parameters.set(given.start);
  const x = Float64Array.from(given.x);
  const losses = Array.from({ length: given.steps }, () => learner.train(x, given.labels));
  return { losses, ...learner.measure(x, given.labels) };
})()"""


@pytest.mark.parametrize(
    ("activation", "units"), [*((name, (5, 4)) for name in ACTIVATIONS), ("tanh", (8, 8, 8))]
)
def test_the_losses_are_those_of_torch(in_node, activation, units):
    torch.manual_seed(0)
    x, y = toy_points("spirals")
    x = x.double()  # as in the page
    sizes = (2, *units)
    layers = [nn.Sequential(nn.Linear(a, b), TORCH_ACTIVATIONS[activation]()) for a, b in pairwise(sizes)]
    network = nn.Sequential(*layers, nn.Linear(units[-1], 2)).double()
    start = parameters_to_vector(network.parameters()).tolist()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.03)
    expected = []
    for _ in range(50):
        loss = F.cross_entropy(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    given = {"units": units, "activation": activation, "rate": 0.03, "start": start, "steps": 50}
    page = in_node("playground", TRAIN, {**given, "x": x.flatten().tolist(), "labels": y.tolist()})
    assert page["losses"] == pytest.approx(expected, abs=1e-9)
    right = (network(x).argmax(dim=1) == y).float().mean().item()
    assert page["accuracy"] == pytest.approx(right)
    assert expected[0] - expected[-1] > 0.02


def trained(in_node, data: str, units: tuple[int, ...], activation: str, steps: int) -> dict:
    """What the page's own network, from its first start, reaches on a set of points."""
    x, y = toy_points(data)
    program = TRAIN.replace(
        "learner.network.parameters.set(given.start);", "learner.network.initialise(Math.random);"
    )
    given = {"units": units, "activation": activation, "rate": 0.03, "steps": steps}
    return in_node("playground", program, {**given, "x": x.flatten().tolist(), "labels": y.tolist()})


def test_training_reaches_what_the_notebook_says(in_node):
    page = trained(in_node, "circles", (3,), "tanh", 500)
    assert page["accuracy"] == 1 and page["losses"][-1] < 0.1 < 0.6 < page["losses"][0]


@pytest.mark.parametrize("data", TOY_SETS)
def test_a_network_without_bends_draws_one_line_at_most(in_node, data):
    page = trained(in_node, data, (8, 8, 8), "linear", 200)
    assert (page["accuracy"] >= 0.95) == (data == "blobs")


def test_the_page_gets_the_points_of_every_set_and_their_noise():
    tensors = safetensors.torch.load(Playground().data["tensors"])
    for name in TOY_SETS:
        for kind, seed in (("", 0), ("held_out_", 1000)):
            x, noise = tensors[f"{name}.{kind}x"], tensors[f"{name}.{kind}noise"]
            assert torch.allclose(x + 0.3 * noise, toy_points(name, noise=0.3, seed=seed)[0], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        *(
            ({"units": units}, "units must be one to 3 numbers from 1 to 8")
            for units in [(), (9,), (0,), (2, 2, 2, 2)]
        ),
        ({"data": "moon"}, "data must be one of blobs, circles, xor, spirals; got 'moon'"),
        ({"activation": "relu"}, "activation must be one of ReLU, tanh, sigmoid, linear; got 'relu'"),
        ({"learning_rate": 0.02}, "learning_rate must be one of 0.0001, .*; got 0.02"),
    ],
)
def test_impossible_settings_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Playground(**arguments)
