"""Measure notebook 03's autoencoder of 30 numbers on MNIST, from several seeds, beside PCA with as many numbers.

    OMP_NUM_THREADS=1 COURSE_DATASET=mnist python -m workshop.mnist_autoencoder

No training stands here: the cells that the notebook tags `recipe` are run, in their order, with each seed in turn. What
they reach on the 10,000 test images goes to data/mnist_autoencoder.json, which the notebook shows on every data set.
The seconds are CPU seconds of the training on one thread, about a minute for each seed.
"""

import json
import platform
from importlib.metadata import version

import torch

from course_utils.files import write_whole
from course_utils.settings import MNIST_AUTOENCODER, dataset_name
from workshop.notebooks import tagged_sources
from workshop.scoreboard import checksum, rounded, run_cells

NOTEBOOK = "03_autoencoder_mlp"
SEEDS = (0, 1, 2)


def main() -> None:
    if dataset_name() != "mnist":
        raise SystemExit(f"COURSE_DATASET must be mnist; got {dataset_name()}")
    torch.set_num_threads(1)
    recipe = tagged_sources(NOTEBOOK, "recipe")
    runs = []
    for seed in SEEDS:
        names = run_cells(recipe, seed=seed)
        error = names["error_on"](names["model"], names["test_images"])
        run = {"seed": seed, "squared_error": error, "seconds": names["run"].cpu_seconds}
        runs.append(rounded(run))
        print(runs[-1], flush=True)
    result = {
        "dataset": "mnist",
        "held_out": len(names["test_images"]),
        "code_size": 30,
        "steps": names["run"].step,
        "pca": round(names["pca_error"](names["pca"], names["test_images"], 30), 3),
        "autoencoder": runs,
        "machine": f"{platform.system()}, {platform.machine()}, one thread",
        "torch": version("torch"),
        "recipe": checksum(recipe),
    }
    write_whole({MNIST_AUTOENCODER: f"{json.dumps(result, indent=1)}\n".encode()})


if __name__ == "__main__":
    main()
