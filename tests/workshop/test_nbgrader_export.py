"""The export for nbgrader: its form and, where nbgrader is installed, a class from handing out to grades."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from course_utils.exercises import EXERCISES
from course_utils.settings import NOTEBOOKS, course_notebooks
from workshop.assignment import student_edition
from workshop.exercise_cells import exercises_in, originals
from workshop.nbgrader_export import ASSIGNMENT, export

PATHS = course_notebooks()
SMALL = "00_start_here.ipynb"


def edition_of(path):
    return student_edition(path, {path.name})


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_students_write_in_stubs_and_checks_give_the_points(path, tmp_path):
    export({path.name: edition_of(path)}, tmp_path)
    cells = nbformat.read(tmp_path / "source" / ASSIGNMENT / path.name, as_version=4).cells
    marked = {
        cell.metadata["nbgrader"]["grade_id"]: (cell, cell.metadata["nbgrader"])
        for cell in cells
        if "nbgrader" in cell.metadata
    }
    names = [exercise.name for exercise in exercises_in(nbformat.read(path, as_version=4).cells)]
    assert len(marked) == 2 * len(names) + 1
    for name in names:
        stub, said = marked[name]
        assert (
            said["solution"]
            and not said["grade"]
            and "# YOUR CODE" in stub.source
            and "check(" not in stub.source
        )
        check, said = marked[f"{name}_check"]
        assert said["grade"] and said["locked"] and said["points"] == EXERCISES[name].points
        assert check.source.startswith(f'check("{name}"')
        assert cells.index(check) == cells.index(stub) + 1
    assert sum(said["task"] for _, said in marked.values()) == 1


def small_notebook() -> nbformat.NotebookNode:
    """Notebook 00 without the cells that train and draw, so that it runs in seconds."""
    edition = edition_of(NOTEBOOKS / SMALL)
    kept = {"exercise", "deeper"}
    edition.cells = [
        cell
        for cell in edition.cells
        if cell.cell_type == "markdown"
        or kept & set(cell.metadata.get("tags", []))
        or "import check" in cell.source
    ]
    return edition


def test_nbgrader_takes_it_from_handing_out_to_grades(tmp_path):
    pytest.importorskip("nbgrader")
    export({SMALL: small_notebook()}, tmp_path)

    # nbgrader calls other programs of its environment by their names.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    def nbgrader(*words: str) -> None:
        command = [sys.executable, "-m", "nbgrader", *words]
        subprocess.run(command, cwd=tmp_path, env={**os.environ, "PATH": path}, check=True, timeout=600)

    nbgrader("generate_assignment", ASSIGNMENT)
    for student, solved in (("anna", True), ("ben", False)):
        handed_in = tmp_path / "submitted" / student / ASSIGNMENT
        shutil.copytree(tmp_path / "release" / ASSIGNMENT, handed_in)
        notebook = nbformat.read(handed_in / SMALL, as_version=4)
        solutions = {exercise.name: exercise.solution for exercise in originals(["00"])[0].exercises}
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if solved and name in solutions:
                cell.source = solutions[name]
        nbformat.write(notebook, handed_in / SMALL)
    for step in ("autograde", "generate_feedback"):
        nbgrader(step, ASSIGNMENT)
    nbgrader("export")
    with (tmp_path / "grades.csv").open(newline="") as lines:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(lines)}
    assert scores == {"anna": 4.0, "ben": 0.0}
    assert (tmp_path / "feedback" / "ben" / ASSIGNMENT / SMALL.replace("ipynb", "html")).is_file()
