"""The pad that shows a drawing's code and reconstruction, driven by setting values."""

import pytest
import torch
from PIL import Image, ImageDraw

from course_utils.data import to_pixels
from course_utils.drawings import prepare_drawing
from course_utils.explorers.base import DRAWING, HELD_OUT
from course_utils.explorers.reconstruction_pad import ReconstructionPad
from course_utils.models import ConvAutoencoder


@pytest.fixture
def models():
    torch.manual_seed(0)
    # In training mode on purpose: one image alone would be a batch without variance.
    return {"first": ConvAutoencoder(4).train(), "second": ConvAutoencoder(7).train()}


@pytest.fixture
def pad(models):
    generator = torch.Generator().manual_seed(0)
    return ReconstructionPad(
        models, torch.randint(0, 256, (5, 28, 28), generator=generator, dtype=torch.uint8)
    )


def stroke(end=(150, 240)) -> Image.Image:
    picture = Image.new("RGBA", (280, 280))
    ImageDraw.Draw(picture).line([(60, 50), end], fill="black", width=16)
    return picture


def test_every_control_changes_the_picture(pad):
    pictures = [bytes(pad.picture.value)]
    for name, value in (("example", 3), ("noise", 0.4), ("model", "second"), ("source", DRAWING)):
        pad.controls[name].value = value
        pictures.append(bytes(pad.picture.value))
        assert pad.error is None
    assert len(set(pictures)) == len(pictures)


def test_the_end_of_a_stroke_is_encoded_as_the_data_are(pad, monkeypatch):
    seen = []
    look = pad.look
    monkeypatch.setattr(pad, "look", lambda image, *rest: seen.append(image) or look(image, *rest))
    assert pad.controls["source"].value == HELD_OUT
    pad.paint.replace_with_pil(stroke())
    assert pad.controls["source"].value == DRAWING and pad.error is None
    assert torch.equal(seen[-1], torch.from_numpy(prepare_drawing(stroke())))


def test_an_example_is_taken_as_it_is(pad, monkeypatch):
    seen = []
    look = pad.look
    monkeypatch.setattr(pad, "look", lambda image, *rest: seen.append(image) or look(image, *rest))
    pad.controls["example"].value = 2
    assert torch.equal(seen[-1], pad.examples[2])


def test_code_and_reconstruction_are_those_of_the_chosen_model(pad, models):
    image = pad.examples[1]
    for name, numbers in (("first", 4), ("second", 7)):
        clean, x, z, x_hat = pad.look(image, name, noise=0.0)
        with torch.no_grad():
            expected = models[name].eval().encode(to_pixels(image[None]))
            assert torch.allclose(x_hat, models[name].decode(expected), atol=1e-5)
        assert torch.equal(x, clean) and z.shape == (numbers,)
        assert z == pytest.approx(expected[0].numpy(), abs=1e-5)


def test_noise_stays_the_same_from_call_to_call_and_is_added_before_the_encoder(pad):
    clean, noisy, z, _ = pad.look(pad.examples[0], "first", noise=0.5)
    _, again, _, _ = pad.look(pad.examples[0], "first", noise=0.5)
    _, _, without, _ = pad.look(pad.examples[0], "first", noise=0.0)
    assert torch.equal(noisy, again) and not (z == without).all()
    assert 0.1 < (noisy - clean).std() < 0.5 and noisy.min() >= 0 and noisy.max() <= 1


def test_an_empty_pad_gets_a_friendly_message(pad, monkeypatch):
    asked = []
    monkeypatch.setattr(pad, "look", lambda *arguments: asked.append(arguments))
    pad.controls["source"].value = DRAWING
    assert pad.error is None and not asked


def test_a_broken_model_shows_its_message(pad):
    pad.models["first"].decode = lambda z: 1 / 0
    pad.controls["noise"].value = 0.2
    assert isinstance(pad.error, ZeroDivisionError) and "division" in pad.message.value


def test_bad_input_is_told_in_a_sentence(models):
    with pytest.raises(ValueError, match="models must hold at least one model"):
        ReconstructionPad({}, torch.zeros(1, 28, 28, dtype=torch.uint8))
    with pytest.raises(ValueError, match="examples must hold at least one image"):
        ReconstructionPad(models, torch.zeros(0, 28, 28, dtype=torch.uint8))
