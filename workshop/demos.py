"""The demos of the course's web page: each with the shipped model of `strokes`, as one classic script."""

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import nn

from course_utils.data import load_images, to_pixels
from course_utils.explorers.code_pad import CodePad
from course_utils.explorers.drawing_pad import DrawingPad
from course_utils.explorers.elbo_laboratory import ElboLaboratory
from course_utils.explorers.gan_theatre import GanTheatre
from course_utils.explorers.handwriting import HandwritingPad, StyleExplorer
from course_utils.explorers.interpolation import InterpolationExplorer
from course_utils.explorers.label_and_noise import LabelAndNoise
from course_utils.explorers.playground import Playground
from course_utils.explorers.reconstruction_pad import ReconstructionPad
from course_utils.explorers.transpose_stepper import TransposeStepper
from course_utils.explorers.web_demo import WebDemo, joined
from course_utils.judges import Judge
from workshop.measures import shipped


@dataclass(frozen=True)
class PageDemo:
    """A demo of the page: the notebook that shows it, by the code that the cell contains, and how it is made."""

    notebook: str
    call: str
    make: Callable[[], WebDemo]


@cache
def page_script(name: str) -> str:
    """The script that puts the demo `name` of DEMOS in the place of every element with data-demo="NAME".

    A classic script, since browsers refuse modules from file://. Its element holds the still picture, which stays if
    the script fails.
    """
    demo = DEMOS[name].make()
    values = dict(demo.data)
    tensors = values.pop("tensors")
    # Without a time in it, so that the same demo gives the same script.
    packed = base64.b64encode(gzip.compress(tensors, mtime=0)).decode() if tensors else None
    # In a script element, "</" could end it.
    about, numbers = (json.dumps(value).replace("</", "<\\/") for value in (values, packed))
    start = f'showOnPage("{name}", mount, {about}, {numbers});'
    return f"(() => {{\n{joined('page')}\n{joined(demo.module)}\n{start}\n}})();\n"


def demo_of(notebook: str, source: str) -> str | None:
    """The name of the page's demo that a code cell of a notebook (such as "08_vae") shows, or None."""
    return next(
        (name for name, demo in DEMOS.items() if demo.notebook == notebook and demo.call in source), None
    )


# --- the shipped models ---

# So many that a script stays below 1 MB.
POINTS = 800


@torch.no_grad()
def _rounded(network: nn.Module) -> nn.Module:
    """The network with the weights of its layers rounded to a quarter to an eighth of their standard deviation.

    They fit into a byte each, which compresses to five bits. Of the conditional VAE, a pixel changes by 0.006 on
    average, and the squared error of its reconstructions from 5.7 to 6.0; of the autoencoder of two numbers, by 0.0035,
    and from 34.96 to 35.01.
    """
    for weights in network.parameters():
        if weights.ndim > 1:
            step = 2 ** (weights.std() / 4).log2().floor()
            weights.copy_(((weights / step).round() * step).to(torch.float8_e4m3fn))
    return network


def _judge() -> Judge:
    return Judge(shipped("classifier")).eval()


@torch.no_grad()
def _code_pad() -> CodePad:
    data, model = load_images("strokes"), shipped("vae_2_latents")
    images = data.test_images[:POINTS]
    binary = torch.bernoulli(to_pixels(images), generator=torch.Generator().manual_seed(0))
    return CodePad(
        nn.Sequential(model.decoder, nn.Sigmoid()),
        points=model.encode(binary)[0],
        labels=data.test_labels[:POINTS],
        images=images,
        judge=_judge(),
        classes=data.classes,
        start=(0.0, 0.0),
        title=f"{POINTS} test images: mu, coloured by class",
    )


@torch.no_grad()
def _code_pad_of_autoencoder() -> CodePad:
    data, model = load_images("strokes"), shipped("small_autoencoder")
    images = data.test_images[:POINTS]
    return CodePad(
        _rounded(model.decoder),
        points=model.encoder(to_pixels(images)),
        labels=data.test_labels[:POINTS],
        images=images,
        judge=_judge(),
        classes=data.classes,
    )


def _label_and_noise() -> LabelAndNoise:
    return LabelAndNoise(shipped("conditional_gan"), load_images("strokes").classes, noise_a=9)


def _handwriting() -> HandwritingPad:
    data = load_images("strokes")
    return HandwritingPad(
        _rounded(shipped("conditional_vae")), _rounded(_judge()), data.test_images[5:105], data.classes
    )


def _drawing_pad() -> DrawingPad:
    data, classifier = load_images("strokes"), shipped("classifier")
    gallery = data.train_images[:POINTS], data.train_labels[:POINTS]
    return DrawingPad(classifier, *gallery, examples=data.test_images[:100], classes=data.classes, example=3)


@torch.no_grad()
def _style() -> StyleExplorer:
    data, model = load_images("strokes"), _rounded(shipped("conditional_vae"))
    mu, _ = model.encode(to_pixels(data.test_images[:POINTS]), data.test_labels[:POINTS])
    return StyleExplorer(model, mu, data.classes)


def _reconstruction_pad() -> ReconstructionPad:
    model = shipped("conv_autoencoder")
    return ReconstructionPad({"the one of notebook 05": model}, load_images("strokes").test_images[:100])


def _interpolation() -> InterpolationExplorer:
    data, model = load_images("strokes"), shipped("conv_autoencoder")
    few = slice(0, 100)
    return InterpolationExplorer(model, data.test_images[few], data.test_labels[few], _judge(), data.classes)


DEMOS: dict[str, PageDemo] = {
    "playground_spirals": PageDemo(
        "01_feature_extraction_mlp",
        'Playground("spirals"',
        lambda: Playground("spirals", units=(8, 8), steps=300),
    ),
    "playground_circles": PageDemo(
        "01_feature_extraction_mlp", 'Playground("circles"', lambda: Playground("circles", steps=150)
    ),
    "transpose_stepper": PageDemo(
        "04_transpose_convolution", "TransposeStepper(", lambda: TransposeStepper(position=5)
    ),
    "elbo_laboratory": PageDemo("07_vae_notation_and_elbo", "ElboLaboratory(", ElboLaboratory),
    "gan_theatre": PageDemo("10_gan", "GanTheatre(", GanTheatre),
    "code_pad": PageDemo("08_vae", "CodePad(", _code_pad),
    "label_and_noise_first": PageDemo("00_start_here", "LabelAndNoise(", _label_and_noise),
    "label_and_noise": PageDemo("11_conditional_gan", "LabelAndNoise(", _label_and_noise),
    "handwriting": PageDemo("09_conditional_vae", "HandwritingPad(", _handwriting),
    "style": PageDemo("09_conditional_vae", "StyleExplorer(", _style),
    "code_pad_of_autoencoder": PageDemo("06_autoencoder_inference", "CodePad(", _code_pad_of_autoencoder),
    "reconstruction_pad": PageDemo("06_autoencoder_inference", "ReconstructionPad(", _reconstruction_pad),
    "interpolation": PageDemo("06_autoencoder_inference", "InterpolationExplorer(", _interpolation),
    "drawing_pad": PageDemo("02_feature_extraction_cnn", "DrawingPad(", _drawing_pad),
}
