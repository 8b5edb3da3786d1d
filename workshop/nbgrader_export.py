"""The student edition with nbgrader's metadata, for a department that grades with nbgrader 0.9.

nbgrader runs every notebook whole, which takes minutes for each student, and takes what a cell shows for its result, so
that a `check` of the student's own passes. `workshop.grade` has neither fault.
"""

from pathlib import Path

import nbformat

from course_utils.exercises import EXERCISES
from course_utils.files import write_whole
from workshop.exercise_cells import POINTS_OF_PART, exercises_in, open_task_in, rubric
from workshop.notebooks import SECONDS_FOR_A_CELL, file_text

ASSIGNMENT = "course"
CONFIG = f'''"""Begin with `nbgrader generate_assignment {ASSIGNMENT}`; the rest is as usual."""

import os

# An exercise that is not solved raises an error, which nbgrader takes for 0 points; what students solve and train is
# not kept as if it were yours. The kernels inherit the variables.
os.environ.update(COURSE_STRICT="1", COURSE_KEEP_MODELS="0")

c = get_config()
c.CourseDirectory.course_id = "generative-vision"
# The stubs are in place already.
c.ClearSolutions.enabled = False
c.Execute.timeout = {SECONDS_FOR_A_CELL}
'''


def export(editions: dict[str, nbformat.NotebookNode], out: Path) -> None:
    """Write student editions, by file name, as the source of an assignment into the folder `out`, and the settings."""
    source = out / "source" / ASSIGNMENT
    source.mkdir(parents=True)
    for notebook in editions.values():
        mark(notebook)
    write_whole(
        {
            **{source / name: file_text(notebook).encode() for name, notebook in editions.items()},
            out / "nbgrader_config.py": CONFIG.encode(),
        }
    )


def mark(notebook: nbformat.NotebookNode) -> None:
    """Tell nbgrader, in place, which cells students write, which give points, and what a person grades.

    nbgrader grades a cell by machine only if students do not write in it, so each check gets a cell of its own.
    """
    task = notebook.cells[open_task_in(notebook.cells)]
    points = POINTS_OF_PART * len(rubric(task.source))
    task.metadata["nbgrader"] = _metadata(task.id, "task", "locked", points=points)
    for exercise in reversed(exercises_in(notebook.cells)):
        stub = notebook.cells[exercise.position]
        begins = exercise.stub.index("check(")
        stub.source = exercise.stub[:begins].rstrip()
        stub.outputs = []
        stub.metadata["nbgrader"] = _metadata(exercise.name, "solution")
        check = nbformat.v4.new_code_cell(exercise.stub[begins:], id=f"{stub.id}-check")
        points = EXERCISES[exercise.name].points
        check.metadata["nbgrader"] = _metadata(f"{exercise.name}_check", "grade", "locked", points=points)
        notebook.cells.insert(exercise.position + 1, check)


def _metadata(grade_id: str, *kinds: str, **points: int) -> dict:
    said = {kind: kind in kinds for kind in ("grade", "solution", "locked", "task")}
    return {**said, **points, "grade_id": grade_id, "schema_version": 3}
