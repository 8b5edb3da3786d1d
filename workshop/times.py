"""How long the notebooks run: measured here, and written where readers are told.

python -m workshop.times                              all notebooks
python -m workshop.times notebooks/03*.ipynb          some of them

Each notebook is run in a fresh kernel with one thread, and its file keeps its outputs. Printed are its CPU seconds,
imports included, which other programs on the machine hardly change, and its slowest cells in wall-clock seconds. The
CPU seconds are then written into README.md and into the notebook's first cell, rounded. On a machine with a GPU, which
the notebooks then use, its wall-clock seconds go into README.md's column for that, and nothing else changes.
"""

import argparse
import os
import re
import time
from datetime import datetime
from pathlib import Path

import nbformat
import torch

from course_utils.files import write_whole
from course_utils.settings import PROJECT, course_notebooks
from workshop.notebooks import execute, file_text

README = PROJECT / "README.md"
SLOWEST_SHOWN = 5
RUNNING_TIME = re.compile(r"(\*\*Running time:\*\* about )\d+( seconds)")


def measured_seconds(path: Path) -> tuple[float, float, list[tuple[float, str]]]:
    """The CPU seconds of a notebook, its wall-clock seconds, and for each code cell the latter and its first line."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("import os\nprint(sum(os.times()[:4]))"))
    begin = time.perf_counter()
    execute(notebook, path.parent)
    wall = time.perf_counter() - begin
    total = float(notebook.cells.pop().outputs[0].text)
    cells = [cell for cell in notebook.cells if "execution" in cell.metadata]
    return total, wall, [(_seconds(cell.metadata.execution), cell.source.split("\n")[0]) for cell in cells]


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
    """The row of a notebook in the README's table, with its two times as the groups `cpu` and `gpu`."""
    return re.compile(
        rf"(?m)^(\| \[[^\]]+\]\(notebooks/{name}\.ipynb\) \| .* \| )(?P<cpu>\d+)( s \| )(?P<gpu>\d+)( s \|)$"
    )


def write_seconds(path: Path, seconds: int, gpu: bool = False) -> None:
    """Tell a notebook's readers its seconds: in the README, and, unless they are a GPU's, in its first cell."""
    notebook = nbformat.read(path, as_version=4)
    cpu, on_gpu = (r"\g<cpu>", seconds) if gpu else (seconds, r"\g<gpu>")
    new = rf"\g<1>{cpu}\g<3>{on_gpu}\g<5>"
    table, rows = readme_row(path.stem).subn(new, README.read_text(encoding="utf-8"))
    head, lines = RUNNING_TIME.subn(rf"\g<1>{seconds}\g<2>", notebook.cells[0].source)
    if (rows, lines) != (1, 1):
        raise ValueError(
            f"{path.name} must have one row in README.md that ends in `| 20 s | 20 s |`, and one **Running time:** "
            f"about 20 seconds in its first cell; found {rows} and {lines}"
        )
    if not gpu:
        notebook.cells[0].source = head
    write_whole({README: table.encode(), path: file_text(notebook).encode()})


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Measure how long the notebooks run, and tell their readers."
    )
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of them")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    for path in arguments.notebooks or course_notebooks():
        total, wall, cells = measured_seconds(path)
        print(
            f"{path.stem}: {total:.0f} CPU seconds, {wall:.0f} by the clock, and of the latter the slowest cells:",
            flush=True,
        )
        for seconds, line in sorted(cells, reverse=True)[:SLOWEST_SHOWN]:
            print(f"  {seconds:6.1f}  {line}")
        gpu = torch.cuda.is_available()
        write_seconds(path, rounded(wall if gpu else total), gpu)


if __name__ == "__main__":
    main()
