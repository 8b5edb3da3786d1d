"""Pictures that somebody drew: their preparation for a network."""

import io
import tracemalloc

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from course_utils.data import load_images, to_pixels
from course_utils.drawings import ink_of, prepare_drawing, thicken
from course_utils.judges import load_judge

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


# --- screenshots, scans and photographs: an independent classifier reads the seven ---


def on_paper(**changes):
    return seven(**{"background": (250, 250, 245), "mode": "RGB", **changes})


def lit(picture, light):
    """The picture under a light that varies with the place: light(x, y), both from -1 to 1, is a share."""
    height, width = picture.height, picture.width
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return Image.fromarray((np.asarray(picture) * light(x, y)[..., None]).astype(np.uint8))


def grainy(picture, deviation=6):
    noise = np.random.default_rng(0).normal(0, deviation, np.asarray(picture).shape)
    return Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))


def falling(x, y):
    return 0.75 - 0.25 * x


def vignette(x, y):
    return 1 - 0.3 * (x**2 + y**2)


def cos4_law(x, y):
    return np.cos(np.arctan(0.6 * np.hypot(x, y))) ** 4


def rounded_corners():
    picture, opacity = on_paper(mode="RGBA"), Image.new("L", (280, 280))
    ImageDraw.Draw(opacity).rounded_rectangle((0, 0, 279, 279), 30, fill=255)
    picture.putalpha(opacity)
    return picture


def one_pixel_nearly_opaque():
    picture = on_paper(mode="RGBA")
    picture.putpixel((5, 5), (250, 250, 245, 254))
    return picture


def within_a_transparent_margin():
    picture = Image.new("RGBA", (380, 380))
    picture.paste(on_paper(), (50, 50))
    return picture


def ruled(lines=(150, 180, 220)):
    """A sheet whose lines are ink, too, if they are as dark."""
    picture = on_paper()
    sheet = Image.new("RGB", picture.size, (250, 250, 245))
    for y in range(15, 280, 31):
        ImageDraw.Draw(sheet).line([(0, y), (280, y)], fill=lines, width=2)
    return Image.fromarray(np.minimum(np.asarray(sheet), np.asarray(picture)))


def turned_by_its_camera():
    """A photograph that lies on its side, with the note in its file that says so."""
    note, file = Image.Exif(), io.BytesIO()
    note[0x0112] = 6  # the tag Orientation: to be turned by 90 degrees clockwise
    on_paper().rotate(90, expand=True).save(file, "JPEG", exif=note)
    return Image.open(file)


def in_numbers(dtype, largest):
    return Image.fromarray((np.asarray(on_paper(mode="L")) / 255 * largest).astype(dtype))


PHOTOGRAPHS = {
    "rounded corners": rounded_corners(),
    "one pixel nearly opaque": one_pixel_nearly_opaque(),
    "transparent margin": within_a_transparent_margin(),
    "falling light": lit(on_paper(), falling),
    "falling light, grainy": grainy(lit(on_paper(), falling)),
    "vignette": lit(on_paper(), vignette),
    "vignette, grainy": grainy(lit(on_paper(), vignette)),
    "the lens's own vignette": lit(on_paper(), cos4_law),
    "chalk in falling light": lit(on_paper(colour="white", background=(40, 70, 50)), falling),
    "ruled paper": ruled(),
    "ruled paper in falling light, grainy": grainy(lit(ruled(), falling)),
    "turned by its camera": turned_by_its_camera(),
    "shares of 1": in_numbers(np.float32, 1),
    "floats up to 255": in_numbers(np.float32, 255),
    "16 bits": in_numbers(np.uint16, 65535),
    "ink leaves the page": on_paper().crop((50, 47, 190, 280)),
}


@pytest.fixture(scope="module")
def judge():
    return load_judge("strokes")


@pytest.mark.parametrize("kind", PHOTOGRAPHS)
def test_the_seven_is_read_and_nothing_else_is_ink(kind, judge):
    image = prepare_drawing(PHOTOGRAPHS[kind])
    with torch.no_grad():
        assert judge(to_pixels(torch.from_numpy(image)[None])).argmax() == 7
    assert np.abs(image.astype(int) - prepare_drawing(seven())).mean() < 10


def test_a_large_photograph_is_shrunk_before_anything_else():
    photograph = grainy(lit(on_paper(size=1000), falling)).resize((4000, 3000))
    tracemalloc.start()
    image = prepare_drawing(photograph)
    largest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert ink_box(image)[0] in (19, 20, 21)
    # One float for each of its colours would be 288 MB.
    assert largest < 150e6


def test_images_that_ink_fills_to_the_border_keep_all_of_it():
    garment = np.full((28, 28), 102, dtype=np.uint8)
    garment[:, 4:24] = 204
    garment[:2], garment[12:16] = 0, 0
    garment[:, 0], garment[:, 27] = 0, 0
    assert np.array_equal(ink_of(Image.fromarray(garment)), garment // 204 * 255 + garment % 204 // 102 * 128)


@pytest.mark.parametrize(
    ("picture", "got"),
    [
        (np.zeros((28, 28), dtype=np.uint8), "must be a PIL image; got ndarray"),
        (torch.zeros(28, 28), "must be a PIL image; got Tensor"),
        (Image.new("L", (0, 0)), "must have pixels; got 0 x 0"),
        (Image.new("RGBA", (5, 0)), "must have pixels; got 5 x 0"),
    ],
)
def test_what_is_no_picture_is_told(picture, got):
    with pytest.raises(ValueError, match=f"^picture {got}$"):
        prepare_drawing(picture)
