"""Fill the scoreboard of notebook 12: train its models from several seeds, each as its own notebook does.

python -m workshop.scoreboard                            all models, seeds 0, 1 and 2
python -m workshop.scoreboard --models gan --seeds 3 4   more seeds of one model, or measured again
python -m workshop.scoreboard --workers 2                the same on two processes; --dask ADDRESS: on a Dask cluster

The data set is that of COURSE_DATASET, else strokes. No training loop stands here: the cells that their notebooks tag
`recipe` are run, in their order, with another value for the `seed` of the cell tagged `parameters`, and notebook 12's
cells tagged `measure` measure the models. Seed 0 is the notebook's own run. The seconds are those of the training
loops: CPU seconds of one thread, without the live picture, and wall-clock seconds beside them. Needs about 4 CPU
minutes for each seed of all models. A command that was killed goes on where it was, if it is given again.
"""

import argparse
import ast
import hashlib
import platform
from importlib.metadata import version
from pathlib import Path

import torch

from course_utils.catalogue import CATALOGUE
from course_utils.data import load_images
from course_utils.judges import load_judge
from course_utils.scoreboard import (
    MODELS,
    REAL,
    Scoreboard,
    load_scoreboard,
    save_scoreboard,
    scoreboard_file,
)
from course_utils.settings import dataset_name
from course_utils.training import TrainingRun
from workshop.notebooks import tagged_sources
from workshop.sweep import add_options, sweep

MACHINE = f"{platform.system()}, {platform.machine()}, one thread"
# Seeds 0, 1, 2 of a model start its random numbers at 0, 1000, 2000: within a recipe a seed may be counted upwards.
SEEDS_APART = 1000
# What the notebooks call the models that they train.
VARIABLES = {
    "conv_autoencoder": "conv",
    "vae": "vae",
    "conditional_vae": "model",
    "gan": "average",
    "conditional_gan": "average",
}


def recipe_of(name: str) -> list[str]:
    """The cells of its notebook that train a model of the scoreboard."""
    notebook = CATALOGUE[name].notebook
    assert notebook is not None, "every model of the scoreboard has a notebook"
    return tagged_sources(notebook, "recipe")


def code_of(name: str) -> list[str]:
    """The cells that make a row: those that train its model, if it has one, and those of notebook 12 that measure."""
    return ([] if name == REAL else recipe_of(name)) + tagged_sources("12_scoreboard", "measure")


def run_cells(sources: list[str], **names) -> dict:
    """Run cells one after the other, with some names defined before, and return all names that are then defined."""
    for source in sources:
        exec(source, names)
    return names


def checksum(sources: list[str]) -> str:
    """A checksum of what cells do: layout, comments, texts and imports do not change it, nor does Python's version."""
    actions = [ast.unparse(_Actions().visit(ast.parse(source))) for source in sources]
    return hashlib.sha256("\n".join(actions).encode()).hexdigest()


class _Actions(ast.NodeTransformer):
    """Takes out what a cell does not do. Texts go as a whole, because Pythons differ in how they quote f-strings."""

    def visit_Import(self, node: ast.AST) -> None:
        return None

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Constant:
        return ast.Constant("")


def train(name: str, seed: int) -> tuple[torch.nn.Module, dict[str, float]]:
    """The model as its notebook makes it, in eval mode, with its steps, CPU seconds and wall-clock seconds."""
    names = run_cells(recipe_of(name), seed=SEEDS_APART * seed)
    model = names[VARIABLES[name]]
    if name == "vae":
        model.prior = names["prior"]  # as in notebook 12
    runs = [value for value in names.values() if isinstance(value, TrainingRun)]
    return model.eval(), {
        "steps": sum(run.step for run in runs),
        "seconds": sum(run.cpu_seconds for run in runs),
        "wall_seconds": sum(run.seconds for run in runs),
    }


def rounded(run: dict) -> dict:
    return {key: float(f"{value:.5g}") if isinstance(value, float) else value for key, value in run.items()}


def prepare_worker(dataset: str) -> None:
    """One thread for a job. Raises ValueError if the worker's data set is not the one that was asked for."""
    torch.set_num_threads(1)
    if dataset_name() != dataset:
        raise ValueError(
            f"the data set of every worker must be {dataset}; got {dataset_name()} (COURSE_DATASET) on one"
        )


def measured_run(dataset: str, name: str, seed: int) -> dict:
    """A row of the scoreboard: a model that was trained from a seed, or "real", with all its measures."""
    prepare_worker(dataset)
    data, judge = load_images(), load_judge(dataset)
    notebook = run_cells(tagged_sources("12_scoreboard", "measure"))
    if name == "real":
        return rounded({"model": REAL, "seed": seed, **notebook["measure_real"](judge, data, seed)})
    model, totals = train(name, seed)
    measures = notebook["measure"](name, model, judge, data)
    return rounded({"model": name, "seed": seed, **measures, **totals})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", choices=["real", *MODELS], default=["real", *MODELS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--folder", type=Path, help="where the file goes (default: data/scoreboard)")
    add_options(parser)
    arguments = parser.parse_args()
    data = load_images()
    jobs = [(data.name, name, seed) for seed in arguments.seeds for name in arguments.models]
    cells = [cell for name in MODELS for cell in code_of(name)]
    for _, run in sweep(measured_run, jobs, checksum(cells), arguments.workers, arguments.dask):
        print(run, flush=True)
        store(run, data.name, len(data.test_images), arguments.folder)


def store(run: dict, dataset: str, count: int, folder: Path | None) -> None:
    """Add a run to the file, or put it in the place of an older one, so that an interrupted command loses nothing.

    count: the number of held-out images, and of samples. Runs of the same model that other cells have given are
    dropped. Raises ScoreboardError if the file is damaged, and leaves it as it is.
    """
    runs, recipes = [], {}
    if scoreboard_file(dataset, folder).is_file():
        board = load_scoreboard(dataset, folder)
        runs, recipes = board.runs, board.recipes
    name, code = run["model"], checksum(code_of(run["model"]))
    same_cells = recipes.get(name) == code
    runs = [old for old in runs if old["model"] != name or (same_cells and old["seed"] != run["seed"])]
    runs.append(run)
    recipes[name] = code
    order = [REAL, *MODELS]
    runs.sort(key=lambda one: (order.index(one["model"]), one["seed"]))
    versions = {package: version(package) for package in ("torch", "torchmetrics", "scikit-learn")}
    save_scoreboard(Scoreboard(dataset, count, count, runs, MACHINE, versions, recipes), folder)


if __name__ == "__main__":
    main()
