"""How long the notebooks run: measured here, and written where readers are told.

python -m workshop.times                              all notebooks
python -m workshop.times notebooks/03*.ipynb          some of them

Each notebook is run in a fresh kernel with one thread, and its file keeps its outputs. Printed are its CPU seconds,
imports included, which other programs on the machine hardly change, and its slowest cells in wall-clock seconds. The
CPU seconds are then written into README.md and into the notebook's first cell, rounded.
"""

import argparse
import os
import re
from datetime import datetime
from pathlib import Path

import nbformat

from course_utils.files import write_whole
from course_utils.settings import NOTEBOOKS, PROJECT
from workshop.notebooks import execute, file_text

README = PROJECT / "README.md"
SLOWEST_SHOWN = 5
RUNNING_TIME = re.compile(r"(\*\*Running time:\*\* about )\d+( seconds)")


def measured_seconds(path: Path) -> tuple[float, list[tuple[float, str]]]:
    """The CPU seconds of a notebook, and for each code cell its wall-clock seconds and its first line."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("import os\nprint(sum(os.times()[:4]))"))
    execute(notebook, path.parent)
    total = float(notebook.cells.pop().outputs[0].text)
    cells = [cell for cell in notebook.cells if "execution" in cell.metadata]
    return total, [(_seconds(cell.metadata.execution), cell.source.split("\n")[0]) for cell in cells]


def _seconds(execution: dict[str, str]) -> float:
    begin, end = (
        datetime.fromisoformat(execution[key].replace("Z", "+00:00"))
        for key in ("iopub.execute_input", "shell.execute_reply")
    )
    return (end - begin).total_seconds()


def rounded(seconds: float) -> int:
    """As a reader is told it: to five seconds, from a minute on to ten."""
    step = 5 if seconds < 60 else 10
    return max(step, step * round(seconds / step))


def readme_row(name: str) -> re.Pattern:
    """The row of a notebook in the README's table; its groups: up to the seconds, the seconds, the rest."""
    return re.compile(rf"(?m)^(\| \[[^\]]+\]\(notebooks/{name}\.ipynb\) \| .* \| )(\d+)( s \|)$")


def write_seconds(path: Path, seconds: int) -> None:
    """Tell a notebook's readers its seconds, in its first cell and in the README."""
    notebook = nbformat.read(path, as_version=4)
    table, rows = readme_row(path.stem).subn(rf"\g<1>{seconds}\g<3>", README.read_text(encoding="utf-8"))
    head, lines = RUNNING_TIME.subn(rf"\g<1>{seconds}\g<2>", notebook.cells[0].source)
    if (rows, lines) != (1, 1):
        raise ValueError(
            f"{path.name} must have one row in README.md that ends in `| 20 s |`, and one **Running time:** about "
            f"20 seconds in its first cell; found {rows} and {lines}"
        )
    notebook.cells[0].source = head
    write_whole({README: table.encode(), path: file_text(notebook).encode()})


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Measure how long the notebooks run, and tell their readers."
    )
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of them")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    for path in arguments.notebooks or sorted(NOTEBOOKS.glob("*.ipynb")):
        total, cells = measured_seconds(path)
        print(f"{path.stem}: {total:.0f} CPU seconds. The slowest cells, in wall-clock seconds:", flush=True)
        for seconds, line in sorted(cells, reverse=True)[:SLOWEST_SHOWN]:
            print(f"  {seconds:6.1f}  {line}")
        write_seconds(path, rounded(total))


if __name__ == "__main__":
    main()
