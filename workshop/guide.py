"""The instructor's guide in `instructors/`, one page for each notebook: what it generates, and what it runs.

python -m workshop.guide                     write the generated parts of all pages
python -m workshop.guide --save FOLDER       write the 75- and 25-minute paths as notebooks, to be opened in class
python -m workshop.guide --run 04_transpose_convolution    run both paths of a notebook, each in a fresh kernel

A page is written by hand but for its blocks, which begin with a comment and end with `<!-- end -->`. What the comment
says is the author's, and what stands below it is generated from the notebook, its plan and its exercises:

<!-- head -->                         the notebook and its minutes
<!-- path 75 (titles, one a line) --> the sections of a path, their minutes and their cells
<!-- exercises -->                    which exercise checks which objective, with level and points
<!-- homework (names) -->             exercises to do at home
<!-- stand-in ID (lines) -->          what a cell that trains may hold instead, while what-ifs are shown
<!-- what-if ID, ID -->               the cell to change and those to run after it; a diff and what is printed follow
<!-- sessions (title: NN 75, ...) --> in README.md: notebooks and paths of each session
"""

import argparse
import configparser
import contextlib
import io
import re
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat

from course_utils.exercises import EXERCISES
from course_utils.files import write_whole
from course_utils.settings import NOTEBOOKS, PROJECT, course_notebooks
from workshop.cells import Notebook
from workshop.exercise_cells import EXERCISE_HEADING, exercises_in
from workshop.lessons import EXERCISE_TAGS, tags
from workshop.notebooks import execute, file_text

GUIDE = PROJECT / "instructors"
BLOCK = re.compile(r"<!-- ([\w-]+)(.*?)-->\n(.*?)<!-- end -->", re.DOTALL)
DIFF = re.compile(r"```diff\n(.*?)```", re.DOTALL)
NUMBER = r"[-+]?\d[\d,]*\.?\d*(?:e[-+]?\d+)?"
PRINTED = re.compile(
    rf"^- `(.+)`: (?:between ({NUMBER}) and ({NUMBER})|at least ({NUMBER})|at most ({NUMBER})|({NUMBER})$)",
    re.MULTILINE,
)
OBJECTIVE = re.compile(r"^(\d+)\. ((?:.|\n(?!\d+\. |\n))*)", re.MULTILINE)
# What the tests mask before they compare an output.
MASKS = configparser.RawConfigParser()
MASKS.read(PROJECT / "tests" / "nbval.cfg", encoding="ascii")
# How many what-ifs a path has, and how long one takes in class.
WHAT_IFS = {75: 3, 25: 1}
MINUTES_OF_WHAT_IF = 4


# --- paths ---


def counters(places: list[int]) -> str:
    """Places as the counters that a reader sees, such as `[1] to [4], [7]`."""
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    texts = [f"[{run[0] + 1}]" + (f" to [{run[-1] + 1}]" if len(run) > 1 else "") for run in runs]
    return ", ".join(texts)


@dataclass
class Route:
    """A path through a notebook for a class: its minutes, and the sections that it takes."""

    minutes: int
    titles: list[str]

    def planned(self, notebook: Notebook) -> int:
        """The minutes that the notebook's plan gives to its sections."""
        return sum(notebook.section(title).minutes or 0 for title in self.titles)

    def places(self, notebook: Notebook) -> list[int]:
        """The places of the cells to run: the head, its sections, and what these need from elsewhere."""
        left_out = notebook.exercises() if self.minutes < 75 else set()
        titles = {None, *self.titles}
        wanted = {i for i, cell in enumerate(notebook.code) if notebook.section_of.get(cell.id) in titles}
        return notebook.with_what_they_need(wanted - left_out, notebook.sources())

    def notebook(self, notebook: Notebook) -> nbformat.NotebookNode:
        """The path as a notebook of its own: the text of its sections, and the cells to run."""
        ids = {notebook.code[place].id for place in self.places(notebook)}
        titles = {None, *self.titles}
        for cell in notebook.cells:
            hidden = self.minutes < 75 and tags(cell) & EXERCISE_TAGS
            if cell.cell_type == "markdown" and notebook.section_of.get(cell.id) in titles and not hidden:
                ids.add(cell.id)
        short = nbformat.read(notebook.file, as_version=4)
        short.cells = [cell for cell in short.cells if cell.id in ids]
        return short


def routes(page: str) -> list[Route]:
    """The paths of a page."""
    listed = [asked.strip().split("\n") for kind, asked, _ in BLOCK.findall(page) if kind == "path"]
    return [Route(int(minutes), titles) for minutes, *titles in listed]


# --- what-ifs ---


@dataclass
class WhatIf:
    """One change of a cell, the cells to run after it, and what these print then: (label, lowest, highest)."""

    title: str
    cell: str
    then: list[str]
    diff: str
    printed: list[tuple[str, float, float]]

    def changed(self, source: str) -> str:
        """The source of the cell with the change. Raises ValueError if the lines to change are not there once."""
        for hunk in self.diff.rstrip("\n").split("\n@@\n"):
            lines = hunk.split("\n")
            old = "\n".join(line[1:] for line in lines if line[:1] != "+")
            new = "\n".join(line[1:] for line in lines if line[:1] != "-")
            if source.count(old) != 1:
                raise ValueError(f"diff must name lines that stand once in cell {self.cell}; got {old!r}")
            source = source.replace(old, new)
        return source

    def run(self, notebook: Notebook, instead: dict[str, str]) -> str:
        """What the changed cell and those after it print. Of the others, only those that they need are run.

        instead: stand-ins by the ids of their cells.
        """
        sources, place = notebook.sources(), notebook.place(self.cell)
        for cell_id, source in instead.items():
            sources[notebook.place(cell_id)] = source
        sources[place] = self.changed(sources[place])
        asked = [place, *map(notebook.place, self.then)]
        printed = io.StringIO()
        names: dict = {}
        for i in notebook.with_what_they_need(set(asked), sources):
            with contextlib.redirect_stdout(printed if i in asked else io.StringIO()):
                exec(sources[i], names)
        return printed.getvalue()

    def committed(self, notebook: Notebook) -> str:
        """What the same cells print in the committed notebook."""
        outputs = [o for i in (self.cell, *self.then) for o in notebook.code[notebook.place(i)].outputs]
        return "".join(output.get("text", "") for output in outputs)

    def misses(self, text: str) -> list[str]:
        """What a printed text lacks of what the page promises."""
        problems = []
        for label, lowest, highest in self.printed:
            pattern = ".*?".join(map(re.escape, label.split("...")))
            found = re.search(rf"{pattern}.*?({NUMBER})", text)
            if found is None:
                problems.append(f"{label}: not printed")
            elif not lowest <= float(found[1].replace(",", "")) <= highest:
                problems.append(f"{label}: {found[1]}, not from {lowest:g} to {highest:g}")
        return problems


def what_ifs(page: str) -> list[WhatIf]:
    """The what-ifs of a page. Each is a heading, a block, a diff, and a list of what is printed."""
    found = []
    for part in re.split(r"^##+ ", page, flags=re.MULTILINE):
        for kind, asked, _ in BLOCK.findall(part):
            if kind == "what-if":
                cell, *then = asked.strip().split(", ")
                found.append(WhatIf(part.split("\n")[0], cell, then, DIFF.findall(part)[0], bounds(part)))
    return found


def stand_ins(page: str) -> dict[str, str]:
    """The stand-ins of a page: their lines by the id of the cell whose place they take."""
    return dict(asked.strip().split("\n", 1) for kind, asked, _ in BLOCK.findall(page) if kind == "stand-in")


def bounds(part: str) -> list[tuple[str, float, float]]:
    """The lines that a what-if promises: (label, lowest, highest)."""
    rows = []
    for label, low, high, least, most, exact in PRINTED.findall(part):
        lowest, highest = low or least or exact or "-inf", high or most or exact or "inf"
        rows.append((label, float(lowest.replace(",", "")), float(highest.replace(",", ""))))
    return rows


# --- objectives and the generated blocks ---


def objectives(page: str) -> dict[int, list[str]]:
    """The number of each objective of a page, and the exercises that check it."""
    text = page.split("\n## Objectives\n")[1].split("\n## ")[0]
    return {
        int(number): [name for name in re.findall(r"`(\w+)`", words) if name in EXERCISES]
        for number, words in OBJECTIVE.findall(text)
    }


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def link(notebook: Notebook, title: str) -> str:
    """A section of a notebook as a link from the guide."""
    return f"[{title}](../notebooks/{notebook.file.name}#{title.replace(' ', '-')})"


def generated_head(notebook: Notebook) -> str:
    core, deeper = (notebook.lesson.minutes(deeper=deeper) for deeper in (False, True))
    return (
        f"The plan of [the notebook](../notebooks/{notebook.file.name}) gives {core} minutes to the core, and "
        f"{deeper} to the deeper sections and the open task.\n"
    )


def generated_path(notebook: Notebook, route: Route) -> str:
    rows, places = [], route.places(notebook)
    for title in [None, *(section.title for section in notebook.lesson.sections)]:
        own = [i for i in places if notebook.section_of.get(notebook.code[i].id) == title]
        if title is None:
            rows.append(["the head", "", counters(own)])
        elif title in route.titles:
            rows.append([link(notebook, title), str(notebook.section(title).minutes), counters(own)])
        elif own:
            rows.append([f"run without comment, from {link(notebook, title)}", "", counters(own)])
    shown = WHAT_IFS[route.minutes] * MINUTES_OF_WHAT_IF
    rest = route.minutes - route.planned(notebook) - shown
    rows.append(["one what-if" if shown == MINUTES_OF_WHAT_IF else "three what-ifs", str(shown), ""])
    rows.append(["predictions aloud, exercises and questions", str(rest), ""])
    return table(["section", "minutes", "cells"], rows)


def generated_exercises(notebook: Notebook, page: str) -> str:
    checked = objectives(page)
    rows = []
    for one in exercises_in(notebook.cells):
        heading = EXERCISE_HEADING.findall(notebook.cells[one.heading].source)[-1]
        title = re.sub(r"^#+ (Exercise \d+) \(\*+\)", r"\1:", heading)
        numbers = [str(number) for number, names in checked.items() if one.name in names]
        deeper = notebook.section(notebook.section_of[notebook.cells[one.position].id]).deeper
        level, points = "\\*" * EXERCISES[one.name].level, str(EXERCISES[one.name].points)
        where = "deeper" if deeper else "core"
        rows.append([title, f"`{one.name}`", ", ".join(numbers), level, points, where])
    return table(["exercise", "`check`", "objective", "level", "points", "where"], rows)


def generated_homework(asked: str) -> str:
    names = asked.strip().split("\n")
    rows = [[f"`{name}`", str(EXERCISES[name].minutes), str(EXERCISES[name].points)] for name in names]
    sums = [sum(int(row[column]) for row in rows) for column in (1, 2)]
    return table(["exercise", "minutes", "points"], [*rows, ["together", *map(str, sums)]])


def generated_what_if(notebook: Notebook, asked: str) -> str:
    ids = asked.strip().split(", ")
    first, *then = [f"**[{notebook.place(cell_id) + 1}]**" for cell_id in ids]
    where = notebook.section_of.get(ids[0])
    text = f"Change cell {first} ({link(notebook, where) if where else 'in the head'}), and run it"
    if not then:
        return f"{text}.\n"
    return f"{text}, then {' and '.join(', '.join(then).rsplit(', ', 1))}.\n"


def generated_stand_in(notebook: Notebook, asked: str) -> str:
    cell_id, lines = asked.strip().split("\n", 1)
    counter = counters([notebook.place(cell_id)])
    text = f"While you show what-ifs, cell **{counter}** may hold this, so that nobody waits:"
    return f"{text}\n\n```python\n{lines}\n```\n"


def generated_sessions(asked: str) -> str:
    pages = {path.name[:2]: path for path in course_notebooks()}
    rows = []
    for line in asked.strip().split("\n"):
        title, listed = line.split(": ")
        pairs = [pair.split() for pair in listed.split(", ")]
        names = [f"[{number}]({pages[number].stem}.md) ({minutes})" for number, minutes in pairs]
        rows.append([title, ", ".join(names), str(sum(int(minutes) for _, minutes in pairs))])
    return table(["session", "notebooks, each with the minutes of its path", "minutes"], rows)


def generated(kind: str, asked: str, page: str, name: str) -> str:
    """What stands below the comment of a block, on the page of a notebook or, for sessions, on the first page."""
    if kind == "sessions":
        return generated_sessions(asked)
    if kind == "homework":
        return generated_homework(asked)
    notebook = Notebook(name)
    if kind == "head":
        return generated_head(notebook)
    if kind == "exercises":
        return generated_exercises(notebook, page)
    if kind == "stand-in":
        return generated_stand_in(notebook, asked)
    if kind == "what-if":
        return generated_what_if(notebook, asked)
    (route,) = [one for one in routes(page) if one.minutes == int(asked.split()[0])]
    return generated_path(notebook, route)


def rewritten(page: str, name: str) -> str:
    """A page with its generated parts as they are now."""

    def block(found: re.Match) -> str:
        kind, asked, _ = found.groups()
        return f"<!-- {kind}{asked}-->\n{generated(kind, asked, page, name)}<!-- end -->"

    return BLOCK.sub(block, page)


def pages() -> dict[str, Path]:
    """The pages of the guide by the name of their notebook; README.md has the name README."""
    return {path.stem: path for path in sorted(GUIDE.glob("*.md"))}


# --- running ---


def different(route: nbformat.NotebookNode, notebook: Notebook) -> list[str]:
    """The counters of compared cells that print other words than in the committed notebook, numbers aside."""
    found = []
    for cell in route.cells:
        if "nbval-check-output" in tags(cell):
            place = notebook.place(cell.id)
            now, then = (
                masked("".join(output.get("text", "") for output in one.outputs))
                for one in (cell, notebook.code[place])
            )
            if now != then:
                found.append(f"[{place + 1}]")
    return found


def masked(text: str) -> str:
    """A text as the tests compare it: without measured numbers."""
    for name in MASKS.sections():
        text = re.sub(MASKS[name]["regex"], MASKS[name]["replace"], text)
    return text


def run_paths(name: str) -> None:
    """Run both paths of a notebook, and print how long each took and which compared cells tell another story."""
    notebook = Notebook(name)
    for route in routes(pages()[name].read_text(encoding="utf-8")):
        short = route.notebook(notebook)
        start = time.perf_counter()
        execute(short, NOTEBOOKS)
        seconds = time.perf_counter() - start
        story = ", ".join(different(short, notebook)) or "none"
        print(f"{name}, {route.minutes} minutes: {seconds:.0f} s; other words in {story}", flush=True)


def save_paths(folder: Path) -> None:
    """Write all paths as notebooks without outputs: FOLDER/75/NN_name.ipynb and FOLDER/25/NN_name.ipynb."""
    for name, page in pages().items():
        for route in routes(page.read_text(encoding="utf-8")):
            short = route.notebook(Notebook(name))
            for cell in short.cells:
                if cell.cell_type == "code":
                    cell.outputs, cell.execution_count = [], None
            path = folder / str(route.minutes) / f"{name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole({path: file_text(short).encode()})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="write both paths of all notebooks there")
    parser.add_argument("--run", nargs="*", metavar="NN_name", help="run both paths; without a name, of all")
    arguments = parser.parse_args()
    if arguments.save:
        save_paths(arguments.save)
    elif arguments.run is not None:
        for name in arguments.run or [name for name in pages() if name != "README"]:
            run_paths(name)
    else:
        for name, page in pages().items():
            text = page.read_text(encoding="utf-8")
            write_whole({page: rewritten(text, name).encode()})


if __name__ == "__main__":
    main()
