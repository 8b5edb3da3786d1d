"""Exercises as they stand in a notebook: heading, stub, check and displayed solution; and the open task at its end.

A cell tagged `exercise` holds a stub and `check("name", function)`; the next cell, tagged `solution`, shows one in
fenced Python; a text above begins with `### Exercise 1 (*) Title`. What the open task expects stands in the paragraph
that begins with "A good answer": each of its sentences, or parts between semicolons, is one part of the rubric.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from course_utils.settings import course_notebooks
from workshop.lessons import tags

CHECK = re.compile(r"""^check\(["'](\w+)["'],\s*(\w+)\)""", re.MULTILINE)
EXERCISE_HEADING = re.compile(r"^#+ Exercise \d+ \(\*+\) .*$", re.MULTILINE)
TASK_HEADING = "## Open task (***)"
# What a person gives for each part of a good answer: 0 if it is missing, 1 if it is there in part.
POINTS_OF_PART = 2
FENCED_PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
GOOD_ANSWER = re.compile(r"^(?:\*\*)?A good answer(?:\*\*)? (.*?)(?:\n\n|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class ExerciseCells:
    """An exercise of a notebook: its declared name, the function to write, its stub, and the displayed solution.

    `heading` and `position` are the positions of the cell with its heading and of the stub; in the edition of
    students the solution is empty.
    """

    name: str
    function: str
    heading: int
    position: int
    stub: str
    solution: str


@dataclass(frozen=True)
class Original:
    """A notebook of the course: what stands in each cell, its exercises, its open task and the rubric of it."""

    name: str
    sources: list[str]
    exercises: list[ExerciseCells]
    task: str
    rubric: list[str]


def originals(numbers: list[str]) -> list[Original]:
    """The notebooks with these numbers, such as "08"; all of them if there are none. Raises ValueError."""
    found = []
    for path in notebooks_numbered(numbers):
        cells = nbformat.read(path, as_version=4).cells
        task = cells[open_task_in(cells)].source
        found.append(
            Original(path.stem, [cell.source for cell in cells], exercises_in(cells), task, rubric(task))
        )
    return found


def notebooks_numbered(numbers: list[str]) -> list[Path]:
    """The notebooks with these numbers, such as "08"; all of them if there are none. Raises ValueError."""
    known = {path.name[:2]: path for path in course_notebooks()}
    for number in numbers:
        if number not in known:
            raise ValueError(f"notebooks must be numbers from {min(known)} to {max(known)}; got {number!r}")
    return [path for number, path in known.items() if number in numbers or not numbers]


def exercises_in(cells: list) -> list[ExerciseCells]:
    """The exercises of a notebook's cells, in their order."""
    found = []
    for position, cell in enumerate(cells):
        if cell.cell_type == "markdown" and EXERCISE_HEADING.search(cell.source):
            heading = position
        if "exercise" in tags(cell):
            ((name, function),) = CHECK.findall(cell.source)
            solution = "".join(FENCED_PYTHON.findall(cells[position + 1].source))
            found.append(ExerciseCells(name, function, heading, position, cell.source, solution))
    return found


def open_task_in(cells: list) -> int:
    """The position of the cell with the open task."""
    (position,) = [i for i, cell in enumerate(cells) if cell.source.startswith(TASK_HEADING)]
    return position


def rubric(task: str) -> list[str]:
    """What the text of an open task says of a good answer, part by part."""
    (good,) = GOOD_ANSWER.findall(task)
    parts = re.split(r"(?<=[.;])\s+", good.replace("\n", " "))
    return [f"It {re.sub('^(It |and )', '', part).rstrip('.;')}." for part in parts]


def definitions(source: str) -> list[ast.stmt]:
    """The imports, constants, functions and classes of a cell: all that an answer may rely on. Raises SyntaxError."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    nodes = [node for node in ast.parse(source).body if isinstance(node, kinds) or _is_constant(node)]
    for node in nodes:
        # A default may be a variable of the notebook, which is not there.
        if isinstance(node, ast.FunctionDef):
            node.args.defaults = [
                ast.copy_location(ast.Constant(None), one)
                if isinstance(one, ast.Name) and one.id.islower()
                else one
                for one in node.args.defaults
            ]
    return nodes


def _is_constant(node: ast.stmt) -> bool:
    """Whether a statement gives a name to a literal or a lambda, or sets a name such as SIZES."""
    if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
        return False
    name = node.targets[0].id
    # Single capitals stand for matrices, networks and numbers of the notebook.
    if isinstance(node.value, ast.Lambda) or (name.isupper() and len(name) > 1):
        return True
    try:
        ast.literal_eval(node.value)
    except ValueError:
        return False
    return True


def run_definition(node: ast.stmt, names: dict) -> None:
    """Run one of the definitions of a cell, with these names in its reach."""
    exec(compile(ast.Module([node], type_ignores=[]), "<answer>", "exec"), names)


def names_for_answers(cells: list) -> dict:
    """What the cells of a notebook define, exercises apart, as names that an answer may use."""
    names: dict = {}
    for cell in cells:
        if cell.cell_type == "code" and "exercise" not in tags(cell):
            for node in definitions(cell.source):
                run_definition(node, names)
    return names
