"""Fill the scoreboard of notebook 12: train its models from several seeds, each as its own notebook does.

python -m tests.benchmarks.scoreboard                              all models on strokes, seeds 0, 1 and 2
python -m tests.benchmarks.scoreboard --models gan --seeds 3 4     more seeds of one model, or measured again
python -m tests.benchmarks.scoreboard --dataset mnist --folder F   another data set, into the folder F

No training loop stands here. For each model the cells of its notebook that lead to it are run, up to its training
cell; a seed s adds 1,000 s to every seed that they set, so that seed 0 is the notebook's own run. What is measured,
and how, is taken out of notebook 12. The seconds are those of the training loops: CPU seconds of one thread, without
the live picture, and wall-clock seconds beside them. Needs about 4 CPU minutes for each seed of all models.
"""

import argparse
import ast
import hashlib
import os
import symtable
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from unittest import mock

import nbformat
import torch

from course_utils import data as course_data
from course_utils import training
from course_utils.checkpoints import ORIGINS
from course_utils.judges import load_judge
from course_utils.notebook_files import NOTEBOOKS
from course_utils.scoreboard import (
    MEASURES,
    MODELS,
    REAL,
    Scoreboard,
    ScoreboardError,
    load_scoreboard,
    save_scoreboard,
)

MACHINE = "two CPU cores, one thread"
SHIFT = 1000
# Attributes that notebook 12 adds to a model: what they are saved as. The same cell saves them.
PARTS = {"conditional_vae": {"prior": "conditional_prior"}}


# --- the cells of a notebook that a model depends on ---


def defined_by(source: str) -> set[str]:
    """The names that a cell leaves behind: assigned, imported, or of functions and classes."""
    symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


def used_by(source: str) -> set[str]:
    """The names of the notebook that a cell reads, itself or in its functions, before it defines them itself."""
    return reads(ast.parse(source).body, set())


def reads(statements: list[ast.stmt], known: set[str]) -> set[str]:
    """The names that statements read and that are not in `known`, to which what they define is added."""
    found: set[str] = set()
    for statement in statements:
        if isinstance(statement, ast.For | ast.While | ast.If | ast.With | ast.Try):
            # First what stands in its head, then its blocks, in their order.
            handlers = getattr(statement, "handlers", [])
            heads = [getattr(statement, part, None) for part in ("iter", "target", "test")]
            heads += [*getattr(statement, "items", []), *(handler.type for handler in handlers)]
            for node in [part for head in heads if head for part in ast.walk(head)]:
                if isinstance(node, ast.Name):
                    (known if isinstance(node.ctx, ast.Store) else found).add(node.id)
            found -= known
            blocks = [getattr(statement, part, []) for part in ("body", "orelse", "finalbody")]
            for block in [*blocks, *(handler.body for handler in handlers)]:
                found |= reads(block, known)
        else:
            text = ast.unparse(statement)
            found |= globals_in(symtable.symtable(text, "statement", "exec")) - known
            if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
                found |= {statement.target.id} - known
            known |= defined_by(text)
    return found


def globals_in(table: symtable.SymbolTable) -> set[str]:
    """The names that a statement reads: at the top, or as globals of the functions in it."""
    at_the_top = table.get_type() == "module"
    own = {s.get_name() for s in table.get_symbols() if s.is_referenced() and (at_the_top or s.is_global())}
    return own.union(*(globals_in(child) for child in table.get_children()))


def kept_as(tree: ast.Module, name: str) -> tuple[ast.AST, list[ast.expr]] | None:
    """Where a cell keeps a model under a name, and the expressions of the model and of its run.

    Either `save_trained("name", model, ..., steps=run.step)`, or, where several are saved in a loop, an entry
    `"name": (model, run, ...)` of a dict or a tuple `("name", model, run, ...)`.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "save_trained":
            if _is_text(node.args[0], name):
                about = [keyword.value for keyword in node.keywords if keyword.arg in ("steps", None)]
                return node, [node.args[1], *about]
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if _is_text(key, name) and isinstance(value, ast.Tuple):
                    return node, value.elts[:2]
        elif isinstance(node, ast.Tuple) and len(node.elts) > 2 and _is_text(node.elts[0], name):
            return node, node.elts[1:3]
    return None


def _is_text(node: ast.AST | None, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def recipe(sources: list[str], names: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The cells that lead to trained models, in their order, and the expressions that the models are.

    sources: the code cells of their notebook; names: what one cell of it saves them as. Starting from there, the last
    cell before it that defines each name is needed, then those that this cell needs, and so on. Of what a model is
    saved with, its steps count, so that the cell that trains it is among them, but not its metrics. Raises
    ValueError if no cell saves the models.
    """
    before: list[str] = []
    for source in sources:
        tree = ast.parse(source)
        kept = [found for name in names if (found := kept_as(tree, name))]
        if len(kept) == len(names):
            break
        before.append(source)
    else:
        raise ValueError(f"no cell saves models as {' and '.join(names)}")
    # What the saving cell itself does first counts as cells of one statement each.
    places = [place for place, _ in kept]
    before += [
        ast.unparse(statement)
        for statement in tree.body
        if not any(part in places for part in ast.walk(statement))
    ]
    defined = [defined_by(source) for source in before]

    def last_definition(name: str, end: int) -> int | None:
        return max((i for i in range(end) if name in defined[i]), default=None)

    end = len(before)
    needed = [(used, end, end) for _, parts in kept for part in parts for used in used_by(ast.unparse(part))]
    cells: set[int] = set()
    while needed:
        used, position, of_caller = needed.pop()
        cell = last_definition(used, position)
        if cell is None:
            # A function may call another one that is defined below it, and above the call of both.
            cell = last_definition(used, of_caller)
        if cell is not None and cell not in cells:
            cells.add(cell)
            needed += [(its, cell, max(position, cell + 1)) for its in used_by(before[cell])]
    return [before[i] for i in sorted(cells)], [ast.unparse(parts[0]) for _, parts in kept]


def recipe_of(name: str) -> tuple[list[str], list[str]]:
    """The `recipe` of a model of the scoreboard, and of the part that belongs to it, from its notebook as it stands."""
    return recipe(code_cells(ORIGINS[name].notebook), (name, *PARTS.get(name, {}).values()))


def code_cells(notebook: str) -> list[str]:
    """The code cells of a notebook, without the exercises, whose solutions nothing may depend on."""
    cells = nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells
    kept = [c for c in cells if c.cell_type == "code" and "exercise" not in c.metadata.get("tags", [])]
    return [cell.source for cell in kept]


def checksum(cells: list[str]) -> str:
    """A checksum of what cells do: layout, comments, texts and the order of imports do not change it."""
    return hashlib.sha256(b"".join(_what_it_does(source) for source in cells)).hexdigest()


def _what_it_does(source: str) -> bytes:
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree).encode()


# --- training ---


class TimedRun(training.TrainingRun):
    """A training run that adds the CPU seconds of all loops, with what else happened, to `totals`."""

    totals = {"steps": 0, "seconds": 0.0, "wall_seconds": 0.0}  # noqa: RUF012

    def __iter__(self):
        begin, wall, step = time.process_time(), time.perf_counter(), self.step
        try:
            yield from super().__iter__()
        finally:
            self.totals["seconds"] += time.process_time() - begin
            self.totals["wall_seconds"] += time.perf_counter() - wall
            self.totals["steps"] += self.step - step


def shifted(function: Callable, shift: int) -> Callable:
    """`torch.manual_seed`, `minibatches` or `prepare`, with `shift` added to the seed that it is given."""

    takes_only_a_seed = function is torch.manual_seed

    def with_shift(*arguments, **keywords):
        if takes_only_a_seed:
            return function(arguments[0] + shift)
        keywords["seed"] = keywords.get("seed", 0) + shift
        return function(*arguments, **keywords)

    return with_shift


def train(name: str, dataset: str, seed: int) -> tuple[torch.nn.Module, dict]:
    """The model as its notebook makes it, in eval mode, with its steps, CPU seconds and wall-clock seconds."""
    cells, expressions = recipe_of(name)
    TimedRun.totals = {"steps": 0, "seconds": 0.0, "wall_seconds": 0.0}
    shift = SHIFT * seed
    names: dict = {}
    with (
        mock.patch.dict(os.environ, {"COURSE_DATASET": dataset}),
        mock.patch.object(training, "TrainingRun", TimedRun),
        mock.patch.object(torch, "manual_seed", shifted(torch.manual_seed, shift)),
        mock.patch.object(course_data, "minibatches", shifted(course_data.minibatches, shift)),
    ):
        for source in cells:
            exec(source, names)
        model, *parts = (eval(expression, names) for expression in expressions)
    for attribute, part in zip(PARTS.get(name, {}), parts, strict=True):
        setattr(model, attribute, part)
    if not TimedRun.totals["steps"]:
        raise ValueError(f"the cells that lead to {name} trained nothing")
    return model.eval(), TimedRun.totals


# --- measuring, as notebook 12 does ---


def measuring_functions() -> dict:
    """The functions that notebook 12 defines."""
    names: dict = {}
    for source in code_cells("12_scoreboard"):
        kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
        if all(isinstance(node, kinds) for node in ast.parse(source).body):
            exec(source, names)
    return names


def rounded(run: dict) -> dict:
    return {key: float(f"{value:.5g}") if isinstance(value, float) else value for key, value in run.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="strokes")
    parser.add_argument("--models", nargs="+", choices=[*MODELS, "real"], default=["real", *MODELS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--folder", type=Path, help="where the file goes (default: data/scoreboard)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = course_data.load_images(arguments.dataset)
    judge = load_judge(data.name)
    notebook = measuring_functions()
    for seed in arguments.seeds:
        for name in arguments.models:
            if name == "real":
                run = {"model": REAL, "seed": seed, **notebook["measure_real"](judge, data, seed)}
            else:
                model, totals = train(name, data.name, seed)
                measures = notebook["measure"](name, model, judge, data)
                run = {"model": name, "seed": seed, **totals, **measures, "seconds": totals["seconds"]}
            run = rounded({**dict.fromkeys(MEASURES), **run})
            print(run, flush=True)
            store(run, data, arguments.folder)


def store(run: dict, data, folder: Path | None) -> None:
    """Add a run to the file, or put it in the place of an older one, so that an interrupted command loses nothing."""
    try:
        board = load_scoreboard(data.name, folder)
        runs, recipes = board.runs, dict(board.recipes or {})
    except ScoreboardError:
        runs, recipes = [], {}
    if run["model"] != REAL:
        recipes[run["model"]] = checksum(recipe_of(run["model"])[0])
    runs = [old for old in runs if (old["model"], old["seed"]) != (run["model"], run["seed"])] + [run]
    order = [REAL, *MODELS]
    runs.sort(key=lambda one: (order.index(one["model"]), one["seed"]))
    versions = {package: version(package) for package in ("torch", "torchmetrics", "scikit-learn")}
    count = len(data.test_images)
    save_scoreboard(Scoreboard(data.name, count, count, runs, MACHINE, versions, recipes), folder)


if __name__ == "__main__":
    main()
