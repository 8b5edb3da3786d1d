"""Write what a class is handed: python -m workshop.assignment OUT [--notebooks 03 08] [--format nbgrader]

OUT gets the notebooks without their solutions, and with points and minutes below the heading of each exercise and open
task; stubs, hints, outputs and the ids of cells stay. They run where the course is installed. OUT.zip holds the same.
For nbgrader see `workshop.nbgrader_export`.
"""

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat

from course_utils.exercises import EXERCISES
from course_utils.files import write_whole
from workshop.exercise_cells import (
    EXERCISE_HEADING,
    POINTS_OF_PART,
    TASK_HEADING,
    exercises_in,
    notebooks_numbered,
    open_task_in,
    rubric,
)
from workshop.folders import check_new
from workshop.lessons import lesson_of, tags
from workshop.nbgrader_export import export
from workshop.notebooks import file_text

NO_SOLUTION = "*The solution is not in this edition.*"
LINK_TO_FILE = re.compile(r"\[([^\]]+)\]\((?!https?:|#)([^)#]+)(?:#(?:[^()]|\([^()]*\))*)?\)")


def student_edition(path: Path, handed_out: set[str]) -> nbformat.NotebookNode:
    """A notebook as students get it, beside those whose names are `handed_out`."""
    notebook = nbformat.read(path, as_version=4)
    for exercise in exercises_in(notebook.cells):
        declared = EXERCISES[exercise.name]
        worth = f"**{_points(declared.points)}, about {declared.minutes} minutes.**"
        cell = notebook.cells[exercise.heading]
        cell.source = EXERCISE_HEADING.sub(rf"\g<0>\n\n{worth}", cell.source)
    task = notebook.cells[open_task_in(notebook.cells)]
    parts = len(rubric(task.source))
    (minutes,) = [row[1] for row in lesson_of(path).plan if TASK_HEADING.endswith(row[0])]
    worth = (
        f"**{_points(parts * POINTS_OF_PART)}, about {minutes} minutes.** A person reads your answer, and gives up to "
        f"{POINTS_OF_PART} points for each of the {parts} parts of a good answer below."
    )
    task.source = task.source.replace(TASK_HEADING, f"{TASK_HEADING}\n\n{worth}", 1)
    for cell in notebook.cells:
        if "solution" in tags(cell):
            cell.source = NO_SOLUTION
        elif cell.cell_type == "markdown":
            cell.source = LINK_TO_FILE.sub(lambda link: link[0 if link[2] in handed_out else 1], cell.source)
    return notebook


def _points(number: int) -> str:
    return f"{number} point" if number == 1 else f"{number} points"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write what a class is handed.")
    parser.add_argument(
        "out", type=Path, help="a folder that is new or empty, and no zip beside it has its name"
    )
    parser.add_argument(
        "--notebooks", nargs="*", default=[], help="their numbers, such as 03 08; default: all"
    )
    parser.add_argument("--format", choices=["notebooks", "nbgrader"], default="notebooks")
    arguments = parser.parse_args()
    # `make` and some shells leave a `~` as it is.
    out = arguments.out.expanduser()
    archive = Path(f"{out}.zip")
    check_new(out)
    if archive.exists():
        sys.exit(f"OUT must be a name for which no zip exists yet; got {str(out)!r}, and {archive} exists")
    try:
        paths = notebooks_numbered(arguments.notebooks)
    except ValueError as problem:
        sys.exit(str(problem))
    names = {path.name for path in paths}
    editions = {path.name: student_edition(path, names) for path in paths}
    out.mkdir(parents=True, exist_ok=True)
    if arguments.format == "nbgrader":
        export(editions, out)
    else:
        write_whole({out / name: file_text(notebook).encode() for name, notebook in editions.items()})
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(shutil.make_archive(str(Path(folder, "handout")), "zip", out))
        write_whole({archive: packed.read_bytes()})
    print(f"Written: {out} and {archive}, with {', '.join(path.stem for path in paths)}")


if __name__ == "__main__":
    main()
