"""The pad over autoencoders: what the page gets of each of them."""

import pytest
import safetensors.torch
import torch

from course_utils.data import to_pixels
from course_utils.explorers.reconstruction_pad import ReconstructionPad
from course_utils.models import ConvAutoencoder, MLPAutoencoder


@pytest.fixture
def models():
    torch.manual_seed(0)
    return {"small": MLPAutoencoder(2, hidden_size=8), "convolutional": ConvAutoencoder(5)}


@pytest.fixture
def examples():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (30, 28, 28), generator=generator, dtype=torch.uint8)


def test_the_page_gets_both_halves_of_each_model_and_the_length_of_its_bars(models, examples):
    demo = ReconstructionPad(models, examples)
    assert demo.data["models"] == ["small", "convolutional"]
    assert set(demo.data["networks"]) == {"encoder 0", "decoder 0", "encoder 1", "decoder 1"}
    with torch.no_grad():
        codes = models["convolutional"].eval().encode(to_pixels(examples))
    assert demo.data["scales"][1] == pytest.approx(codes.abs().quantile(0.99).item(), rel=1e-5)
    assert safetensors.torch.load(demo.data["tensors"])["noise"].shape == (28, 28)


def test_bad_input_is_told_in_a_sentence(models, examples):
    with pytest.raises(ValueError, match="models must hold at least one model by name; got none"):
        ReconstructionPad({}, examples)
    with pytest.raises(ValueError, match="examples must hold at least one image; got none"):
        ReconstructionPad(models, examples[:0])
