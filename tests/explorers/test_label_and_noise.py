"""Label and noise sliders over a conditional generator, driven by setting the values of the controls."""

import pytest
import torch

from course_utils.explorers.label_and_noise import LabelAndNoise

NAMES = ("a", "b", "c")


class Recorder(torch.nn.Module):
    """A generator that remembers what it was asked, and whether it was in eval mode."""

    noise_size, num_classes = 4, 3

    def __init__(self):
        super().__init__()
        self.ink = torch.nn.Parameter(torch.tensor(0.5))

    def forward(self, z, y):
        self.asked = z, y, self.training
        grey = (z[:, 0].sigmoid() + y / 10).clamp(0, 1) * self.ink
        return grey.view(-1, 1, 1, 1).expand(-1, 1, 28, 28)


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def explorer(recorder):
    return LabelAndNoise(recorder, NAMES)


def test_every_slider_changes_the_picture(explorer):
    pictures = [bytes(explorer.picture.value)]
    for name, value in (("label", 1), ("noise_a", 7), ("noise_b", 9), ("place", 0.4)):
        explorer.controls[name].value = value
        pictures.append(bytes(explorer.picture.value))
        assert explorer.error is None
    assert len(set(pictures)) == len(pictures)


def test_the_rows_are_a_walk_under_one_label_and_one_noise_under_all(explorer, recorder):
    explorer.draw(label=2, noise_a=5, noise_b=6, place=0.25)
    z, y, training = recorder.asked
    assert not training
    assert y.tolist() == [2] * 10 + [0, 1, 2]
    assert torch.allclose(z[0], explorer.noises[5]) and torch.allclose(z[9], explorer.noises[6], atol=1e-6)
    assert torch.equal(z[10:], explorer.noise_between(5, 6, 0.25).expand(3, -1))


def test_the_walk_keeps_the_size_of_a_noise(explorer):
    explorer.noises = torch.randn(2, 100_000)
    middle = explorer.noise_between(0, 1, 0.5)
    assert middle.std().item() == pytest.approx(1, abs=0.02)


def test_the_same_values_give_the_same_picture(explorer):
    values = {"label": 1, "noise_a": 2, "noise_b": 3, "place": 0.5}
    assert explorer.draw(**values).tobytes() == explorer.draw(**values).tobytes()


def test_names_that_do_not_fit_are_told_in_a_sentence(recorder):
    with pytest.raises(
        ValueError, match=r"classes must be as many as G\.num_classes; got 2 names for 3 classes"
    ):
        LabelAndNoise(recorder, ("a", "b"))
