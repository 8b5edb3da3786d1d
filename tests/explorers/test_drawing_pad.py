"""The drawing pad: its preparation of pictures, and the demo driven by setting values."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from course_utils.data import load_images
from course_utils.explorers import drawing_pad
from course_utils.explorers.drawing_pad import DRAWING, HELD_OUT, DrawingPad, ink_of, prepare_drawing, thicken

SEVEN = [(60, 50), (200, 50), (110, 230)]


def seven(size=280, colour="black", background=None, width=14, mode="RGBA"):
    picture = Image.new("RGBA", (size, size), background or (0, 0, 0, 0))
    points = [(x * size / 280, y * size / 280) for x, y in SEVEN]
    ImageDraw.Draw(picture).line(points, fill=colour, width=round(width * size / 280), joint="curve")
    return picture.convert(mode)


def centre_of_mass(image):
    weights = image.astype(float) / image.sum()
    return weights.sum(axis=1) @ np.arange(28), weights.sum(axis=0) @ np.arange(28)


def ink_box(image):
    rows, columns = np.nonzero(image.max(axis=1) > 64)[0], np.nonzero(image.max(axis=0) > 64)[0]
    return int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)


def test_a_drawing_fills_the_box_and_is_centred_by_mass():
    image = prepare_drawing(seven())
    assert image.dtype == np.uint8 and image.shape == (28, 28) and image.max() == 255
    height, width = ink_box(image)
    assert height == 20 and 14 <= width <= 17
    assert centre_of_mass(image) == pytest.approx((13.5, 13.5), abs=0.5)


@pytest.mark.parametrize(
    "picture",
    [
        seven(size=140),
        seven(size=1120),
        seven(colour="red"),
        seven(colour="black", background="white", mode="RGB"),
        seven(colour="white", background="black", mode="L"),
        seven(colour=(0, 0, 160), background=(200, 255, 200), mode="RGB"),
        seven(colour=(0, 0, 0, 120)),
    ],
    ids=["small", "large", "red", "black on white", "white on black", "blue on green", "half transparent"],
)
def test_size_colour_and_mode_do_not_matter(picture):
    difference = prepare_drawing(picture).astype(int) - prepare_drawing(seven())
    assert np.abs(difference).mean() < 6  # of 255; two different digits differ by 30 and more


def test_where_it_is_drawn_does_not_matter():
    moved = Image.new("RGBA", (400, 300))
    moved.paste(seven(), (110, 15))
    assert np.array_equal(prepare_drawing(moved), prepare_drawing(seven()))


@pytest.mark.parametrize("picture", [Image.new("RGBA", (280, 280)), Image.new("L", (50, 30), 255)])
def test_an_empty_picture_gives_zeros(picture):
    image = prepare_drawing(picture)
    assert image.shape == (28, 28) and not image.any()


def test_faint_noise_on_a_sheet_is_no_ink():
    noise = np.random.default_rng(0).integers(250, 256, (100, 100), dtype=np.uint8)
    assert not prepare_drawing(Image.fromarray(noise)).any()


def test_a_dot_is_a_drawing():
    picture = Image.new("RGBA", (280, 280))
    ImageDraw.Draw(picture).ellipse((10, 10, 18, 18), fill="black")
    assert ink_box(prepare_drawing(picture)) == (20, 20)
    picture = Image.new("L", (28, 28))
    picture.putpixel((3, 3), 255)
    assert prepare_drawing(picture).max() == 255


def test_a_thin_pen_is_thickened_and_a_thick_one_is_left():
    def ink(width):
        return prepare_drawing(seven(width=width)).mean()

    # Without the thickening, a pen of 2 leaves a seventh of the ink of a pen of 14.
    assert ink(2) == pytest.approx(ink(14), rel=0.5)
    thick = ink_of(seven(width=28))
    assert thicken(thick.crop(thick.getbbox())).size == thick.crop(thick.getbbox()).size


def test_images_of_the_data_set_stay_what_they_are():
    for image in load_images("strokes").test_images[:50].numpy():
        prepared = prepare_drawing(Image.fromarray(image)).astype(int)
        # At most one pixel of shift, because the centre of mass falls between two pixels.
        shifts = [np.roll(image, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        # Ink fainter than 16 of 255 at the rim may be cut off.
        assert min(np.abs(prepared - shifted).max() for shifted in shifts) <= 16


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


def test_every_control_changes_the_picture(pad):
    pictures = [bytes(pad.picture.value)]
    steps = (("example", 2), ("turn", 30), ("centre", False), ("right", 3), ("down", -2), ("source", DRAWING))
    for name, value in steps:
        pad.controls[name].value = value
        pictures.append(bytes(pad.picture.value))
        assert pad.error is None
    assert len(set(pictures)) == len(pictures)


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
    monkeypatch.setattr(
        drawing_pad, "_message_picture", lambda *lines: told.append(lines) or Image.new("L", (9, 9))
    )
    pad.controls["source"].value = DRAWING
    assert pad.error is None and "Draw a digit" in told[0][0]
    pad.paint.replace_with_pil(seven())
    assert len(told) == 1
    pad.paint.base64 = ""  # what a reset leaves
    assert pad.error is None and len(told) == 2


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


def test_turning_is_counter_clockwise():
    bar = Image.new("L", (28, 28))
    ImageDraw.Draw(bar).rectangle((13, 4, 15, 14), fill=255)  # from the middle upwards
    row, column = centre_of_mass(np.asarray(drawing_pad.move(bar, 0, 0, 90)))
    assert row == pytest.approx(13.5, abs=1) and column < 11


def test_a_broken_network_shows_its_message(pad):
    pad.classify = lambda pixels: 1 / 0
    pad.controls["example"].value = 3
    assert isinstance(pad.error, ZeroDivisionError) and "division by zero" in pad.message.value


def test_bad_input_is_told_in_a_sentence():
    images, labels = torch.zeros(10, 28, 28, dtype=torch.uint8), torch.zeros(10, dtype=torch.int64)
    with pytest.raises(ValueError, match="one label for each; got 10 images and 9 labels"):
        DrawingPad(None, lambda pixels: pixels, images, labels[:9], images)
    with pytest.raises(ValueError, match="examples must hold at least one image"):
        DrawingPad(None, lambda pixels: pixels, images, labels, images[:0])
