"""The code-size explorer, driven by setting the values of its controls."""

import numpy as np
import pytest
import torch

from course_utils.data import to_pixels
from course_utils.explorers.base import ANY_CLASS, of_class
from course_utils.explorers.code_size_explorer import CodeSizeExplorer

SIZES = (1, 2, 4)


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (30, 28, 28), generator=generator, dtype=torch.uint8)


@pytest.fixture
def labels():
    return torch.arange(30) % 3


def darkened(images, divisor):
    return {size: to_pixels(images) * size / divisor for size in SIZES}


@pytest.fixture
def explorer(images, labels):
    return CodeSizeExplorer(
        images, labels, darkened(images, 8), darkened(images, 4), classes=("a", "b", "c", "d")
    )


def test_every_control_changes_the_picture(explorer):
    pictures = [bytes(explorer.picture.value)]
    for name, value in (("code_size", 4), ("code_size", 1), ("first", 3), ("chosen_class", "c")):
        explorer.controls[name].value = value
        pictures.append(bytes(explorer.picture.value))
        assert explorer.error is None
    assert len(set(pictures)) == len(pictures)


def test_each_method_has_its_own_row(explorer, images, labels):
    values = {"code_size": 2, "chosen_class": ANY_CLASS, "first": 0}
    same = CodeSizeExplorer(images, labels, darkened(images, 8), darkened(images, 8), explorer.classes)
    a, b = (np.asarray(demo.draw(**values)).astype(int) for demo in (explorer, same))
    rows = np.abs(a - b).max(axis=(1, 2)).nonzero()[0]
    assert rows.min() >= 8 + 2 * 128, "only the autoencoder's row may differ"


def test_the_images_are_drawn_as_they_are(explorer, images):
    drawn = np.asarray(explorer.draw(code_size=4, chosen_class=ANY_CLASS, first=5))
    # Each image is drawn at 3 times its size; the first stands at (108, 10) in the picture.
    first = drawn[10 : 10 + 84 : 3, 108 : 108 + 84 : 3, 0]
    assert np.array_equal(first, images[5].numpy())
    autoencoder = drawn[10 + 256 : 10 + 256 + 84 : 3, 108 : 108 + 84 : 3, 0]
    assert np.array_equal(autoencoder, images[5].numpy())  # 4 / 4 of the brightness


def test_the_class_limits_the_images(explorer):
    assert explorer.controls["first"].max == 24
    explorer.controls["first"].value = 24
    explorer.controls["chosen_class"].value = "b"
    assert of_class(explorer.labels, explorer.classes, "b").tolist() == list(range(1, 30, 3))
    assert explorer.controls["first"].max == 4 and explorer.controls["first"].value == 4
    assert explorer.error is None


def test_a_class_without_images_is_told(explorer):
    before = bytes(explorer.picture.value)
    explorer.controls["chosen_class"].value = "d"
    assert explorer.error is None and bytes(explorer.picture.value) != before


def test_a_broken_reconstruction_shows_its_message(explorer):
    del explorer.rows["PCA"][4]
    explorer.controls["code_size"].value = 4
    assert isinstance(explorer.error, KeyError) and "KeyError: 4" in explorer.message.value
    explorer.controls["code_size"].value = 1
    assert explorer.error is None and explorer.message.value == ""


def test_bad_input_is_told_in_a_sentence(images, labels):
    good = darkened(images, 4)
    with pytest.raises(ValueError, match=r"same code sizes, at least one; got \[1, 2, 4\] and \[1\]"):
        CodeSizeExplorer(images, labels, good, {1: good[1]})
    with pytest.raises(ValueError, match=r"shape of the images, \(30, 1, 28, 28\); got \(30, 784\)"):
        CodeSizeExplorer(images, labels, good, good | {2: good[2].flatten(1)})


def test_a_shorter_choice_moves_its_slider_and_draws_once(explorer, monkeypatch):
    explorer.controls["first"].value = 24
    drawn, draw = [], explorer.draw
    monkeypatch.setattr(explorer, "draw", lambda **values: drawn.append(values) or draw(**values))
    explorer.controls["chosen_class"].value = "c"
    assert drawn == [explorer.values()] and drawn[0]["first"] < 24 and explorer.error is None
