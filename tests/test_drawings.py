"""Pictures that somebody drew: their preparation for a network."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from course_utils.data import load_images
from course_utils.drawings import ink_of, move, prepare_drawing, thicken

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


def test_turning_is_counter_clockwise():
    bar = Image.new("L", (28, 28))
    ImageDraw.Draw(bar).rectangle((13, 4, 15, 14), fill=255)  # from the middle upwards
    row, column = centre_of_mass(np.asarray(move(bar, 0, 0, 90)))
    assert row == pytest.approx(13.5, abs=1) and column < 11
