"""One style in every class: the sliders and the pad, driven by setting values."""

import pytest
import torch
from PIL import Image, ImageDraw

from course_utils.data import to_pixels
from course_utils.explorers.base import DRAWING, HELD_OUT
from course_utils.explorers.handwriting import HEIGHT, WIDTH, HandwritingPad, StyleExplorer

CLASSES = ("a", "b", "c")


def decode(z, y):
    """A bar whose place is the class, and whose length and brightness are z."""
    rows = torch.arange(28)[None, :, None]
    columns = torch.arange(28)[None, None, :]
    here = (columns // 9 == y[:, None, None]) & (rows < 14 + 5 * z[:, :1, None])
    return (here * z[:, 1:, None].sigmoid()).unsqueeze(1)


@pytest.fixture
def codes():
    """Codes that vary three times as much along the second number as along the first."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(200, 2, generator=generator) * torch.tensor([0.5, 1.5])


@pytest.fixture
def styles(codes):
    return StyleExplorer(decode, codes, CLASSES)


def test_every_control_changes_the_picture(styles):
    pictures = [bytes(styles.picture.value)]
    for name, value in (("class", 2), ("start", 5), ("style 1", 1.5), ("style 2", -2.0)):
        styles.controls[name].value = value
        pictures.append(bytes(styles.picture.value))
        assert styles.error is None
    assert len(set(pictures)) == len(pictures)


def test_a_slider_moves_by_a_standard_deviation_along_its_principal_direction(styles, codes):
    assert "style 3" not in styles.controls  # there are two latents only
    first, second = styles.steps
    assert (
        first.norm() == pytest.approx(codes[:, 1].std().item(), rel=0.05) and abs(first[0] / first[1]) < 0.1
    )
    assert second.norm() == pytest.approx(codes[:, 0].std().item(), rel=0.05)
    assert abs(first @ second) < 1e-4


def test_all_classes_get_the_same_z(styles, codes):
    seen = []
    styles.decode = lambda z, y: seen.append((z, y)) or decode(z, y)
    picture = styles.draw(start=3, **{"class": 1, "style 1": 2.0, "style 2": 0.0})
    assert picture.size == (WIDTH, HEIGHT)
    z, y = seen[0]
    assert y.tolist() == [0, 1, 2] and torch.allclose(z, (codes[3] + 2 * styles.steps[0]).expand(3, -1))


def test_bad_codes_are_told_in_a_sentence(codes):
    with pytest.raises(ValueError, match=r"codes must be \(N, n\) with at least two rows; got shape \(2,\)"):
        StyleExplorer(decode, codes[0], CLASSES)


@pytest.fixture
def examples():
    images = torch.zeros(4, 28, 28, dtype=torch.uint8)
    for i in range(4):
        images[i, 4:24, 6 + i : 10 + 2 * i] = 255
    return images


@pytest.fixture
def pad(examples):
    def encode(x, y):
        ink = x.mean(dim=(1, 2, 3))
        return torch.stack([10 * ink - 1 + 0.1 * y, ink], dim=1), torch.zeros(len(x), 2)

    def classify(x):
        # The thicker the stroke, the higher the class.
        return -(torch.arange(3)[None] - (x.mean(dim=(1, 2, 3)) * 12 - 1)[:, None]).square()

    return HandwritingPad(encode, decode, classify, examples, CLASSES)


def test_every_control_of_the_pad_changes_the_picture(pad):
    pictures = [bytes(pad.picture.value)]
    for name, value in (("example", 2), ("drawn_as", 0), ("drawn_as", 2)):
        pad.controls[name].value = value
        pictures.append(bytes(pad.picture.value))
        assert pad.error is None
    pad.paint.replace_with_pil(cross())
    pictures.append(bytes(pad.picture.value))
    assert pad.controls["source"].value == DRAWING and pad.error is None
    assert len(set(pictures)) == len(pictures)
    pad.controls["example"].value = 1
    assert pad.controls["source"].value == HELD_OUT


def cross():
    picture = Image.new("RGBA", (280, 280))
    pen = ImageDraw.Draw(picture)
    pen.line([(60, 60), (220, 220)], fill="black", width=14)
    pen.line([(220, 60), (60, 220)], fill="black", width=14)
    return picture


def test_the_image_is_encoded_with_its_own_class_and_decoded_with_all(pad, examples):
    x = to_pixels(examples[:1])
    images = pad.in_every_class(x, 2)
    mu, _ = pad.encode(x, torch.tensor([2]))
    assert torch.equal(images, decode(mu.expand(3, -1), torch.arange(3)))
    asked = []
    pad.in_every_class = lambda x, label: asked.append(label) or images
    pad.draw(HELD_OUT, 0, -1)
    pad.draw(HELD_OUT, 0, 1)
    assert asked == [pad.read(x), 1]


def test_an_empty_pad_gets_a_friendly_message(pad):
    pad.controls["source"].value = DRAWING
    assert pad.error is None and bytes(pad.picture.value)
    assert pad.draw(DRAWING, 0, -1).tobytes() == pad.nothing_drawn().tobytes()


def test_a_broken_model_shows_its_message(pad):
    pad.decode = lambda z, y: 1 / 0
    pad.controls["example"].value = 3
    assert isinstance(pad.error, ZeroDivisionError) and "division by zero" in pad.message.value
