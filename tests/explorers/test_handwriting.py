"""The style of a handwriting in every class: what the page gets of a conditional VAE, and the stills."""

import pytest
import safetensors.torch
import torch

from course_utils.explorers.handwriting import HandwritingPad, StyleExplorer
from course_utils.judges import load_judge
from course_utils.models import ConditionalVAE

NAMES = [str(i) for i in range(10)]


@pytest.fixture
def model():
    torch.manual_seed(0)
    return ConditionalVAE(latent_size=3, num_classes=10, hidden_size=8)


@pytest.fixture
def codes():
    return torch.randn(50, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([4.0, 1.0, 0.2])


def test_a_slider_of_style_is_a_standard_deviation_along_a_principal_direction(model, codes):
    demo = StyleExplorer(model, codes, directions=2)
    steps = safetensors.torch.load(demo.data["tensors"])["steps"]
    assert steps.shape == (2, 3)
    variances = torch.linalg.eigvalsh(torch.cov(codes.T)).flip(0)
    assert steps.norm(dim=1) == pytest.approx(variances[:2].sqrt(), rel=1e-4)
    assert steps[0].abs().argmax() == 0 and steps[0] @ steps[1] == pytest.approx(0, abs=1e-4)


def test_the_page_gets_the_condition_of_each_class(model, codes):
    examples = torch.zeros(3, 28, 28, dtype=torch.uint8)
    for demo in (StyleExplorer(model, codes), HandwritingPad(model, load_judge("strokes"), examples)):
        tensors = safetensors.torch.load(demo.data["tensors"])
        assert torch.equal(tensors["conditions"].float(), 5 * torch.eye(10))
        assert demo.data["classes"] == NAMES
        assert [layer["kind"] for layer in demo.data["networks"]["decoder"]][-1] == "Sigmoid"
    assert set(demo.data["networks"]) == {"encoder", "decoder", "judge"}


def test_bad_codes_are_told_in_a_sentence(model, codes):
    with pytest.raises(
        ValueError, match=r"codes must be \(N, n\) with at least two rows; got shape \(1, 3\)"
    ):
        StyleExplorer(model, codes[:1])
