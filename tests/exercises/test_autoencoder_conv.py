"""The classic mistakes of notebook 05's exercises, each with its own diagnosis."""

import pytest
import torch
from torch import nn

from course_utils.data import to_pixels
from course_utils.exercises import check


def decoder(first=(2, 1, 1), second=(2, 1, 1), end=nn.Sigmoid, kernel=3, between=nn.ReLU, channels=16):
    """A decoder whose two layers have the given (stride, padding, output_padding)."""
    layers = [
        nn.ConvTranspose2d(32, 16, kernel, *first),
        between(),
        nn.ConvTranspose2d(channels, 1, kernel, *second),
        end(),
    ]
    return nn.Sequential(*layers)


def reconstruct(model, image):
    model.eval()
    with torch.no_grad():
        return model(to_pixels(image[None]))[0, 0]


def without_eval(model, image):
    with torch.no_grad():
        return model(to_pixels(image[None]))[0, 0]


def with_gradient(model, image):
    return model.eval()(to_pixels(image[None]))[0, 0]


def winners(runs, images=("test",), alone=False, pick=min):
    found = {}
    for size in (8, 16, 64):
        own = [run for run in runs if run["code_size"] == size and run["images"] in images]
        if own and (alone or len({run["model"] for run in own}) == 2):
            found[size] = pick(own, key=lambda run: run["error"])["model"]
    return found


RIGHT = {"decoder_with_kernel_3": decoder, "reconstruct_one": reconstruct, "fair_winners": winners}
MISTAKES = [
    ("decoder_with_kernel_3", lambda: decoder((2, 1, 0), (2, 1, 0)), "each layer falls one pixel short"),
    ("decoder_with_kernel_3", lambda: decoder((2, 1, 1), (2, 1, 0)), "only the first layer has"),
    ("decoder_with_kernel_3", lambda: decoder((2, 1, 0), (2, 1, 1)), "only the second layer has"),
    ("decoder_with_kernel_3", lambda: decoder((2, 0, 0), (2, 0, 0)), "one pixel too many (7 => 15 => 31)"),
    ("decoder_with_kernel_3", lambda: decoder((2, 0, 1), (2, 0, 1)), "too large already (7 => 16 => 34)"),
    ("decoder_with_kernel_3", lambda: decoder((1, 1, 0), (1, 1, 0)), "both layers keep the size"),
    ("decoder_with_kernel_3", lambda: decoder((1, 0, 0), (1, 0, 0)), "both layers have stride 1"),
    ("decoder_with_kernel_3", lambda: decoder((2, 1, 1), (1, 1, 0)), "only one of the two layers doubles"),
    ("decoder_with_kernel_3", lambda: decoder((3, 1, 1), (2, 1, 1)), "work the size out"),
    ("decoder_with_kernel_3", lambda: decoder(end=nn.Identity), "pixels lie in [0, 1]"),
    ("decoder_with_kernel_3", lambda: decoder(between=nn.Identity), "no nonlinearity between"),
    ("decoder_with_kernel_3", lambda: decoder((2, 1, 0), (2, 1, 0), kernel=4), "asks for 3 in both layers"),
    ("decoder_with_kernel_3", lambda: decoder(channels=8), "takes as many as the first gives"),
    ("decoder_with_kernel_3", lambda: nn.Sequential(nn.Conv2d(32, 1, 3, 2, 1)), "nn.Conv2d with stride 2"),
    (
        "decoder_with_kernel_3",
        lambda: nn.Sequential(nn.ConvTranspose2d(32, 1, 3, 2, 1, 1)),
        "has 1 transpose convolutions",
    ),
    (
        "decoder_with_kernel_3",
        lambda: nn.Sequential(*decoder()[:2], nn.ConvTranspose2d(16, 3, 3, 2, 1, 1), nn.Sigmoid()),
        "one grey channel each",
    ),
    ("decoder_with_kernel_3", lambda: list(decoder()), "the layers in a list"),
    ("decoder_with_kernel_3", lambda: 28, "returned a int"),
    ("reconstruct_one", without_eval, "you forgot model.eval()"),
    ("reconstruct_one", with_gradient, "carry a gradient"),
    ("reconstruct_one", lambda m, image: m(image[None, None]), "given whole numbers"),
    ("reconstruct_one", lambda m, image: m(image / 255), "given shape (28, 28), but takes"),
    ("reconstruct_one", lambda m, image: m(image[None, None].float()), "given numbers up to 255"),
    (
        "reconstruct_one",
        lambda m, image: m(to_pixels(image[None]).repeat(4, 1, 1, 1)),
        "given shape (4, 1, 28, 28); one image",
    ),
    ("reconstruct_one", lambda m, image: reconstruct(m, image)[None, None], "take it out with [0, 0]"),
    ("reconstruct_one", lambda m, image: 255 * reconstruct(m, image), "reach up to 255"),
    ("reconstruct_one", lambda m, image: 1 - reconstruct(m, image), "return them unchanged"),
    ("reconstruct_one", lambda m, image: reconstruct(m, image).numpy(), "return a tensor (28, 28)"),
    ("fair_winners", lambda runs: "mlp", "one winner of all ('mlp')"),
    ("fair_winners", lambda runs: winners(runs, ("train",), alone=True), "you compared errors on training"),
    ("fair_winners", lambda runs: winners(runs, ("train",)), "looks better than it is"),
    ("fair_winners", lambda runs: winners(runs, ("test", "train")), "you mixed training and test errors"),
    ("fair_winners", lambda runs: winners(runs, alone=True), "only the MLP was measured on test images"),
    ("fair_winners", lambda runs: winners(runs, pick=max), "small is good"),
    ("fair_winners", lambda runs: winners(runs, alone=True, pick=max), "64 has no second model"),
    ("fair_winners", lambda runs: {8: 14.0, 16: 7.1}, "must be names of models"),
    ("fair_winners", lambda runs: {8: "mlp"}, "Go through the runs by hand"),
    ("fair_winners", lambda runs: ["mlp", "conv"], "returned a list"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass(name, assert_told):
    assert_told(name, RIGHT[name], "Right")


@pytest.mark.parametrize("name", RIGHT)
def test_stubs_read_to_do(name, assert_told):
    assert_told(name, lambda *arguments: None, "To do")


@pytest.mark.parametrize(("name", "answer", "diagnosis"), MISTAKES)
def test_each_mistake_gets_its_own_diagnosis(name, answer, diagnosis, assert_told):
    assert_told(name, answer, "Not yet", diagnosis)


@pytest.mark.parametrize("name", RIGHT)
def test_the_diagnoses_are_distinct(name, capsys):
    said = []
    for own_name, answer, _ in MISTAKES:
        if own_name == name:
            check(name, answer)
            said.append(capsys.readouterr().out)
    assert len(set(said)) == len(said) >= 10
