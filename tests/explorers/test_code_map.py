"""The map of codes, driven by setting the values of its controls."""

import numpy as np
import pytest
import torch

from course_utils.data import to_pixels
from course_utils.explorers.code_map import CodeMap
from course_utils.models import ConvAutoencoder


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (40, 28, 28), generator=generator, dtype=torch.uint8)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return ConvAutoencoder(code_size=5)


@pytest.fixture
def explorer(model, images):
    return CodeMap(model, images, torch.arange(40) % 3, {"slant": torch.linspace(-1, 1, 40)}, ("a", "b", "c"))


def test_every_control_changes_the_picture(explorer):
    pictures = [bytes(explorer.picture.value)]
    for name, value in (
        ("across", "z2"),
        ("up", "z5"),
        ("colour", "slant"),
        ("image", 7),
        ("colour", "class"),
    ):
        explorer.controls[name].value = value
        pictures.append(bytes(explorer.picture.value))
        assert explorer.error is None
    assert len(set(pictures)) == len(pictures)


def test_the_coordinates_and_errors_are_those_of_the_model(explorer, model, images):
    with torch.no_grad():
        x = to_pixels(images)
        z = model.eval().encode(x)
        errors = (model.decode(z) - x).square().flatten(1).sum(dim=1)
    assert np.allclose(explorer.coordinates["z3"], z[:, 2], atol=1e-5)
    variances = [explorer.coordinates[f"PCA {i}"].var() for i in (1, 2, 3, 4)]
    assert variances == sorted(variances, reverse=True) and "PCA 5" not in explorer.coordinates
    assert explorer.errors == pytest.approx(errors.tolist(), rel=1e-4)


def test_the_chosen_image_is_marked_and_described(explorer):
    figure = explorer.draw(across="z1", up="z2", colour="slant", image=9)
    marked = [line.get_xydata()[0] for line in figure.axes[0].lines]
    assert np.allclose(marked, [[explorer.coordinates["z1"][9], explorer.coordinates["z2"][9]]])
    titles = [axis.get_title() for axis in figure.axes]
    assert "x: a\nslant = -0.54" in titles
    assert f"x_hat: squared error {explorer.errors[9]:.1f}" in titles


def test_moving_from_image_to_image_draws_the_map_only_once(explorer, monkeypatch):
    monkeypatch.setattr(explorer, "_draw_map", lambda *values: 1 / 0)
    explorer.controls["image"].value = 3
    assert explorer.error is None


def test_data_without_factors_offer_the_class_only(model, images):
    explorer = CodeMap(model, images, torch.arange(40) % 3, {}, ("a", "b", "c"))
    assert explorer.controls["colour"].options == ("class",) and explorer.error is None


def test_a_code_of_one_number_has_a_map(images):
    torch.manual_seed(0)
    explorer = CodeMap(ConvAutoencoder(code_size=1), images, torch.arange(40) % 3, {}, ("a", "b", "c"))
    assert explorer.error is None and list(explorer.coordinates) == ["PCA 1", "z1"]


def test_a_broken_draw_shows_its_message(explorer):
    explorer.factors["slant"] = np.zeros(7)  # not as many as images
    explorer.controls["colour"].value = "slant"
    assert explorer.error is not None and type(explorer.error).__name__ in explorer.message.value


def test_bad_input_is_told_in_a_sentence(model, images):
    with pytest.raises(
        ValueError, match=r"labels must be .* one for each image, \(40,\); got int64 of shape \(39,\)"
    ):
        CodeMap(model, images, torch.zeros(39, dtype=torch.int64), {}, ("a",))
    with pytest.raises(ValueError, match="images must hold at least 5 images; got 4"):
        CodeMap(model, images[:4], torch.arange(4), {}, ("a", "b", "c", "d"))
    with pytest.raises(ValueError, match="slant must be one for each image; got 1 for 40"):
        CodeMap(model, images, torch.zeros(40, dtype=torch.int64), {"slant": torch.zeros(1)}, ("a",))
