"""The base of the demos: the picture follows the controls, errors are shown, and a saved page keeps a picture."""

import base64
import io

import ipywidgets
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from course_utils.explorers.base import Explorer, evaluate


class Shade(Explorer):
    def __init__(self):
        self.drawn = []
        super().__init__({"shade": ipywidgets.IntSlider(10, 0, 300)}, "a grey square", width=40, height=30)

    def draw(self, shade):
        self.drawn.append(shade)
        if shade > 255:
            raise ValueError(f"shade must be at most 255; got {shade} <pixels>")
        return np.full((3, 4), shade, dtype=np.uint8)


def shown(explorer) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(explorer.picture.value)))


def test_the_picture_follows_the_control():
    explorer = Shade()
    assert (shown(explorer) == 10).all() and shown(explorer).shape == (3, 4)
    explorer.controls["shade"].value = 200
    assert (shown(explorer) == 200).all()


def test_an_error_is_shown_and_the_next_good_value_clears_it():
    explorer = Shade()
    explorer.controls["shade"].value = 300
    assert isinstance(explorer.error, ValueError)
    assert "ValueError: shade must be at most 255; got 300 &lt;pixels&gt;" in explorer.message.value
    assert explorer.message in explorer.view.children
    explorer.controls["shade"].value = 20
    assert explorer.error is None and explorer.message.value == ""
    assert (shown(explorer) == 20).all()


def test_several_changes_are_drawn_once():
    explorer = Shade()
    with explorer.without_drawing():
        explorer.controls["shade"].value = 20
        explorer.controls["shade"].value = 30
    explorer.update()
    assert explorer.drawn == [10, 30]
    explorer.controls["shade"].value = 40
    assert explorer.drawn == [10, 30, 40]


class OneNumber(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(1)

    def forward(self, x):
        return self.norm(x)

    def decode(self, z):
        return self.norm(z)


@pytest.mark.parametrize("function_of", [lambda network: network, lambda network: network.decode])
def test_a_network_is_evaluated_in_eval_mode_and_without_gradients(function_of):
    network = OneNumber().train()
    result = evaluate(function_of(network), torch.ones(1, 1))
    assert result.item() == pytest.approx(1, abs=1e-4) and not result.requires_grad
    assert network.norm.num_batches_tracked == 0


def test_a_function_around_a_network_in_train_mode_is_told_to_call_eval():
    network = OneNumber().train()
    with pytest.raises(
        ValueError, match=r"a network in train mode cannot take a single image: call its eval\(\)"
    ):
        evaluate(lambda x: network(x), torch.ones(1, 1))


def test_without_a_kernel_the_picture_and_its_description_remain():
    explorer = Shade()
    data = explorer._repr_mimebundle_()
    assert base64.b64encode(explorer.picture.value).decode() in data["text/html"]
    assert 'alt="a grey square"' in data["text/html"] and data["text/plain"] == "a grey square"
    view = data["application/vnd.jupyter.widget-view+json"]
    assert view == {"version_major": 2, "version_minor": 0, "model_id": explorer.view.model_id}


def test_a_demo_is_shown_with_the_widgets_of_ipywidgets_7(monkeypatch):
    monkeypatch.delattr(ipywidgets.Widget, "_repr_mimebundle_", raising=False)
    assert "application/vnd.jupyter.widget-view+json" in Shade()._repr_mimebundle_()
