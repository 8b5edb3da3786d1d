"""How the scoreboard's command finds the cells that train a model, and that its stored rows belong to them."""

import pytest
import torch

from course_utils import data as course_data
from course_utils.scoreboard import MODELS, load_scoreboard
from tests.benchmarks import scoreboard
from tests.benchmarks.scoreboard import checksum, recipe, recipe_of, shifted, used_by

CELLS = [
    "import torch\nfrom torch import nn",
    "seed = 0\ntorch.manual_seed(seed)",
    "def train(model):\n    z = 3\n    return helper(model, z)",
    "def helper(model, z):\n    return [z for _ in range(2)]",
    "model = nn.Linear(1, 1)\nother = nn.Linear(2, 2)",
    "plot(model)",
    "run = train(model)",
    "z = expensive()",
    "for step in range(3):\n    z = step\n    other.weight.data += z\nother_run = z",
    "model = model.eval()",
    "try:\n    save_trained('good', model, steps=run.step, metrics={'error': z})\nexcept Problem:\n    pass",
    "kept = {'first': (other, other_run), 'second': (model, run, {'size': seed})}",
]


def test_only_the_cells_that_lead_to_the_model_are_run():
    cells, expressions = recipe(CELLS, ("good",))
    assert expressions == ["model"]
    assert cells == [CELLS[i] for i in (0, 2, 3, 4, 6, 9)]


def test_models_that_are_saved_in_a_loop_are_found_by_their_entries():
    cells, expressions = recipe(CELLS, ("first", "second"))
    assert expressions == ["other", "model"]
    assert CELLS[8] in cells and CELLS[7] not in cells


def test_models_that_are_saved_in_a_loop_are_found_by_their_tuples():
    loop = "for one in (('first', other, other_run, {'error': z}), ('second', model, run, {})):\n    save_trained(*one)"
    cells, expressions = recipe([*CELLS[:-2], loop], ("first", "second"))
    assert expressions == ["other", "model"]
    assert CELLS[8] in cells and CELLS[7] not in cells


def test_a_model_that_is_not_saved_is_told():
    with pytest.raises(ValueError, match="no cell saves models as good and missing"):
        recipe(CELLS, ("good", "missing"))


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a = b + c(d)", {"b", "c", "d"}),
        ("a = 1\nb = a", set()),
        ("a = a + 1", {"a"}),
        ("a += 1", {"a"}),
        ("a |= b", {"a", "b"}),
        ("for i in range(n):\n    x = i\n    y += x", {"range", "n", "y"}),
        ("def f(x, y=default):\n    z = x\n    return z + w", {"default", "w"}),
        ("class A(Base):\n    def f(self):\n        return g(self)", {"Base", "g"}),
        ("a = [x * k for x in xs]", {"k", "xs"}),
        ("with torch.no_grad():\n    a = b\nprint(a)", {"torch", "b", "print"}),
        ("try:\n    a = b\nexcept E as e:\n    print(c)", {"b", "E", "c", "print"}),
        ("a[i] = b", {"a", "i", "b"}),
    ],
)
def test_what_a_cell_reads(source, names):
    assert used_by(source) == names


def test_a_checksum_changes_with_what_cells_do_and_not_with_their_layout():
    assert checksum(["a = f(1)"]) == checksum(["a = f(1)  # a comment"]) == checksum(["a = f(\n    1\n)"])
    assert checksum(["print('a')"]) == checksum(["print('b')"])
    assert checksum(["import a\nfrom b import c\nf(1)"]) == checksum(["from b import c\nimport a\nf(1)"])
    assert checksum(["a = f(1)"]) != checksum(["a = f(2)"])


def test_a_shift_moves_every_seed():
    with torch.random.fork_rng():
        shifted(torch.manual_seed, 1000)(7)
        moved = torch.rand(1)
        assert torch.equal(moved, torch.rand(1, generator=torch.Generator().manual_seed(1007)))
    batches = shifted(course_data.minibatches, 2000)
    assert batches(torch.zeros(4), batch_size=2, epochs=1, seed=3).seed == 2003
    assert batches(torch.zeros(4), batch_size=2, epochs=1).seed == 2000


def test_training_measures_the_loops_and_nothing_else(monkeypatch):
    cells = [
        "import torch\nfrom course_utils.data import minibatches\nfrom course_utils.training import TrainingRun",
        "torch.manual_seed(0)\nmodel = torch.nn.Linear(1, 1)",
        "run = TrainingRun(minibatches(torch.zeros(6), batch_size=2, epochs=3))\nfor x in run:\n    model(x[:, None])",
        "save_trained('gan', model, steps=run.step)",
    ]
    monkeypatch.setattr(scoreboard, "recipe_of", lambda name: recipe(cells, (name,)))
    weights = []
    for seed in (0, 0, 1):
        model, totals = scoreboard.train("gan", "strokes", seed)
        assert totals["steps"] == 9 and totals["seconds"] > 0 and not model.training
        weights.append(model.weight.item())
    torch.manual_seed(0)
    assert weights[0] == weights[1] == torch.nn.Linear(1, 1).weight.item() != weights[2]


@pytest.mark.parametrize("dataset", ["strokes", "mnist"])
@pytest.mark.parametrize("name", MODELS)
def test_the_stored_rows_come_from_the_cells_as_they_stand(name, dataset):
    board = load_scoreboard(dataset)
    assert board.recipes[name] == checksum(recipe_of(name)[0]), (
        f"the notebook trains {name} differently now: run "
        f"`python -m tests.benchmarks.scoreboard --models {name} --dataset {dataset}`"
    )
