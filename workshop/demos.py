"""The demos of the course's web page: each with the shipped model of `strokes`, as one classic script."""

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass

from course_utils.explorers.elbo_laboratory import ElboLaboratory
from course_utils.explorers.playground import Playground
from course_utils.explorers.transpose_stepper import TransposeStepper
from course_utils.explorers.web_demo import WebDemo, joined


@dataclass(frozen=True)
class PageDemo:
    """A demo of the page: the notebook that shows it, by the code that the cell contains, and how it is made."""

    notebook: str
    call: str
    make: Callable[[], WebDemo]


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
}
