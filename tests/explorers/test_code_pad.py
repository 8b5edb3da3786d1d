"""The pad over a code of two numbers: what it hands to the page, and the still that it leaves."""

import pytest
import safetensors.torch
import torch

from course_utils.explorers.code_pad import CodePad
from course_utils.judges import load_judge
from course_utils.models import MLPAutoencoder
from course_utils.plots import to_png

POINTS = torch.tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, 2.0], [0.5, -1.0]])
LABELS = torch.tensor([0, 1, 1, 2])


@pytest.fixture
def decode():
    torch.manual_seed(0)
    return MLPAutoencoder(2, hidden_size=8).decoder


def test_the_page_gets_points_labels_images_and_both_networks(decode):
    images = torch.arange(4, dtype=torch.uint8)[:, None, None].expand(4, 28, 28)
    pad = CodePad(
        decode, POINTS, LABELS, images, load_judge("strokes"), classes=("a", "b", "c"), title="a map"
    )
    assert set(pad.data["networks"]) == {"decoder", "judge"}
    assert pad.data["classes"] == ["a", "b", "c"] and pad.data["title"] == "a map"
    assert pad.data["start"] == [-1.0, 0.0] and pad.data["axes"] == ["z1", "z2"]
    tensors = safetensors.torch.load(pad.data["tensors"])
    assert torch.equal(tensors["points"].float(), POINTS) and tensors["labels"].tolist() == [0, 1, 1, 2]
    assert torch.equal(tensors["images"], images)


def test_the_map_holds_all_points_with_a_margin(decode):
    (left, right), (bottom, top) = CodePad(decode, POINTS, LABELS).data["limits"]
    assert left < -1 and right > 1 and bottom < -1 and top > 2


def test_a_start_and_limits_may_be_given_and_the_still_shows_the_start(decode):
    limits = ((-3.0, 3.0), (-2.0, 2.0))
    here, there = (CodePad(decode, POINTS, LABELS, start=(x, 1.0), limits=limits) for x in (0.0, 1.0))
    assert here.data["start"] == [0.0, 1.0] and here.data["limits"] == limits
    assert to_png(here.still) != to_png(there.still)
    assert "map of codes" in here.alt


def test_codes_of_an_autoencoder_serve_with_their_gradients(decode):
    CodePad(decode, POINTS.requires_grad_() * 1, LABELS)


def test_bad_input_is_told_in_a_sentence(decode):
    with pytest.raises(ValueError, match=r"points must have shape \(N, 2\).*got \(4, 3\)"):
        CodePad(decode, torch.zeros(4, 3), LABELS)
    with pytest.raises(
        ValueError, match=r"labels must be .* one for each image, \(4,\); got int64 of shape \(3,\)"
    ):
        CodePad(decode, POINTS, LABELS[:3])
    with pytest.raises(
        ValueError, match=r"labels must be whole numbers from 0 to 1, .* got labels from 0 to 2"
    ):
        CodePad(decode, POINTS, LABELS, classes=("a", "b"))
    with pytest.raises(ValueError, match="images must be one for each point; got 5 for 4"):
        CodePad(decode, POINTS, LABELS, images=torch.zeros(5, 28, 28, dtype=torch.uint8))
    with pytest.raises(ValueError, match="judge must be what load_judge returns; got function"):
        CodePad(decode, POINTS, LABELS, judge=lambda x: x)
    with pytest.raises(ValueError, match=r"decoder must be an nn\.Sequential.*got MLPAutoencoder"):
        CodePad(MLPAutoencoder(2, hidden_size=8), POINTS, LABELS)
