"""Label and noise of a conditional generator: what the page gets, and which generators it can run."""

import pytest
import safetensors.torch
import torch

from course_utils.explorers.label_and_noise import LabelAndNoise
from course_utils.models import ConditionalGenerator

NAMES = ("a", "b", "c")


@pytest.fixture
def generator():
    torch.manual_seed(0)
    return ConditionalGenerator(noise_size=4, num_classes=3)


def test_the_page_gets_the_layers_and_a_hundred_noises(generator):
    demo = LabelAndNoise(generator, NAMES, noise_a=9)
    assert demo.data["classes"] == ["a", "b", "c"]
    assert (demo.data["label"], demo.data["noise_a"], demo.data["noise_b"]) == (0, 9, 1)
    assert len(demo.data["networks"]["generator"]) == len(generator.layers)
    assert safetensors.torch.load(demo.data["tensors"])["noises"].shape == (100, 4)
    assert not generator.training


def test_the_noises_are_always_the_same_and_the_notebooks_random_numbers_are_left_alone(generator):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second = (LabelAndNoise(generator, NAMES).data["tensors"] for _ in range(2))
    assert first == second and torch.equal(torch.rand(1), expected)


def test_names_that_do_not_fit_are_told_in_a_sentence(generator):
    with pytest.raises(
        ValueError, match=r"classes must be as many as G\.num_classes; got 2 names for 3 classes"
    ):
        LabelAndNoise(generator, ("a", "b"))


@pytest.mark.parametrize(("name", "noise"), [("noise_a", 100), ("noise_b", -1)])
def test_a_noise_that_is_not_there_is_told_in_a_sentence(generator, name, noise):
    with pytest.raises(ValueError, match=f"{name} must be a whole number from 0 to 99; got {noise}"):
        LabelAndNoise(generator, NAMES, **{name: noise})


def test_a_generator_that_uses_the_label_otherwise_is_told_in_a_sentence(generator):
    generator.forward = lambda z, y: generator.layers(torch.cat([z, 2 * torch.eye(3)[y]], dim=1))
    with pytest.raises(ValueError, match=r"G\(z, y\) must be G\.layers of z and the one-hot y side by side"):
        LabelAndNoise(generator, NAMES)
