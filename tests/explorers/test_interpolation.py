"""The walk between two images, driven by setting the values of its sliders."""

import pytest
import torch

from course_utils.data import to_pixels
from course_utils.explorers.interpolation import InterpolationExplorer
from course_utils.models import ConvAutoencoder


@pytest.fixture
def images():
    return torch.randint(0, 256, (6, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.fixture
def model():
    torch.manual_seed(0)
    # In training mode on purpose: BatchNorm must not see which images happen to be mixed.
    return ConvAutoencoder(code_size=3).train()


@pytest.fixture
def explorer(model, images):
    def judge(x):
        grey = x.mean(dim=(1, 2, 3))
        return torch.stack([grey, 1 - grey], dim=1)

    return InterpolationExplorer(model, images, torch.tensor([1, 1, 0, 1, 0, 0]), judge, classes=("a", "b"))


def test_every_slider_changes_the_picture(explorer):
    pictures = [bytes(explorer.picture.value)]
    for name, value in (("first", 4), ("second", 5), ("amount", 0.1)):
        explorer.controls[name].value = value
        pictures.append(bytes(explorer.picture.value))
        assert explorer.error is None
    assert len(set(pictures)) == len(pictures)


def test_it_starts_between_two_images_of_different_classes(explorer):
    assert explorer.values() == {"first": 0, "second": 2, "amount": 0.5}


def test_the_ends_are_the_reconstructions_and_the_images(explorer, model, images):
    x = to_pixels(images)
    with torch.no_grad():
        x_hat = model.eval()(x)
    for amount, end in ((0.0, 1), (1.0, 4)):
        by_code, by_pixel = explorer.mixtures(1, 4, amount)
        assert torch.allclose(by_code, x_hat[end : end + 1], atol=1e-5)
        assert torch.allclose(by_pixel, x[end : end + 1])


def test_half_way_the_codes_are_averaged_and_not_the_images(explorer, model, images):
    x = to_pixels(images)[[0, 3]]
    with torch.no_grad():
        expected = model.eval().decode(model.encode(x).mean(dim=0, keepdim=True))
        of_images = model(x).mean(dim=0, keepdim=True)
    by_code, by_pixel = explorer.mixtures(0, 3, 0.5)
    assert torch.allclose(by_code, expected, atol=1e-5) and not torch.allclose(by_code, of_images, atol=1e-5)
    assert torch.allclose(by_pixel, x.mean(dim=0, keepdim=True))


def test_the_captions_name_the_classes_and_what_the_judge_sees(explorer, monkeypatch):
    said = []
    monkeypatch.setattr(
        "course_utils.explorers.interpolation.tiles",
        lambda images, captions, **keywords: said.extend(captions),
    )
    explorer.draw(first=0, second=2, amount=0.5)
    grey = explorer.mixtures(0, 2, 0.5)[1].mean().item()
    sees = f"a, {100 * grey:.0f} %" if grey > 0.5 else f"b, {100 * (1 - grey):.0f} %"
    assert said[0] == "from: b" and said[3] == "to: a" and sees in said[2]


def test_it_works_without_a_judge_and_with_one_class(model, images):
    explorer = InterpolationExplorer(model, images, torch.zeros(6, dtype=torch.int64))
    explorer.controls["amount"].value = 0.9
    assert explorer.error is None and explorer.values()["second"] == 1


def test_a_broken_model_shows_its_message(explorer):
    explorer.model.decode = lambda z: 1 / 0
    explorer.controls["amount"].value = 0.7
    assert isinstance(explorer.error, ZeroDivisionError) and "division" in explorer.message.value


def test_bad_input_is_told_in_a_sentence(model, images):
    with pytest.raises(ValueError, match="images must hold at least two images; got 1"):
        InterpolationExplorer(model, images[:1], torch.zeros(1))
    with pytest.raises(ValueError, match=r"labels must be .* \(6,\); got float32 of shape \(5,\)"):
        InterpolationExplorer(model, images, torch.zeros(5))
