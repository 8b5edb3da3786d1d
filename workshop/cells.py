"""The code cells of a notebook, and what each of them needs from the cells above it.

A cell is named by its id, which stays, or by its place among the code cells: in the committed notebook, the counter
that stands beside the cell is one more.
"""

import dis
from collections.abc import Iterator
from types import CodeType

import nbformat

from course_utils.settings import NOTEBOOKS
from workshop.lessons import Section, lesson_of, tags


class Notebook:
    """A notebook of the course: its cells, its code cells, its plan, and the title of each cell's section by its id."""

    def __init__(self, name: str):
        self.name = name
        self.file = NOTEBOOKS / f"{name}.ipynb"
        self.cells = nbformat.read(self.file, as_version=4).cells
        self.code = [cell for cell in self.cells if cell.cell_type == "code"]
        self.lesson = lesson_of(self.file)
        self.section_of = {cell.id: s.title for s in self.lesson.sections for cell in s.cells}

    def place(self, cell_id: str) -> int:
        """The place of a code cell among all code cells. Raises ValueError if there is no such cell."""
        for place, cell in enumerate(self.code):
            if cell.id == cell_id:
                return place
        raise ValueError(f"cell_id must name a code cell of {self.name}; got {cell_id!r}")

    def section(self, title: str) -> Section:
        """The section with a title. Raises ValueError if there is none."""
        for section in self.lesson.sections:
            if section.title == title:
                return section
        raise ValueError(f"title must be that of a section of {self.name}; got {title!r}")

    def sources(self) -> list[str]:
        """The sources of the code cells."""
        return [cell.source for cell in self.code]

    def exercises(self) -> set[int]:
        """The places of the cells in which the reader writes."""
        return {place for place, cell in enumerate(self.code) if "exercise" in tags(cell)}

    def with_what_they_need(self, wanted: set[int], sources: list[str]) -> list[int]:
        """Places of code cells and of all cells above that define their names, in order; no cell needs an exercise.

        sources: those of the notebook, or a changed version of them.
        """
        needs, defines = zip(*map(names_of, sources))
        exercises = self.exercises()
        found, waiting = set(wanted), list(wanted)
        while waiting:
            place = waiting.pop()
            for name in needs[place]:
                above = [i for i in range(place) if name in defines[i] and i not in exercises]
                if above and above[-1] not in found:
                    found.add(above[-1])
                    waiting.append(above[-1])
        return sorted(found)


def names_of(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell takes from cells above it, builtins among them, and those that it defines."""
    needs: set[str] = set()
    defines: set[str] = set()
    code = compile(source, "cell", "exec")
    for step in dis.get_instructions(code):
        if step.opname == "STORE_NAME":
            defines.add(step.argval)
        elif step.opname == "LOAD_NAME" and step.argval not in defines:
            needs.add(step.argval)
    for inner in _inner_codes(code):
        needs |= {step.argval for step in dis.get_instructions(inner) if step.opname in INNER_LOADS} - defines
    return needs, defines


# In a function names of the notebook are global; a class looks them up like the notebook itself.
INNER_LOADS = {"LOAD_GLOBAL", "LOAD_NAME"}


def _inner_codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inner_codes(constant)
