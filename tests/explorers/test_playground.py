"""The playground: it reaches what the notebook says, and what the page gets is checked."""

import pytest
import safetensors.torch
import torch

from course_utils.explorers.playground import HELD_OUT_SEED, Playground
from course_utils.toy_data import TOY_SETS, toy_points

STARTS = """Array.from({ length: given.starts }, (_, seed) => {
  const learner = new demo.Learner(given.units, given.activation, given.rate, uniformNumbers(seed));
  const [x, heldOut] = [given.x, given.held_out].map((values) => Float64Array.from(values));
  for (let i = 0; i < given.steps; i++) learner.train(x, given.labels);
  return { ...learner.measure(x, given.labels), held_out: learner.measure(heldOut, given.labels).accuracy };
})"""


def trained(in_node, data: str, units: tuple[int, ...], steps: int, **given) -> list[dict]:
    """What the page's network reaches on a set of points, from the first starts of the demo."""
    noise = given.pop("noise", 0.1)
    sent = safetensors.torch.load(Playground().data["tensors"])
    # In double precision, as the page adds them: long trainings amplify the least difference.
    x, held_out = (
        sent[f"{data}.{kind}x"].double() + noise * sent[f"{data}.{kind}noise"].double()
        for kind in ("", "held_out_")
    )
    labels = torch.arange(len(x)) % 2
    points = {
        "x": x.flatten().tolist(),
        "held_out": held_out.flatten().tolist(),
        "labels": labels.tolist(),
    }
    settings = {"activation": "tanh", "rate": 0.03, "starts": 10, "units": units, "steps": steps}
    return in_node("playground", STARTS, {**settings, **points, **given})


@pytest.mark.parametrize(
    ("setting", "lowest", "highest"),
    [
        ({"data": "circles", "units": (2,), "steps": 1000}, 83, 89),
        ({"data": "circles", "units": (3,), "steps": 1000}, 99, 100),
        ({"data": "spirals", "units": (4,), "steps": 1000}, 70, 82),
        ({"data": "spirals", "units": (8, 8), "steps": 1000}, 95, 100),
        ({"data": "circles", "units": (3,), "steps": 1500, "noise": 0.6}, 84, 84),
        ({"data": "circles", "units": (8, 8, 8), "steps": 1500, "noise": 0.6}, 70, 80),
        ({"data": "circles", "units": (4,), "steps": 300, "rate": 0.0001}, 28, 76),
        ({"data": "circles", "units": (4,), "steps": 300}, 99, 100),
        ({"data": "circles", "units": (4,), "steps": 300, "rate": 3.0}, 49, 100),
    ],
)
def test_ten_starts_stay_in_the_ranges_of_the_answers_of_notebook_01(in_node, setting, lowest, highest):
    starts = trained(in_node, **setting)
    percentages = [100 * start["held_out"] for start in starts]
    # Another version of node may round tanh and exp otherwise, which grows in a long training. The ranges are those of
    # 24 starts.
    assert lowest - 2 <= min(percentages) <= lowest + 3 and highest - 3 <= max(percentages) <= highest + 2
    if setting["units"] == (8, 8, 8):
        assert all(start["accuracy"] > 0.85 for start in starts)
    if setting.get("rate") == 3.0:
        assert 2 <= sum(start["held_out"] < 0.9 for start in starts) <= 6


@pytest.mark.parametrize("data", TOY_SETS)
def test_a_network_without_bends_draws_one_line_at_most(in_node, data):
    (page,) = trained(in_node, data, (8, 8, 8), 200, activation="linear", starts=1)
    assert (page["accuracy"] >= 0.95) == (data == "blobs")


def test_the_page_gets_the_points_of_every_set_and_their_noise():
    tensors = safetensors.torch.load(Playground().data["tensors"])
    for name in TOY_SETS:
        for kind, seed in (("", 0), ("held_out_", HELD_OUT_SEED)):
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
