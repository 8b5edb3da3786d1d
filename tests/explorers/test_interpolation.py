"""The walk between two images: what the page gets."""

import pytest
import safetensors.torch
import torch

from course_utils.explorers.interpolation import InterpolationExplorer
from course_utils.judges import load_judge
from course_utils.models import MLPAutoencoder


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MLPAutoencoder(2, hidden_size=8)


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (4, 28, 28), generator=generator, dtype=torch.uint8)


def test_it_starts_between_two_classes(model, images):
    demo = InterpolationExplorer(model, images, torch.tensor([3, 3, 1, 2]), load_judge("strokes"))
    assert (demo.data["first"], demo.data["second"]) == (0, 2)
    assert set(demo.data["networks"]) == {"encoder", "decoder", "judge"}
    assert torch.equal(safetensors.torch.load(demo.data["tensors"])["images"], images)


def test_a_single_class_and_no_judge_serve_as_well(model, images):
    demo = InterpolationExplorer(model, images, torch.zeros(4, dtype=torch.int64))
    assert demo.data["second"] == 1 and set(demo.data["networks"]) == {"encoder", "decoder"}


def test_bad_input_is_told_in_a_sentence(model, images):
    with pytest.raises(ValueError, match="images must hold at least two images; got 1"):
        InterpolationExplorer(model, images[:1], torch.zeros(1, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"labels must be .* \(4,\); got int64 of shape \(3,\)"):
        InterpolationExplorer(model, images, torch.zeros(3, dtype=torch.int64))
