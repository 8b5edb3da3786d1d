"""The examples of CONTRIBUTING.md run."""

import re

import ipywidgets
import torch
from PIL import Image

from course_utils.exercises import check, engine
from course_utils.exercises.compare import Tensor
from course_utils.explorers.base import Explorer
from course_utils.settings import PROJECT

NAMES = {
    "Explorer": Explorer,
    "Image": Image,
    "Tensor": Tensor,
    "check": check,
    "exercise": engine.exercise,
    "ipywidgets": ipywidgets,
    "torch": torch,
}
TEXT = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXERCISE, STUB, DEMO = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_the_example_of_an_exercise_tells_its_mistakes(capsys):
    (name,) = re.findall(r'"(\w+)",\n    objective', EXERCISE)
    try:
        exec(EXERCISE + STUB, NAMES.copy())
        declared = engine.EXERCISES[name]
    finally:
        engine.EXERCISES.pop(name, None)
    assert capsys.readouterr().out.startswith(f"To do ({name})")
    assert engine.judge(declared, declared.solution).status == "right"
    for mistake in declared.mistakes:
        assert engine.judge(declared, mistake.wrong).mistake == mistake


def test_the_example_of_a_demo_draws():
    names = NAMES.copy()
    exec(DEMO, names)
    demo = names["Brightness"](torch.full((28, 28), 100, dtype=torch.uint8))
    before = bytes(demo.picture.value)
    demo.controls["factor"].value = 2
    assert demo.error is None and demo.picture.value != before
