"""The theatre: fakes are pulled to where G loses least, and the ring has eight modes."""

import numpy as np
import pytest

from course_utils.explorers.gan_theatre import GanTheatre


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
