"""The demos that train in the page, in Chromium: from the same start, their losses are torch's over 50 steps."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parameters_to_vector

from course_utils.explorers.playground import ACTIVATIONS
from course_utils.explorers.web_demo import joined
from course_utils.toy_data import toy_points

STEPS = 50
# Page and torch count in double precision: a game makes of single precision's rounding up to 2e-4 within 50 steps.
LARGEST_DIFFERENCE = 1e-9

TORCH_ACTIVATIONS = {"ReLU": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "linear": nn.Identity}
TRAIN_PLAYGROUND = """(given) => {
  const learner = new Learner(given.units, given.activation, 0.03, () => 0);
  learner.network.parameters.set(given.start);
  const x = Float64Array.from(given.x);
  const losses = Array.from({ length: given.steps }, () => learner.train(x, given.labels));
  return [losses, learner.measure(x, given.labels).accuracy];
}"""

BATCH, NEARBY = 64, 0.1
TRAIN_THEATRE = """(given) => {
  const game = new Game(1);
  game.G.parameters.set(given.G);
  game.D.parameters.set(given.D);
  return given.batches.map((numbers) => {
    const [x, z, epsilon, zOfG] = numbers.map((list) => Float64Array.from(list));
    return [game.stepOfD(x, z, epsilon, given.penalty), game.stepOfG(zOfG)];
  });
}"""


@pytest.fixture
def in_page(browser):
    """`in_page(module, function, given)`: what a function of JavaScript gives, beside the module of a demo."""
    page = browser.new_page()

    def run(module: str, function: str, given: dict):
        page.add_script_tag(content=joined(module))
        return page.evaluate(function, given)

    yield run
    page.close()


def assert_same(found: list, expected: list, name: str) -> None:
    page, own = (torch.tensor(losses, dtype=torch.float64) for losses in (found, expected))
    difference = (page - own).abs().max().item()
    print(f"{name}: the largest difference of a loss from torch's over {STEPS} steps is {difference:.1e}")
    assert difference <= LARGEST_DIFFERENCE


@pytest.mark.parametrize(
    ("activation", "units"), [*((name, (5, 4)) for name in ACTIVATIONS), ("tanh", (8, 8, 8))]
)
def test_the_losses_of_the_playground_are_those_of_torch(in_page, activation, units):
    torch.manual_seed(0)
    x, y = toy_points("spirals")
    x = x.double()
    sizes = (2, *units)
    layers = [nn.Sequential(nn.Linear(a, b), TORCH_ACTIVATIONS[activation]()) for a, b in pairwise(sizes)]
    network = nn.Sequential(*layers, nn.Linear(units[-1], 2)).double()
    given = {
        "units": units,
        "activation": activation,
        "start": parameters_to_vector(network.parameters()).tolist(),
        "steps": STEPS,
        "x": x.flatten().tolist(),
        "labels": y.tolist(),
    }
    optimizer = torch.optim.Adam(network.parameters(), lr=0.03)
    expected = []
    for _ in range(STEPS):
        loss = F.cross_entropy(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    losses, accuracy = in_page("playground", TRAIN_PLAYGROUND, given)
    assert_same(losses, expected, f"playground, {activation}, {units}")
    right = (network(x).argmax(dim=1) == y).float().mean().item()
    assert accuracy == pytest.approx(right)
    assert expected[0] - expected[-1] > 0.02


def losses_of_a_game(G, D, batches, penalty):
    """The losses of D and of G in each step, from the loop of notebook 10."""
    optimizer_g, optimizer_d = (torch.optim.Adam(p.parameters(), lr=2e-3, betas=(0.5, 0.99)) for p in (G, D))
    losses = []
    for x, z, epsilon, z_of_g in batches:
        both = torch.cat([x, G(z).detach()])
        logits = D(both)
        real, fake = logits.chunk(2)
        loss_d = F.softplus(-real).mean() + F.softplus(fake).mean()
        paid = penalty * ((D(both + NEARBY * epsilon) - logits) / NEARBY).square().mean()
        optimizer_d.zero_grad()
        (loss_d + paid).backward()
        optimizer_d.step()
        loss_g = F.softplus(-D(G(z_of_g))).mean()
        optimizer_g.zero_grad()
        loss_g.backward()
        optimizer_g.step()
        losses.append([loss_d.item(), loss_g.item()])
    return losses


@pytest.mark.parametrize("penalty", [0.0, 0.1])
def test_the_losses_of_both_players_of_the_theatre_are_those_of_torch(in_page, penalty):
    torch.manual_seed(0)
    G = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2)).double()
    D = nn.Sequential(
        nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1)
    )
    D = D.double()
    rows = (BATCH, BATCH, 2 * BATCH, BATCH)
    batches = [[torch.randn(count, 2).double() for count in rows] for _ in range(STEPS)]
    given = {
        "G": parameters_to_vector(G.parameters()).tolist(),
        "D": parameters_to_vector(D.parameters()).tolist(),
        "penalty": penalty,
        "batches": [[numbers.flatten().tolist() for numbers in batch] for batch in batches],
    }
    expected = losses_of_a_game(G, D, batches, penalty)
    assert_same(in_page("gan_theatre", TRAIN_THEATRE, given), expected, f"theatre, penalty {penalty}")
    assert max(map(max, expected)) - min(map(min, expected)) > 0.1
