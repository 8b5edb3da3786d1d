"""What holds for every notebook: its form on disk, and that its exercises and displayed solutions fit together."""

import json
import os
import re
from pathlib import Path

import nbformat
import pytest

from course_utils.exercises import EXERCISES, ExerciseNotSolved
from course_utils.settings import NOTEBOOKS, course_notebooks
from workshop.exercise_cells import (
    FENCED_PYTHON,
    exercises_in,
    names_for_answers,
    open_task_in,
    originals,
    rubric,
)
from workshop.notebooks import is_normalised

PATHS = course_notebooks()
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


def test_every_exercise_has_one_stub_one_check_and_one_folded_solution(notebook):
    exercises = exercises_in(notebook.cells)
    assert 2 <= len(exercises) <= 4
    solutions = [cell for cell in notebook.cells if "solution" in tags(cell)]
    assert len(solutions) == len(exercises)
    for exercise, solution in zip(exercises, solutions):
        assert solution is notebook.cells[exercise.position + 1]
        assert len(FENCED_PYTHON.findall(solution.source)) == 1
        assert "<details" in solution.source, "the solution must be collapsed until the reader asks for it"
        assert "# YOUR CODE" in exercise.stub and "# YOUR CODE" not in exercise.solution
        stars = re.findall(r"\((\*+)\)", notebook.cells[exercise.heading].source)
        assert stars[0] == "*" * EXERCISES[exercise.name].level


def test_what_a_good_answer_to_the_open_task_holds_can_be_given_points(notebook):
    parts = rubric(notebook.cells[open_task_in(notebook.cells)].source)
    assert 2 <= len(parts) <= 6 and all(part.startswith("It ") and part.endswith(".") for part in parts)


def test_the_hint_that_an_unsolved_exercise_offers_can_be_called(notebook):
    sources = [cell.source for cell in code_cells(notebook)]
    assert any(re.search(r"import check, hint\b", source) for source in sources)


def test_stubs_read_to_do_and_displayed_solutions_are_right(notebook, monkeypatch, capsys):
    monkeypatch.chdir(NOTEBOOKS)
    names = names_for_answers(notebook.cells)
    for exercise in exercises_in(notebook.cells):
        monkeypatch.delenv("COURSE_STRICT", raising=False)
        exec(exercise.stub, names)
        assert capsys.readouterr().out.startswith(f"To do ({exercise.name})")
        monkeypatch.setenv("COURSE_STRICT", "1")
        with pytest.raises(ExerciseNotSolved):
            exec(exercise.stub, names)
        exec(exercise.solution, names)
        exec(exercise.stub[exercise.stub.index("check(") :], names)
        assert capsys.readouterr().out.startswith(f"Right ({exercise.name})")


def test_every_registered_exercise_stands_in_one_notebook():
    found = [exercise.name for original in originals([]) for exercise in original.exercises]
    assert sorted(found) == sorted(EXERCISES)


def test_strict_mode_is_off_for_readers():
    assert "COURSE_STRICT" not in os.environ
