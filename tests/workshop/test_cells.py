"""A cell of a notebook is run with the cells above it that it needs, and with no others."""

import nbformat
import pytest

from workshop import cells
from workshop.cells import Notebook, names_of

SOURCES = ["a = 1\nz = 0", "b = a", "def f(x):\n    return x + b", "a = 2", "print(f(a))"]


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    made = [nbformat.v4.new_markdown_cell("# A title"), *map(nbformat.v4.new_code_cell, SOURCES)]
    nbformat.write(nbformat.v4.new_notebook(cells=made), tmp_path / "00_made.ipynb")
    monkeypatch.setattr(cells, "NOTEBOOKS", tmp_path)
    return Notebook("00_made")


def test_names_are_needed_unless_a_cell_defines_them_first():
    assert names_of("x = y\ny = x") == ({"y"}, {"x", "y"})
    assert names_of("def f(x, k=c):\n    n = x\n    return n + b") == ({"b", "c"}, {"f"})
    assert names_of("print([i for i in a])") == ({"print", "a"}, set())


@pytest.mark.parametrize("wanted, run", [({4}, [0, 1, 2, 3, 4]), ({2}, [0, 1, 2]), ({0, 3}, [0, 3])])
def test_a_cell_is_run_with_the_last_definitions_above_it(notebook, wanted, run):
    assert notebook.with_what_they_need(wanted, notebook.sources()) == run


def test_no_cell_needs_an_exercise(notebook):
    notebook.code[3].metadata["tags"] = ["exercise"]
    assert notebook.with_what_they_need({4}, notebook.sources()) == [0, 1, 2, 4]


def test_a_cell_or_section_that_is_not_there_is_named(notebook):
    with pytest.raises(ValueError, match="cell_id must name a code cell of 00_made; got 'x'"):
        notebook.place("x")
    with pytest.raises(ValueError, match="title must be that of a section of 00_made; got 'y'"):
        notebook.section("y")
