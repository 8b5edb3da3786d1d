"""The drawing pad, driven by setting values."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from course_utils.explorers.base import DRAWING, HELD_OUT
from course_utils.explorers.drawing_pad import DrawingPad


def seven(size=280):
    picture = Image.new("RGBA", (size, size))
    points = [(x * size / 280, y * size / 280) for x, y in [(60, 50), (200, 50), (110, 230)]]
    ImageDraw.Draw(picture).line(points, fill="black", width=round(14 * size / 280), joint="curve")
    return picture


def centre_of_mass(image):
    weights = image.astype(float) / image.sum()
    return weights.sum(axis=1) @ np.arange(28), weights.sum(axis=0) @ np.arange(28)


@pytest.fixture
def pad():
    generator = torch.Generator().manual_seed(0)
    gallery = torch.randint(0, 256, (30, 28, 28), generator=generator, dtype=torch.uint8)
    examples = torch.zeros(4, 28, 28, dtype=torch.uint8)
    for i in range(4):
        examples[i, 4:24, 6 + i : 10 + i] = 255
        examples[i, 4:8, 6:20] = 255

    def classify(pixels):
        # Class 1 the more, the more ink there is in the left half.
        left = pixels[:, 0, :, :14].mean(dim=(1, 2))
        return torch.stack([torch.zeros_like(left), 10 * left], dim=1)

    return DrawingPad(
        classify, lambda pixels: pixels, gallery, torch.arange(30) % 2, examples, classes=("no", "yes")
    )


@pytest.fixture
def drawings(pad, monkeypatch):
    """What the pictures were drawn of, one after the other."""
    drawn, draw = [], pad.draw

    def counted(source, **values):
        drawn.append(source)
        return draw(source, **values)

    monkeypatch.setattr(pad, "draw", counted)
    return drawn


def test_every_control_changes_the_picture(pad):
    pictures = [bytes(pad.picture.value)]
    steps = (("example", 2), ("turn", 30), ("centre", False), ("right", 3), ("down", -2), ("source", DRAWING))
    for name, value in steps:
        pad.controls[name].value = value
        pictures.append(bytes(pad.picture.value))
        assert pad.error is None
    assert len(set(pictures)) == len(pictures)


def test_a_move_of_the_slider_draws_once(pad, drawings):
    pad.controls["example"].value = 3
    assert drawings == [HELD_OUT]
    pad.paint.replace_with_pil(seven())
    assert drawings == [HELD_OUT, DRAWING]
    pad.controls["example"].value = 1
    assert drawings == [HELD_OUT, DRAWING, HELD_OUT]


def test_the_end_of_a_stroke_shows_the_drawing(pad):
    assert pad.controls["source"].value == HELD_OUT
    before = bytes(pad.picture.value)
    pad.paint.replace_with_pil(seven())
    assert pad.controls["source"].value == DRAWING and pad.error is None
    first = bytes(pad.picture.value)
    pad.paint.replace_with_pil(seven(size=200).rotate(20))
    assert len({before, first, bytes(pad.picture.value)}) == 3
    pad.controls["example"].value = 1
    assert pad.controls["source"].value == HELD_OUT


def test_an_empty_pad_gets_a_friendly_message(pad, monkeypatch):
    told = []
    nothing_drawn = pad.nothing_drawn
    monkeypatch.setattr(pad, "nothing_drawn", lambda: told.append(1) or nothing_drawn())
    pad.controls["source"].value = DRAWING
    assert pad.error is None and len(told) == 1
    pad.paint.replace_with_pil(seven())
    assert len(told) == 1
    pad.paint.base64 = ""  # what a reset leaves
    assert pad.error is None and len(told) == 2
    assert pad.nothing_drawn().size == (600, 350) and len(pad.nothing_drawn().getcolors(10_000)) > 1


def test_the_network_is_asked_about_the_prepared_drawing(pad):
    probabilities, distances, indices = pad.look(pad.gallery[5])
    assert probabilities.sum().item() == pytest.approx(1) and probabilities.shape == (2,)
    assert indices[0] == 5 and distances[0].item() == 0
    assert distances.tolist() == sorted(distances.tolist())


@pytest.mark.parametrize(("name", "direction"), [("right", (0, 4)), ("down", (4, 0))])
def test_moving_moves_only_when_it_is_not_centred(pad, monkeypatch, name, direction):
    seen = []
    look = pad.look
    monkeypatch.setattr(pad, "look", lambda image: seen.append(image.numpy()) or look(image))
    values = pad.values() | {"centre": False}
    pad.draw(**values)
    pad.draw(**values | {name: 4})
    shift = np.subtract(centre_of_mass(seen[1]), centre_of_mass(seen[0]))
    assert shift == pytest.approx(direction, abs=0.1)
    pad.draw(**values | {"centre": True})
    pad.draw(**values | {"centre": True, name: 3})
    assert np.array_equal(seen[2], seen[3])


def test_a_broken_network_shows_its_message(pad):
    pad.classify = lambda pixels: 1 / 0
    pad.controls["example"].value = 3
    assert isinstance(pad.error, ZeroDivisionError) and "division by zero" in pad.message.value


def test_bad_input_is_told_in_a_sentence():
    images, labels = torch.zeros(10, 28, 28, dtype=torch.uint8), torch.zeros(10, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"gallery_labels must be .* \(10,\); got int64 of shape \(9,\)"):
        DrawingPad(None, lambda pixels: pixels, images, labels[:9], images)
    with pytest.raises(ValueError, match="examples must hold at least one image"):
        DrawingPad(None, lambda pixels: pixels, images, labels, images[:0])
