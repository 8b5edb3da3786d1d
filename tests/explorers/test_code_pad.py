"""The pad over a code of two numbers, driven by its sliders and by its point, as a drag does."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils.explorers.code_pad import CodePad
from course_utils.judges import load_judge
from course_utils.models import MLPAutoencoder

POINTS = torch.tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, 2.0], [0.5, -1.0]])


def square_at(z):
    """A white square whose corner is where z says: 14 + 4 z1 to the right, 14 - 4 z2 down."""
    pixels = torch.zeros(len(z), 1, 28, 28)
    for image, (z1, z2) in zip(pixels[:, 0], z.tolist(), strict=True):
        row, column = round(14 - 4 * z2), round(14 + 4 * z1)
        image[row : row + 4, column : column + 4] = 1
    return pixels


@pytest.fixture
def decoded():
    return []


@pytest.fixture
def pad(decoded):
    def decode(z):
        decoded.append(z.tolist()[0])
        return square_at(z)

    images = torch.arange(4, dtype=torch.uint8)[:, None, None].expand(4, 28, 28) * 60
    return CodePad(decode, POINTS, torch.tensor([0, 1, 1, 2]), images=images, classes=("a", "b", "c"))


def shown(pad) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(pad.picture.value)).convert("L"))


def test_it_starts_at_the_first_code_and_shows_its_image(pad, decoded):
    assert decoded[0] == [-1.0, 0.0]
    # The image is enlarged 8 times below one line of text; its square begins at row 14, column 10.
    image = shown(pad)[22 : 22 + 224, 4 : 4 + 224]
    rows, columns = np.nonzero(image > 128)
    assert (rows.min() // 8, columns.min() // 8) == (14, 10)


def test_the_sliders_move_the_point_and_the_image(pad, decoded):
    before = bytes(pad.picture.value)
    pad.controls["z1"].value = 0.5
    pad.controls["z2"].value = 1.5
    assert (pad.puck.x, pad.puck.y) == ([0.5], [1.5])
    assert decoded[-1] == [0.5, 1.5] and bytes(pad.picture.value) != before and pad.error is None


def test_a_drag_moves_the_sliders_and_draws_once(pad, decoded):
    before = len(decoded)
    # What arrives from the browser: both coordinates in one message.
    pad.puck.set_state({"x": [0.25], "y": [-0.75]})
    assert pad.values() == {"z1": 0.25, "z2": -0.75}
    assert decoded[before:] == [[0.25, -0.75]] and pad.error is None


def test_a_point_at_the_very_edge_stays_on_the_map(pad):
    (left, right), (bottom, top) = pad.limits
    assert left < POINTS[:, 0].min() and right > POINTS[:, 0].max()
    assert bottom < POINTS[:, 1].min() and top > POINTS[:, 1].max()
    pad.puck.set_state({"x": [right + 1e-9], "y": [bottom]})
    assert pad.values() == {"z1": right, "z2": bottom} and pad.error is None


def test_the_nearest_code_is_named_and_its_image_shown(pad):
    index, distance = pad.nearest(0.3, -1.0)
    assert index == 3 and distance == pytest.approx(0.2)
    pad.controls["z1"].value, pad.controls["z2"].value = 0.3, -1.0
    assert (shown(pad)[330:400, 160:240] == 180).all()


def test_the_judge_is_asked_about_the_decoded_image():
    asked = []

    def judge(pixels):
        asked.append(pixels)
        return torch.tensor([[0.25, 0.75]])

    pad = CodePad(square_at, POINTS, torch.zeros(4, dtype=torch.int64), judge=judge, classes=("no", "yes"))
    pad.controls["z1"].value = 0.25
    assert pad.error is None and torch.equal(asked[-1], square_at(torch.tensor([[0.25, 0.0]])))
    without = CodePad(square_at, POINTS, torch.zeros(4, dtype=torch.int64))
    without.controls["z1"].value = 0.25
    assert bytes(without.picture.value) != bytes(pad.picture.value)


def test_it_takes_an_autoencoder_and_leaves_no_gradient():
    torch.manual_seed(0)
    model = MLPAutoencoder(2, hidden_size=8)
    points = model.encode(torch.rand(20, 1, 28, 28))
    decoded = []
    pad = CodePad(lambda z: decoded.append(model.decode(z)) or decoded[-1], points, torch.arange(20) % 10)
    before = bytes(pad.picture.value)
    pad.controls["z1"].value = pad.limits[0][1]
    assert pad.error is None and bytes(pad.picture.value) != before
    assert not any(pixels.requires_grad for pixels in decoded)


def test_a_judge_is_told_apart_from_a_network_that_returns_logits():
    labels, logits = torch.zeros(4, dtype=torch.int64), torch.tensor([[14.19, 0.0]])
    judged = CodePad(square_at, POINTS, labels, judge=lambda x: logits.softmax(dim=1), classes=("a", "b"))
    assert judged.error is None
    misused = CodePad(square_at, POINTS, labels, judge=lambda x: logits, classes=("a", "b"))
    assert "judge must return probabilities" in misused.message.value and "softmax" in misused.message.value


def test_the_courses_judge_serves_as_it_is():
    labels = torch.zeros(4, dtype=torch.int64)
    assert CodePad(square_at, POINTS, labels, judge=load_judge("strokes")).error is None


def test_the_saved_notebook_shows_the_map_with_the_point(pad):
    def still():
        return np.array(Image.open(io.BytesIO(pad.still())).convert("RGB")).astype(int)

    first = still()
    pad.puck.set_state({"x": [1.0], "y": [2.0]})
    moved = np.abs(first - still()).sum(axis=2) > 0
    assert first.shape[1] > first.shape[0] and moved[:, :500].any() and moved[:, 500:].any()
    # Of the map, only the two places of the point differ.
    assert moved[:, :500].sum() < 2 * 20 * 20


def test_a_start_and_limits_may_be_given():
    pad = CodePad(square_at, POINTS, [0, 0, 0, 0], start=(0.0, 1.0), limits=((-3, 3), (-2, 2)))
    assert pad.values() == {"z1": 0.0, "z2": 1.0} and pad.limits == ((-3, 3), (-2, 2))
    assert tuple(pad.puck.x_bounds) == (-3, 3) and tuple(pad.puck.y_bounds) == (-2, 2)


def test_a_broken_decoder_shows_its_message(pad):
    pad.decode = lambda z: 1 / 0
    pad.puck.set_state({"x": [0.5], "y": [0.5]})
    assert isinstance(pad.error, ZeroDivisionError) and "division by zero" in pad.message.value


def test_bad_input_is_told_in_a_sentence():
    with pytest.raises(ValueError, match=r"points must have shape \(N, 2\).*got \(4, 3\)"):
        CodePad(square_at, torch.zeros(4, 3), torch.zeros(4))
    with pytest.raises(
        ValueError, match=r"labels must be .* one for each image, \(4,\); got int64 of shape \(3,\)"
    ):
        CodePad(square_at, POINTS, np.zeros(3, dtype=int))
    with pytest.raises(
        ValueError, match=r"labels must be whole numbers from 0 to 1, .* got labels from 0 to 2"
    ):
        CodePad(square_at, POINTS, [0, 1, 2, 0], classes=("a", "b"))
    with pytest.raises(ValueError, match="images must be one for each point; got 5 for 4"):
        CodePad(square_at, POINTS, [0, 0, 0, 0], images=torch.zeros(5, 28, 28, dtype=torch.uint8))
