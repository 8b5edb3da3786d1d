"""The scoreboard's command: recipes are whole and follow their seed, and the stored rows came from today's cells."""

import ast
import subprocess
import sys

import pytest
import torch

from course_utils.catalogue import CATALOGUE
from course_utils.scoreboard import MEASURES, MODELS, REAL, ScoreboardError, load_scoreboard, scoreboard_file
from workshop import scoreboard, sweep
from workshop.notebooks import tagged_sources
from workshop.scoreboard import checksum, code_of, recipe_of, run_cells

TOY = [
    "import torch\nfrom course_utils.data import minibatches\nfrom course_utils.training import TrainingRun",
    "torch.manual_seed(seed)\naverage = torch.nn.Linear(1, 1)",
    "batches = minibatches(torch.zeros(6), batch_size=2, epochs=3, seed=seed)",
    "run = TrainingRun(batches)\nfor x in run:\n    average(x[:, None])",
]


def undefined_names(sources: list[str]) -> list[str]:
    """What cells read and none of them defines, as ruff tells it."""
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select=F821",
        "--output-format=concise",
        "-",
    ]
    told = subprocess.run(command, input="\n".join(sources), capture_output=True, text=True).stdout
    return [line for line in told.splitlines() if "F821" in line]


def calls_without_seed(sources: list[str]) -> list[str]:
    """The calls that seed random numbers or shuffle with another seed than `seed`."""
    calls = [node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    seeding = [call for call in calls if _name(call) in ("prepare", "manual_seed", "minibatches")]
    assert seeding
    return [ast.unparse(call) for call in seeding if "seed" not in _names_in(call)]


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func).split(".")[-1]


def _names_in(call: ast.Call) -> set[str]:
    return {node.id for node in ast.walk(call) if isinstance(node, ast.Name)}


# --- the recipes ---


@pytest.mark.parametrize("name", MODELS)
def test_a_recipe_is_whole(name):
    assert undefined_names(["seed = 0", *recipe_of(name)]) == []


def test_a_cell_that_is_missing_is_told():
    assert len(undefined_names(["seed = 0", *TOY])) == 0
    assert "TrainingRun" in "".join(undefined_names(["seed = 0", *TOY[1:]]))


@pytest.mark.parametrize("name", MODELS)
def test_a_recipe_follows_its_seed(name):
    (parameters,) = tagged_sources(CATALOGUE[name].notebook, "parameters")
    imports, *_ = recipe_of(name)
    assert run_cells([imports, parameters])["seed"] == 0
    assert calls_without_seed(recipe_of(name)) == []


def test_a_seed_of_its_own_is_told():
    assert calls_without_seed(TOY) == []
    assert calls_without_seed([*TOY, "torch.manual_seed(1)"]) == ["torch.manual_seed(1)"]
    assert calls_without_seed(["minibatches(x, epochs=2)"]) == ["minibatches(x, epochs=2)"]


def test_training_measures_the_loops_and_follows_the_seed(monkeypatch):
    monkeypatch.setattr(scoreboard, "recipe_of", lambda name: TOY)
    weights = []
    for seed in (0, 0, 1):
        model, totals = scoreboard.train("gan", seed)
        assert totals["steps"] == 9 and totals["seconds"] > 0 < totals["wall_seconds"] and not model.training
        weights.append(model.weight.item())
    torch.manual_seed(0)
    assert weights[0] == weights[1] == torch.nn.Linear(1, 1).weight.item() != weights[2]


# --- the stored rows ---


def test_a_checksum_changes_with_what_cells_do_and_not_with_their_layout():
    assert checksum(["a = f(1)"]) == checksum(["a = f(1)  # a comment"]) == checksum(["a = f(\n    1\n)"])
    assert checksum(["print('a')"]) == checksum(["print('b')"])
    assert checksum(["import a\nfrom b import c\nf(1)"]) == checksum(["from b import c\nimport a\nf(1)"])
    assert checksum(["a = f(1)"]) != checksum(["a = f(2)"])


def test_a_checksum_is_the_same_on_every_python():
    # Up to 3.11, and since then, quotes within f-strings are unparsed differently.
    assert checksum(["title = f'{names[\"a\"]}: {x:>{width}}'"]) == checksum(["title = ''"])


@pytest.mark.parametrize("dataset", ["strokes", "mnist"])
@pytest.mark.parametrize("name", [REAL, *MODELS])
def test_the_stored_rows_come_from_the_cells_as_they_stand(name, dataset):
    board = load_scoreboard(dataset)
    assert board.recipes[name] == checksum(code_of(name)), (
        f"the notebooks train or measure {name} differently now: run "
        f"`COURSE_DATASET={dataset} python -m workshop.scoreboard --models {name.split()[0]}`"
    )


def test_a_run_takes_the_place_of_an_older_one(tmp_path):
    def store(model, seed, frechet):
        run = {"model": model, "seed": seed, **dict.fromkeys(MEASURES), "frechet": frechet}
        scoreboard.store(run, "strokes", 4000, tmp_path)

    store("gan", 1, 8.0)
    store("gan", 0, 9.0)
    store(REAL, 0, 1.0)
    store("gan", 1, 7.0)
    board = load_scoreboard("strokes", tmp_path)
    assert [(run["model"], run["seed"], run["frechet"]) for run in board.runs] == [
        (REAL, 0, 1.0), ("gan", 0, 9.0), ("gan", 1, 7.0)
    ]  # fmt: skip
    assert board.recipes == {name: checksum(code_of(name)) for name in (REAL, "gan")}


def test_runs_that_other_cells_have_given_are_dropped(tmp_path, monkeypatch):
    def store(model, seed):
        scoreboard.store({"model": model, "seed": seed, **dict.fromkeys(MEASURES)}, "strokes", 4000, tmp_path)

    store("vae", 0)
    store("gan", 0)
    monkeypatch.setattr(scoreboard, "code_of", lambda name: ["epochs = 2"])
    store("gan", 1)
    assert [(run["model"], run["seed"]) for run in load_scoreboard("strokes", tmp_path).runs] == [
        ("vae", 0), ("gan", 1)
    ]  # fmt: skip


def test_a_damaged_file_is_told_and_left(tmp_path):
    path = scoreboard_file("strokes", tmp_path)
    path.write_text("{}")
    with pytest.raises(ScoreboardError, match="it is not a scoreboard"):
        scoreboard.store({"model": "gan", "seed": 0, **dict.fromkeys(MEASURES)}, "strokes", 4000, tmp_path)
    assert path.read_text() == "{}"


def test_the_command_stores_each_run_of_its_sweep(tmp_path, monkeypatch):
    def measured_run(dataset, name, seed):
        return {
            "model": REAL if name == "real" else name,
            "seed": seed,
            **dict.fromkeys(MEASURES),
            "frechet": seed,
        }

    monkeypatch.setattr(scoreboard, "measured_run", measured_run)
    monkeypatch.setattr(sweep, "SWEEPS", tmp_path / "sweeps")
    arguments = ["--models", "gan", "real", "--seeds", "0", "1", "--folder", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["scoreboard", *arguments])
    scoreboard.main()
    board = load_scoreboard(None, tmp_path)
    assert [(run["model"], run["frechet"]) for run in board.runs] == [
        (REAL, 0),
        (REAL, 1),
        ("gan", 0),
        ("gan", 1),
    ]


def test_a_worker_with_another_data_set_is_named(monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", "strokes")
    with pytest.raises(ValueError, match=r"must be mnist; got \w+ \(COURSE_DATASET\)"):
        scoreboard.prepare_worker("mnist")
