"""Repeat a notebook's experiments from several seeds, for the result that the notebook shows with `load_study`.

python -m workshop.studies 05_autoencoder_conv                  seeds 0, 1 and 2
python -m workshop.studies 10_gan --seeds 3 4                   more seeds, or seeds measured again
python -m workshop.studies 10_gan --workers 2                   on two processes; --dask ADDRESS: on a Dask cluster

The data set is that of COURSE_DATASET, else strokes. No training stands here: for each seed, the cells that the
notebook tags `study` are run, in their order, with that value of `seed`, and then the function `study(seed)` that they
define is called. It returns what was measured: labels and numbers. The file holds a checksum of the cells, so that a
test finds a study whose notebook has changed. A command that was killed goes on where it was, if it is given again.
"""

import argparse
import contextlib
import io
import json
import platform
from importlib.metadata import version

from course_utils.files import write_whole
from course_utils.settings import dataset_name
from course_utils.studies import study_file
from workshop.notebooks import tagged_sources
from workshop.scoreboard import checksum, prepare_worker, rounded, run_cells
from workshop.sweep import add_options, sweep


def study(dataset: str, notebook: str, seed: int) -> dict[str, float]:
    """What the notebook's experiments give from one seed. Raises ValueError if the notebook has none."""
    prepare_worker(dataset)
    with contextlib.redirect_stdout(io.StringIO()):  # what the cells print is for the notebook
        names = run_cells(tagged_sources(notebook, "study"), seed=seed)
        if "study" not in names:
            raise ValueError(
                f"notebook must define study(seed) in a cell tagged `study`; {notebook} does not"
            )
        return rounded(names["study"](seed))


def store(notebook: str, dataset: str, seed: int, values: dict[str, float]) -> None:
    """Add a seed to the file, or put it in the place of an older run, so that an interrupted command loses nothing.

    Seeds that other cells, or other labels, have given are dropped.
    """
    path = study_file(notebook, dataset)
    cells = checksum(tagged_sources(notebook, "study"))
    runs = {}
    if path.is_file():
        old = json.loads(path.read_text(encoding="utf-8"))
        if old["cells"] == cells and list(old["values"]) == list(values):
            runs = dict(zip(old["seeds"], zip(*old["values"].values())))
    runs = dict(sorted({**runs, seed: tuple(values.values())}.items()))
    record = {
        "notebook": notebook,
        "dataset": dataset,
        "seeds": list(runs),
        "values": {label: list(column) for label, column in zip(values, zip(*runs.values()))},
        "cells": cells,
        "machine": f"{platform.system()}, {platform.machine()}, one thread",
        "torch": version("torch"),
    }
    path.parent.mkdir(exist_ok=True)
    write_whole({path: f"{json.dumps(record, indent=1)}\n".encode()})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("notebook", help='such as "05_autoencoder_conv"')
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    add_options(parser)
    arguments = parser.parse_args()
    jobs = [(dataset_name(), arguments.notebook, seed) for seed in arguments.seeds]
    cells = checksum(tagged_sources(arguments.notebook, "study"))
    for (dataset, notebook, seed), values in sweep(study, jobs, cells, arguments.workers, arguments.dask):
        print(seed, values, flush=True)
        store(notebook, dataset, seed, values)


if __name__ == "__main__":
    main()
