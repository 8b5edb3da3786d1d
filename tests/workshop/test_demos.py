"""The demos of the web page: each has its cell, and its script can stand in a page."""

import nbformat
import pytest

from course_utils.settings import NOTEBOOKS
from workshop.demos import DEMOS, demo_of, page_script


@pytest.mark.parametrize("name", DEMOS)
def test_each_demo_is_shown_by_one_cell_of_its_notebook(name):
    notebook = DEMOS[name].notebook
    cells = nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells
    showing = [cell.id for cell in cells if demo_of(notebook, cell.source) == name]
    assert len(showing) == 1


def test_a_demo_belongs_to_its_notebook_only():
    assert demo_of("08_vae", "CodePad(decode=...)") == "code_pad"
    assert demo_of("06_autoencoder_inference", "CodePad(decode=...)") == "code_pad_of_autoencoder"
    assert demo_of("05_autoencoder_conv", "CodePad(decode=...)") is None


def test_a_script_is_the_same_each_time_and_does_not_end_its_element():
    script = page_script("label_and_noise")
    assert script == page_script.__wrapped__("label_and_noise")
    assert "</" not in script and "import " not in script and "export " not in script
