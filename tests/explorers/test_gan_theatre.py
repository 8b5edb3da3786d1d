"""The training theatre: its curves are the exact ones, its players learn, and its controls do what they say."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from course_utils.explorers.base import PLAYING
from course_utils.explorers.gan_theatre import (
    DATA,
    GENERATORS,
    STEPS_PER_FRAME,
    GanTheatre,
    X,
    Z,
    mixture_density,
    pushed_density,
    sample_data,
)

STEP = X[1] - X[0]


@pytest.fixture
def theatre() -> GanTheatre:
    return GanTheatre()


def overlap_missing(theatre: GanTheatre) -> float:
    """The total variation distance of data and generator: 0 if they agree, 1 if they share nothing."""
    curves = theatre.curves()
    return 0.5 * STEP * np.abs(curves["p"] - curves["q"]).sum()


def pixels(theatre: GanTheatre) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(theatre.picture.value)).convert("RGB"))


@pytest.mark.parametrize("name", DATA)
def test_the_data_follow_their_density(name):
    x = sample_data(DATA[name], 200_000, torch.Generator().manual_seed(0))
    assert x.shape == (200_000, 1)
    density = mixture_density(X, DATA[name])
    assert STEP * density.sum() == pytest.approx(1, abs=1e-3)
    assert STEP * np.abs(pushed_density(x[:, 0].numpy()) - density).sum() < 0.05


def test_a_pushed_density_is_that_of_the_line_it_comes_from():
    density = pushed_density((-1 + 0.7 * Z[:, 0]).numpy())
    assert STEP * density.sum() == pytest.approx(1, abs=1e-3)
    assert np.abs(density - mixture_density(X, ((1.0, -1.0, 0.7),))).max() < 0.01


@pytest.mark.parametrize("generator", GENERATORS)
def test_the_best_d_is_p_over_p_plus_q(theatre, generator):
    theatre.controls["generator"].value = generator
    curves = theatre.curves()
    drawn = ~np.isnan(curves["best"])
    assert drawn.sum() > 50
    expected = curves["p"][drawn] / (curves["p"] + curves["q"])[drawn]
    assert np.abs(curves["best"][drawn] - expected).max() < 1e-9
    at_one, at_minus_one = np.abs(X - 1).argmin(), np.abs(X + 1).argmin()
    if generator == GENERATORS[0]:  # G starts as z - 1
        assert curves["best"][at_one] > 0.9 and curves["best"][at_minus_one] < 0.1
        assert curves["q"][at_minus_one] == pytest.approx(1 / math.sqrt(2 * math.pi), abs=1e-3)


def test_both_players_learn_and_meet_at_one_half(theatre):
    assert overlap_missing(theatre) > 0.7
    theatre.train(700)
    assert overlap_missing(theatre) < 0.1
    loss, real, fake = np.mean([entry[1:] for entry in theatre.history[-100:]], axis=0)
    assert loss == pytest.approx(2 * math.log(2), abs=0.03)
    assert real == pytest.approx(0.5, abs=0.03) and fake == pytest.approx(0.5, abs=0.03)


def test_a_generator_held_still_lets_d_reach_the_best_d(theatre):
    theatre.controls["rate_of_g"].value = 0.0
    before = theatre.curves()["q"]
    theatre.train(250)
    curves = theatre.curves()
    assert np.array_equal(curves["q"], before)
    seen = (curves["p"] + curves["q"]) > 0.1
    assert np.abs(curves["D"] - curves["best"])[seen].mean() < 0.06


def test_a_discriminator_held_still_stays(theatre):
    theatre.controls["rate_of_d"].value = 0.0
    before = theatre.curves()
    theatre.train(5)
    after = theatre.curves()
    assert np.array_equal(after["D"], before["D"]) and not np.array_equal(after["q"], before["q"])


def test_a_line_cannot_follow_two_bumps(theatre):
    theatre.controls["data"].value = "two bumps"
    theatre.train(150)
    assert overlap_missing(theatre) > 0.3


def test_the_penalty_makes_d_less_steep(theatre):
    theatre.controls["rate_of_g"].value = 0.0
    steepest = []
    for penalty in (0.0, 1.0):
        theatre.controls["penalty"].value = penalty
        theatre.reset()
        theatre.train(150)
        steepest.append(np.abs(np.diff(theatre.curves()["D"])).max())
    assert steepest[1] < 0.7 * steepest[0]


def test_the_losses_differ(theatre):
    biases = []
    for loss in ("non-saturating", "saturating"):
        theatre.controls["loss"].value = loss
        theatre.reset()
        theatre.train(30)
        biases.append(theatre.G.bias.item())
    assert biases[0] != biases[1]


def test_new_data_or_a_new_generator_start_over_and_the_rest_keeps_what_was_learnt(theatre):
    theatre.train(3)
    for name, value in (("loss", "saturating"), ("rate_of_d", 0.02), ("steps_of_d", 3), ("penalty", 0.1)):
        theatre.controls[name].value = value
        assert theatre.step == 3
    for name, value in (("data", "far away"), ("generator", GENERATORS[1])):
        theatre.train(2)
        theatre.controls[name].value = value
        assert theatre.step == 0 and theatre.history == []
    assert isinstance(theatre.G, nn.Sequential) and theatre.error is None


def test_play_step_and_reset(theatre):
    first = pixels(theatre)
    theatre.step_button.click()
    assert theatre.step == 1 and (pixels(theatre) != first).any()
    theatre.play_button.value = True
    assert getattr(theatre.controls["play"], PLAYING) and theatre.play_button.description == "Pause"
    theatre.controls["play"].value += 1  # what the browser does at every tick
    assert theatre.step == 1 + STEPS_PER_FRAME
    theatre.play_button.value = False
    assert not getattr(theatre.controls["play"], PLAYING)
    theatre.reset_button.click()
    assert theatre.step == 0 and np.array_equal(pixels(theatre), first)
    assert theatre.error is None


def test_the_axis_of_the_steps_grows_with_the_run(theatre):
    theatre.train(150)
    assert theatre.stage.history_axes[0].get_xlim() == (0, 200)
    theatre.train(60)
    assert theatre.stage.history_axes[0].get_xlim() == (0, 500)


def test_the_random_numbers_of_the_notebook_stay_untouched():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    GanTheatre().train(2)
    assert torch.equal(torch.rand(3), expected)
