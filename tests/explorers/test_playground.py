"""The playground, driven by setting values and calling its methods."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils.explorers.base import PLAYING
from course_utils.explorers.playground import LEARNING_RATES, STEPS_PER_FRAME, Playground
from course_utils.toy_data import TOY_SETS, toy_points


@pytest.fixture
def playground() -> Playground:
    return Playground("circles", units=(3,), activation="tanh")


def weights(playground: Playground) -> torch.Tensor:
    return torch.nn.utils.parameters_to_vector(playground.network.parameters()).detach().clone()


def picture(playground: Playground) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(playground.picture.value)).convert("RGB")).astype(int)


def test_training_reaches_what_the_notebook_says(playground):
    playground.train(500)
    assert playground.accuracy == (1.0, 1.0)
    assert playground.step == playground.history[-1][0] == 500
    assert playground.history[-1][1] < 0.1 < 0.6 < playground.history[0][1]


@pytest.mark.parametrize("data", TOY_SETS)
def test_a_network_without_bends_draws_one_line_at_most(data):
    playground = Playground(data, units=(8, 8, 8), activation="linear")
    playground.train(200)
    assert (playground.accuracy[1] >= 0.95) == (data == "blobs")


def test_a_tick_of_the_player_trains_and_redraws(playground):
    before, old_picture = weights(playground), playground.picture.value
    playground.controls["play"].value += 1
    assert playground.error is None
    assert playground.step == STEPS_PER_FRAME
    assert not torch.equal(weights(playground), before)
    assert playground.picture.value != old_picture


def test_the_train_button_starts_and_pauses_the_player(playground):
    play = playground.controls["play"]
    assert not getattr(play, PLAYING)
    playground.train_button.value = True
    assert getattr(play, PLAYING)
    assert playground.train_button.description == "Pause"
    playground.train_button.value = False
    assert not getattr(play, PLAYING)
    assert playground.train_button.description == "Train"
    assert playground.step == 0


def test_step_and_reset_buttons(playground):
    start = weights(playground)
    playground.step_button.click()
    assert playground.step == 1
    playground.reset_button.click()
    assert playground.step == 0
    assert playground.error is None
    assert not torch.equal(weights(playground), start), "Reset draws new random weights"


@pytest.mark.parametrize(
    ("control", "value"),
    [("data", "spirals"), ("noise", 0.4), ("activation", "ReLU"), ("layers", 3), ("units_1", 8)],
)
def test_a_change_of_the_task_or_the_network_starts_over(playground, control, value):
    playground.train(20)
    before = playground.picture.value
    playground.controls[control].value = value
    assert playground.error is None
    assert playground.step == 0
    assert playground.picture.value != before


def test_a_change_of_the_learning_rate_keeps_what_was_learnt(playground):
    playground.train(20)
    before = weights(playground)
    playground.controls["learning_rate"].value = LEARNING_RATES[0]
    assert playground.step == 20
    assert torch.equal(weights(playground), before)
    playground.train(1)
    # Adam's step is at most about the learning rate in every weight.
    assert 0 < (weights(playground) - before).abs().max() < 2 * LEARNING_RATES[0]


def test_only_the_layers_in_use_can_be_changed(playground):
    disabled = [playground.controls[f"units_{i}"].disabled for i in (1, 2, 3)]
    assert disabled == [False, True, True]
    playground.controls["layers"].value = 2
    assert [len(response[0]) for response in playground.network.responses(playground.x)] == [3, 4]


def test_thumbnails_show_what_the_units_answer(playground):
    with torch.no_grad():
        layer = playground.network.layers[0][0]
        layer.weight.copy_(torch.tensor([[5.0, 0.0], [0.0, 5.0], [-5.0, 0.0]]))
        layer.bias.zero_()
    playground.update()
    pixels = picture(playground)
    # In the only layer: unit 1 is orange (red over blue) on the right, unit 2 at the top, unit 3 on the left.
    warm = pixels[..., 0] - pixels[..., 2]
    x, (y1, y2, y3) = 299, (161, 215, 269)
    assert warm[y1 + 22, x + 40] > 100 > -100 > warm[y1 + 22, x + 4]
    assert warm[y2 + 4, x + 22] > 100 > -100 > warm[y2 + 40, x + 22]
    assert warm[y3 + 22, x + 4] > 100 > -100 > warm[y3 + 22, x + 40]


def test_drawing_does_not_touch_the_random_numbers_of_the_notebook():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    Playground().train(3)
    assert torch.equal(torch.rand(3), expected)


def test_an_error_is_shown_and_goes_away(playground, monkeypatch):
    monkeypatch.setattr(playground, "draw", lambda **values: 1 / 0)
    playground.controls["play"].value += 1
    assert isinstance(playground.error, ZeroDivisionError)
    assert "division by zero" in playground.message.value
    monkeypatch.undo()
    playground.controls["play"].value += 1
    assert playground.error is None
    assert playground.message.value == ""


@pytest.mark.parametrize("units", [(), (9,), (0,), (2, 2, 2, 2)])
def test_impossible_layers_are_refused(units):
    with pytest.raises(ValueError, match="units must be one to 3 numbers from 1 to 8"):
        Playground(units=units)


@pytest.mark.parametrize("name", TOY_SETS)
def test_toy_points_are_balanced_and_repeatable(name):
    x, y = toy_points(name, noise=0.1)
    assert x.shape == (200, 2)
    assert y.bincount().tolist() == [100, 100]
    assert x.abs().max() < 3
    assert torch.equal(x, toy_points(name, noise=0.1)[0])
    assert not torch.equal(x, toy_points(name, noise=0.1, seed=1)[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "moon"}, "name must be one of blobs, circles, xor, spirals; got 'moon'"),
        ({"name": "xor", "noise": -1}, "noise must be at least 0; got -1"),
        ({"name": "xor", "count": 3}, "count must be even and at least 2; got 3"),
    ],
)
def test_bad_arguments_of_toy_points(arguments, message):
    with pytest.raises(ValueError, match=message):
        toy_points(**arguments)
