"""The stored scoreboard: what is kept comes back, and a damaged file is told in a sentence."""

import json

import pytest

from course_utils.scoreboard import (
    MEASURES,
    MODELS,
    REAL,
    Scoreboard,
    ScoreboardError,
    load_scoreboard,
    save_scoreboard,
)
from course_utils.settings import SCOREBOARDS


def run(model, seed, **values):
    return {"model": model, "seed": seed, **dict.fromkeys(MEASURES), **values}


@pytest.fixture
def board():
    runs = [
        run(REAL, 0, frechet=1.0),
        run("gan", 0, frechet=9.5, seconds=40.0),
        run("gan", 1, frechet=8.5, seconds=41.0),
        run("vae", 0, frechet=30.0, squared_error=11.0),
    ]
    return Scoreboard("kmnist", 10_000, 10_000, runs, "one thread", {"torch": "2"}, {"gan": "ab"})


def test_what_was_saved_comes_back(board, tmp_path):
    save_scoreboard(board, tmp_path)
    assert load_scoreboard("kmnist", tmp_path) == board
    assert [path.name for path in tmp_path.iterdir()] == ["kmnist.json"]


def test_values_come_for_each_seed_and_are_empty_where_there_is_no_such_measure(board):
    assert board.values("gan", "frechet") == [9.5, 8.5]
    assert board.values(REAL, "frechet") == [1.0]
    assert board.values("gan", "squared_error") == [] and board.values("conditional_gan", "frechet") == []
    assert board.models == ["vae", "gan"]


def test_unknown_names_are_told(board):
    with pytest.raises(ValueError, match=r"model must be one of conv_autoencoder, .*; got 'diffusion'"):
        board.values("diffusion", "frechet")
    with pytest.raises(ValueError, match=r"measure must be one of squared_error, .*; got 'beauty'"):
        board.values("gan", "beauty")
    with pytest.raises(ValueError, match=r"name must be one of strokes, .*; got 'cifar'"):
        load_scoreboard("cifar")


def test_a_missing_scoreboard_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", "mnist")
    with pytest.raises(
        ScoreboardError, match=r"for mnist yet: `python -m workshop\.scoreboard` with COURSE_DATASET=mnist"
    ):
        load_scoreboard(folder=tmp_path)


def test_a_changed_number_is_noticed(board, tmp_path):
    path = save_scoreboard(board, tmp_path)
    path.write_text(path.read_text().replace("8.5", "1.5"))
    with pytest.raises(ScoreboardError, match=r"checksum is wrong.*git checkout -- data"):
        load_scoreboard("kmnist", tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"sha256": "0", "runs": []}', "nonsense"])
def test_a_file_of_another_kind_is_noticed(content, board, tmp_path):
    save_scoreboard(board, tmp_path).write_text(content)
    with pytest.raises(ScoreboardError, match="it is not a scoreboard"):
        load_scoreboard("kmnist", tmp_path)


def test_a_scoreboard_of_another_data_set_is_noticed(board, tmp_path):
    save_scoreboard(board, tmp_path).rename(tmp_path / "mnist.json")
    with pytest.raises(ScoreboardError, match="of another data set"):
        load_scoreboard("mnist", tmp_path)


def test_a_run_without_its_measures_is_not_stored(board, tmp_path):
    board.runs.append({"model": "gan", "seed": 2, "frechet": 9.0})
    with pytest.raises(ValueError, match="every run must have model, seed, squared_error"):
        save_scoreboard(board, tmp_path)


# --- those that ship ---


@pytest.fixture(scope="module", params=["strokes", "mnist"])
def shipped(request):
    return load_scoreboard(request.param)


def test_every_model_was_trained_from_three_seeds_or_more(shipped):
    assert shipped.models == list(MODELS)
    for model in MODELS:
        seeds = [run["seed"] for run in shipped.runs if run["model"] == model]
        assert len(set(seeds)) == len(seeds) >= 3
    assert shipped.machine and {"torch", "torchmetrics"} <= shipped.versions.keys()


def test_measures_are_there_where_they_mean_something_and_only_there(shipped):
    for run_ in shipped.runs:
        model = run_["model"]
        encodes = model in ("conv_autoencoder", "vae", "conditional_vae")
        conditional = model in ("conditional_vae", "conditional_gan", REAL)
        trained = model != REAL
        expected = dict.fromkeys(MEASURES, True) | {
            "squared_error": encodes,
            "pca_ratio": encodes,
            "fidelity": conditional,
            "seconds": trained,
            "parameters": trained,
        }
        assert {measure: run_[measure] is not None for measure in MEASURES} == expected, model


def test_the_numbers_can_be_such(shipped):
    for run_ in shipped.runs:
        for measure in ("fidelity", "acceptance", "smallest_share"):
            assert run_[measure] is None or 0 <= run_[measure] <= 1
        assert run_["smallest_share"] <= 0.1 + 1e-9
        assert min(run_["frechet"], run_["nearest"], run_["variety"]) > 0
        assert run_["pca_ratio"] is None or 0 < run_["pca_ratio"] < 1
        assert -1 < run_["copying"] < 1
    real = max(shipped.values(REAL, "frechet"))
    assert all(min(shipped.values(model, "frechet")) > real for model in MODELS)


def test_the_files_are_plain_json_of_few_bytes():
    paths = sorted(SCOREBOARDS.glob("*.json"))
    assert [path.stem for path in paths] == ["mnist", "strokes"]
    for path in paths:
        json.loads(path.read_text(encoding="utf-8"))
        assert path.stat().st_size < 50_000
