"""models.py is as the notebooks have it now, and what is written holds definitions and the imports that they need."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook, writes

from course_utils import settings
from workshop import export_models, notebooks
from workshop.export_models import MODELS, exported


@pytest.fixture
def write_notebook(tmp_path, monkeypatch):
    """Makes a notebook of an import cell and cells tagged `model`, in the place of the course's notebooks."""

    def write(name, imports, *cells):
        tagged = [new_code_cell(source, metadata={"tags": ["model"]}) for source in cells]
        notebook = new_notebook(cells=[new_code_cell(imports), *tagged, new_code_cell("x = 1")])
        (tmp_path / f"{name}.ipynb").write_text(writes(notebook), encoding="utf-8")

    for module in (settings, export_models, notebooks):
        monkeypatch.setattr(module, "NOTEBOOKS", tmp_path)
    return write


def test_models_py_is_as_the_notebooks_have_it_now():
    assert MODELS.read_text(encoding="utf-8") == exported(), "run `make models`"


def test_cells_come_in_the_notebooks_order_with_the_imports_that_they_need(write_notebook):
    write_notebook(
        "02_b", "import math, os\nfrom torch import nn", "class B(nn.Module):\n    size = math.pi  # kept"
    )
    write_notebook("01_a", "import numpy as np\nimport torch.nn as nn", "def a(x): return np.abs( x )")
    write_notebook("03_c", "import os")
    assert exported().endswith(
        '''"""

import math

import numpy as np
from torch import nn


def a(x):
    return np.abs(x)


class B(nn.Module):
    size = math.pi  # kept
'''
    )


@pytest.mark.parametrize("source", ["x = 1", "class A:\n    pass\n\nA()", "print(1)"])
def test_a_tagged_cell_that_does_anything_is_refused(write_notebook, source):
    write_notebook("01_a", "import math", source)
    with pytest.raises(ValueError, match="a cell tagged model must hold classes and functions; got "):
        exported()
