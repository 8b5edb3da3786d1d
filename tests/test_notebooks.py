"""What holds for every notebook: its form on disk, and that its exercises and displayed solutions fit together."""

import ast
import json
import os
import re
from pathlib import Path

import nbformat
import pytest

from course_utils.exercises import EXERCISES, ExerciseNotSolved
from course_utils.settings import NOTEBOOKS
from workshop.notebooks import is_normalised

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
FENCED_PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
LARGEST_FILE = 1_500_000


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request) -> Path:
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def test_there_are_notebooks():
    assert PATHS[0].name == "00_start_here.ipynb"


# --- the file ---


def test_the_committed_file_is_normalised(path):
    assert is_normalised(path), f"{path.name} is not in its committed form: run `make notebooks`"


def test_every_code_cell_was_run_without_errors_or_warnings(notebook):
    for cell in code_cells(notebook):
        assert cell.execution_count is not None, f"not run: {cell.source[:80]}"
        for output in cell.outputs:
            assert output.output_type != "error", f"error below: {cell.source[:80]}"
            assert output.get("name") != "stderr", f"stderr below {cell.source[:80]}: {output.text[:200]}"


def test_the_notebook_carries_outputs_and_stays_small(notebook, path):
    assert any(cell.outputs for cell in code_cells(notebook))
    assert path.stat().st_size <= LARGEST_FILE


def test_every_picture_has_alt_text(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            assert not data.keys() & {"image/png", "image/svg+xml"}, "JupyterLab would lose the alt text"
            for alt in re.findall(r'<img(?: alt="([^"]*)")?', data.get("text/html", "")):
                assert len(alt.split()) >= 4, f"no description of the picture below: {cell.source[:80]}"


def test_outputs_name_no_path_of_a_machine_no_address_and_no_seconds_of_a_training(notebook):
    for cell in code_cells(notebook):
        text = json.dumps([{k: v for k, v in output.items() if k != "data"} for output in cell.outputs])
        text += " ".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
        assert not re.search(r"/(home|root|Users|tmp|work)/\w|0x[0-9a-f]{6}|seconds=|[A-Z]:\\\\", text), (
            cell.source[:80]
        )


def test_compared_cells_show_no_live_picture(notebook):
    # nbval compares the first picture of a training, and on a slow machine that is drawn after fewer steps.
    for cell in code_cells(notebook):
        texts = [output.data.get("text/plain", "") for output in cell.outputs if "data" in output]
        live = any(re.search(r"step \d+ of \d+\. Curves", text) for text in texts)
        assert not (live and "nbval-check-output" in tags(cell)), cell.source[:80]


def test_targets_are_compared(notebook):
    assert any("nbval-check-output" in tags(cell) for cell in code_cells(notebook))


# --- exercises and solutions ---


def definitions_in(source: str) -> str:
    """The imports, constants, functions and classes of a cell: all that a solution may rely on."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    nodes = [node for node in ast.parse(source).body if isinstance(node, kinds) or is_constant(node)]
    for node in nodes:
        # A default may be a variable of the notebook, which is not there.
        if isinstance(node, ast.FunctionDef):
            node.args.defaults = [
                ast.Constant(None) if isinstance(one, ast.Name) and one.id.islower() else one
                for one in node.args.defaults
            ]
    return ast.unparse(ast.Module(nodes, type_ignores=[]))


def is_constant(node: ast.stmt) -> bool:
    """Whether a statement sets a name such as SIZES; single capitals stand for matrices, networks and numbers."""
    name = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""
    return name.isidentifier() and name.isupper() and len(name) > 1


def exercises_with_solutions(notebook) -> list[tuple[str, str]]:
    """(exercise cell, code of the solution in the very next cell) for every exercise of the notebook."""
    pairs = []
    for cell, following in zip(notebook.cells, [*notebook.cells[1:], nbformat.v4.new_markdown_cell("")]):
        if "exercise" not in tags(cell):
            continue
        solutions = FENCED_PYTHON.findall(following.source)
        assert "solution" in tags(following) and len(solutions) == 1, (
            f"no single solution follows: {cell.source}"
        )
        assert "<details" in following.source, "the solution must be collapsed until the reader asks for it"
        pairs.append((cell.source, solutions[0]))
    return pairs


def definitions_of(notebook) -> dict:
    names: dict = {}
    for cell in code_cells(notebook):
        if "exercise" not in tags(cell):
            exec(definitions_in(cell.source), names)
    return names


def checks_in(source: str) -> list[str]:
    return re.findall(r'^check\("(\w+)"', source, re.MULTILINE)


def test_every_exercise_has_one_stub_one_check_and_one_solution(notebook):
    pairs = exercises_with_solutions(notebook)
    assert 2 <= len(pairs) <= 4
    assert sum("solution" in tags(cell) for cell in notebook.cells) == len(pairs)
    for source, solution in pairs:
        assert len(checks_in(source)) == 1 and "# YOUR CODE" in source, source
        assert "# YOUR CODE" not in solution


def test_the_hint_that_an_unsolved_exercise_offers_can_be_called(notebook):
    sources = [cell.source for cell in code_cells(notebook)]
    assert any("import check, hint\n" in source + "\n" for source in sources)


def test_stubs_read_to_do_and_displayed_solutions_are_right(notebook, monkeypatch, capsys):
    monkeypatch.chdir(NOTEBOOKS)
    names = definitions_of(notebook)
    for source, solution in exercises_with_solutions(notebook):
        (name,) = checks_in(source)
        monkeypatch.delenv("COURSE_STRICT", raising=False)
        exec(source, names)
        assert capsys.readouterr().out.startswith(f"To do ({name})")
        monkeypatch.setenv("COURSE_STRICT", "1")
        with pytest.raises(ExerciseNotSolved):
            exec(source, names)
        exec(solution, names)
        exec(source[source.index("check(") :], names)
        assert capsys.readouterr().out.startswith(f"Right ({name})")


def test_every_registered_exercise_stands_in_one_notebook():
    notebooks = [nbformat.read(path, as_version=4) for path in PATHS]
    cells = [cell for notebook in notebooks for cell in code_cells(notebook) if "exercise" in tags(cell)]
    found = [name for cell in cells for name in checks_in(cell.source)]
    assert sorted(found) == sorted(EXERCISES)


def test_strict_mode_is_off_for_readers():
    assert "COURSE_STRICT" not in os.environ
