"""The theatre: the losses of both players are torch's, with and without the penalty, and the ring has eight modes."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parameters_to_vector

from course_utils.explorers.gan_theatre import GanTheatre

STEPS, BATCH, NEARBY = 50, 64, 0.1
TRAIN = """(() => {
  const game = new demo.Game(1);
  game.G.parameters.set(given.G);
  game.D.parameters.set(given.D);
  return given.batches.map((numbers) => {
    const [x, z, epsilon, zOfG] = numbers.map((list) => Float64Array.from(list));
    return [game.stepOfD(x, z, epsilon, given.penalty), game.stepOfG(zOfG)];
  });
})()"""


def torch_losses(G, D, batches, penalty):
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
def test_the_losses_of_both_players_are_those_of_torch(in_node, penalty):
    # In double precision, as in the page: a game makes of single precision's rounding up to 2e-4 within 50 steps.
    torch.manual_seed(0)
    G = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2)).double()
    D = nn.Sequential(
        nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1)
    )
    D = D.double()
    start = {name: parameters_to_vector(one.parameters()).tolist() for name, one in (("G", G), ("D", D))}
    rows = (BATCH, BATCH, 2 * BATCH, BATCH)
    batches = [[torch.randn(count, 2).double() for count in rows] for _ in range(STEPS)]
    given = {
        **start,
        "penalty": penalty,
        "batches": [[t.flatten().tolist() for t in batch] for batch in batches],
    }
    expected = np.array(torch_losses(G, D, batches, penalty))
    assert np.allclose(in_node("gan_theatre", TRAIN, given), expected, rtol=0, atol=1e-9)
    assert np.ptp(expected) > 0.1


def test_a_pull_is_the_way_on_which_g_loses_least(in_node):
    pulls, slopes = in_node(
        "gan_theatre",
        """(() => {
          const game = new demo.Game(1);
          const fakes = Float64Array.of(0.3, -0.2, 1.5, 1.1);
          const lossAt = (points) => 2 * game.pullOn(points).loss;
          const slopes = [...fakes].map((_, i) => {
            const [above, below] = [1e-5, -1e-5].map((step) => lossAt(fakes.map((v, j) => v + (i === j ? step : 0))));
            return (above - below) / 2e-5;
          });
          return [[...game.pullOn(fakes).pull], slopes];
        })()""",
        None,
    )
    assert np.allclose(pulls, -np.array(slopes), atol=1e-7) and np.abs(pulls).min() > 1e-4


def test_the_ring_has_eight_modes_of_equal_shares(in_node):
    points, shares = in_node(
        "gan_theatre",
        """(() => {
          const points = demo.samplesOfRing(20_000, Math.random);
          return [[...points], demo.sharesOfModes(points)];
        })()""",
        None,
    )
    distance = np.hypot(*np.array(points).reshape(-1, 2).T)
    assert distance.mean() == pytest.approx(2, abs=0.01) and distance.std() == pytest.approx(0.05, abs=0.005)
    # Within three standard deviations of a normal distribution in the plane: 1 - exp(-4.5).
    assert len(shares) == 8 and np.allclose(shares, (1 - np.exp(-4.5)) / 8, atol=0.015)


def test_a_fake_far_from_the_ring_is_of_no_mode(in_node):
    assert in_node("gan_theatre", "demo.sharesOfModes([0, 0, 2, 0.1])", None) == [0.5, 0, 0, 0, 0, 0, 0, 0]


def test_the_saved_notebook_keeps_a_picture():
    assert GanTheatre().still.width > 600
