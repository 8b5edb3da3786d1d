"""Notebook 03's stored result on MNIST: it came from the cells that the notebook shows, and the command can be run."""

import json

import pytest

from course_utils.settings import MNIST_AUTOENCODER
from workshop import mnist_autoencoder
from workshop.mnist_autoencoder import NOTEBOOK, SEEDS
from workshop.notebooks import tagged_sources
from workshop.scoreboard import checksum

STORED = json.loads(MNIST_AUTOENCODER.read_text())


def test_the_stored_result_came_from_the_notebooks_cells():
    assert STORED["recipe"] == checksum(tagged_sources(NOTEBOOK, "recipe")), (
        "run `COURSE_DATASET=mnist python -m workshop.mnist_autoencoder` again"
    )


def test_the_stored_result_is_whole():
    runs = STORED["autoencoder"]
    assert [run["seed"] for run in runs] == list(SEEDS)
    # Hinton & Salakhutdinov (2006): PCA 13.87, their autoencoder 3.00
    assert round(STORED["pca"], 2) == 13.87
    assert all(run["squared_error"] < 0.35 * STORED["pca"] for run in runs)
    assert all(run["seconds"] > 0 for run in runs)


def test_the_command_runs_the_cells_from_each_seed(monkeypatch, tmp_path):
    def cells(sources, seed):
        class Run:
            step, cpu_seconds = 7, 1.5

        return {
            "error_on": lambda model, images: model + len(images),
            "model": seed,
            "test_images": [0, 0],
            "run": Run,
            "pca": None,
            "pca_error": lambda pca, images, code_size: code_size,
        }

    monkeypatch.setenv("COURSE_DATASET", "mnist")
    monkeypatch.setattr(mnist_autoencoder, "run_cells", cells)
    monkeypatch.setattr(mnist_autoencoder, "MNIST_AUTOENCODER", tmp_path / "result.json")
    mnist_autoencoder.main()
    result = json.loads((tmp_path / "result.json").read_text())
    assert [run["squared_error"] for run in result["autoencoder"]] == [2, 3, 4]
    assert (result["steps"], result["pca"], result["recipe"]) == (7, 30, STORED["recipe"])


def test_the_command_refuses_another_data_set(monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", "strokes")
    with pytest.raises(SystemExit, match="must be mnist; got strokes"):
        mnist_autoencoder.main()
