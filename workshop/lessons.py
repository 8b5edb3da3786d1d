"""A lesson as its readers meet it: sections with their minutes, core and deeper, exercises, and words.

A notebook's first cell holds its plan, a table of sections: title, minutes, and "lecture", "lab" or "deeper". A section
begins at a markdown cell that starts with `## ` and the title; it belongs to the core unless its first cell is tagged
`deeper`. A cell that asks the reader to predict a result is tagged `predict`. Site, slides and tests read these.

python -m workshop.lessons      prints a row for each notebook: cells, minutes and words of core and all
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from course_utils.settings import course_notebooks

PLAN_ROW = re.compile(
    r"^\| \[?([^|\]]+?)(?:\]\((?:[^()]|\([^()]*\))*\))? +\| (\d+) +\| (lecture|lab|deeper) +\|$", re.MULTILINE
)
EXERCISE_TAGS = {"exercise", "solution"}


@dataclass
class Section:
    """A section of a lesson, with its cells; what the plan says of it is None and "" where the plan lacks it."""

    title: str
    deeper: bool
    cells: list = field(default_factory=list)
    minutes: int | None = None
    path: str = ""


@dataclass
class Lesson:
    """A notebook, read as a lesson."""

    name: str
    plan: list[tuple[str, int, str]]
    sections: list[Section]

    def of(self, deeper: bool) -> list[Section]:
        """The sections of the core, or the deeper ones."""
        return [section for section in self.sections if section.deeper == deeper]

    def cells(self, deeper: bool) -> list:
        """The cells of the core, or the deeper ones, in their order."""
        return [cell for section in self.of(deeper) for cell in section.cells]

    def minutes(self, deeper: bool) -> int:
        """The minutes that the plan gives to the core, or to the deeper sections."""
        return sum(section.minutes or 0 for section in self.of(deeper))


def tags(cell) -> set[str]:
    """The tags of a cell."""
    return set(cell.metadata.get("tags", []))


def lesson_of(path: Path) -> Lesson:
    """Read a notebook as a lesson. What stands above its first section is the head, which is no section."""
    cells = nbformat.read(path, as_version=4).cells
    plan = [(title, int(minutes), way) for title, minutes, way in PLAN_ROW.findall(cells[0].source)]
    planned = {title: (minutes, way) for title, minutes, way in plan}
    sections: list[Section] = []
    for cell in cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            title = cell.source.split("\n")[0].removeprefix("## ").strip()
            section = Section(title, deeper="deeper" in tags(cell))
            section.minutes, section.path = planned.get(title, (None, ""))
            sections.append(section)
        if sections:
            sections[-1].cells.append(cell)
    return Lesson(path.stem, plan, sections)


def words(cells: list) -> int:
    """The number of words of text in cells, formulas and solutions left out."""
    texts = [c.source for c in cells if c.cell_type == "markdown" and "solution" not in tags(c)]
    return sum(len(re.findall(r"[A-Za-z][\w'-]*", re.sub(r"\$[^$]+\$", " ", text))) for text in texts)


def without_exercises(cells: list) -> list:
    """The cells that are neither an exercise nor its solution."""
    return [cell for cell in cells if not tags(cell) & EXERCISE_TAGS]


def main() -> None:
    print("notebook                        core: cells  minutes  words   all: cells  minutes  words")
    for path in course_notebooks():
        lesson = lesson_of(path)
        core, rest = lesson.cells(deeper=False), lesson.cells(deeper=True)
        minutes = lesson.minutes(deeper=False), lesson.minutes(deeper=True)
        print(
            f"{lesson.name:<31} {len(without_exercises(core)):>12} {minutes[0]:>8} {words(core):>6} "
            f"{len(core + rest):>12} {sum(minutes):>8} {words(core + rest):>6}"
        )


if __name__ == "__main__":
    main()
