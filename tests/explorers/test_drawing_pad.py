"""The pad over a classifier: what the page gets of its two halves and of the gallery."""

import pytest
import safetensors.torch
import torch

from course_utils.classifier import DigitClassifier
from course_utils.data import to_pixels
from course_utils.explorers.drawing_pad import DrawingPad

NAMES = [str(i) for i in range(10)]


@pytest.fixture
def gallery():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (20, 28, 28), generator=generator, dtype=torch.uint8), torch.arange(20) % 10


@pytest.fixture
def network():
    torch.manual_seed(0)
    return DigitClassifier()


def test_the_page_gets_both_halves_and_the_features_of_the_gallery(network, gallery):
    images, labels = gallery
    demo = DrawingPad(network, images, labels, examples=images[:5], example=3)
    tensors = safetensors.torch.load(demo.data["tensors"])
    with torch.no_grad():
        features = network.eval().extractor(to_pixels(images))
    assert torch.allclose(tensors["features"].float(), features, rtol=1e-3, atol=1e-5)
    assert torch.equal(tensors["gallery"], images) and tensors["labels"].tolist() == labels.tolist()
    assert demo.data["example"] == 3 and demo.data["classes"] == NAMES
    kinds = {name: [layer["kind"] for layer in layers] for name, layers in demo.data["networks"].items()}
    assert kinds["head"] == ["Linear", "Softmax"] and kinds["extractor"][-2:] == ["Linear", "ReLU"]


def test_bad_input_is_told_in_a_sentence(network, gallery):
    images, labels = gallery
    with pytest.raises(ValueError, match="gallery must hold at least 6 images; got 5"):
        DrawingPad(network, images[:5], labels[:5], examples=images)
    with pytest.raises(ValueError, match=r"gallery_labels must be .* \(20,\); got int64 of shape \(19,\)"):
        DrawingPad(network, images, labels[:19], examples=images)
    with pytest.raises(ValueError, match="example must be a whole number from 0 to 4; got 7"):
        DrawingPad(network, images, labels, examples=images[:5], example=7)
    with pytest.raises(ValueError, match="examples must hold at least one image; got none"):
        DrawingPad(network, images, labels, examples=images[:0])
