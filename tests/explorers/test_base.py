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


class Part(Explorer):
    """A number, of which another control says how large it may be."""

    def __init__(self):
        self.drawn = []
        small = ipywidgets.Layout(width="70px")
        controls = {"number": ipywidgets.IntSlider(10), "parts": ipywidgets.IntText(1, layout=small)}
        super().__init__(controls, "a grey square", width=40, height=30, control_width=200, label_width=50)

    def largest(self, parts, **others):
        return {"number": 100 // parts}

    def draw(self, number, parts):
        self.drawn.append(number)
        return np.zeros((3, 4), dtype=np.uint8)


def test_a_slider_that_ends_earlier_moves_and_is_drawn_once():
    explorer = Part()
    assert explorer.controls["number"].max == 100 and explorer.drawn == [10]
    explorer.controls["parts"].value = 50
    assert explorer.controls["number"].max == explorer.controls["number"].value == 2
    assert explorer.drawn == [10, 2]


def test_an_error_in_the_end_of_a_slider_is_shown_and_the_demo_goes_on():
    explorer = Part()
    explorer.controls["parts"].value = 0
    assert isinstance(explorer.error, ZeroDivisionError)
    explorer.controls["parts"].value = 2
    assert explorer.error is None and explorer.controls["number"].max == 50


def test_controls_are_of_one_width_unless_they_have_their_own():
    controls = Part().controls.values()
    assert [control.layout.width for control in controls] == ["200px", "70px"]
    assert {control.style.description_width for control in controls} == {"50px"}


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
