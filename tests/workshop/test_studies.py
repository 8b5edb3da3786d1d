"""Stored studies came from the cells that the notebooks show, and the command runs those cells from each seed."""

import json
import sys

import pytest

from course_utils import studies as stored_studies
from course_utils.settings import STUDIES
from course_utils.studies import load_study, study_file
from workshop import studies, sweep
from workshop.notebooks import tagged_sources
from workshop.scoreboard import checksum

FILES = sorted(STUDIES.glob("*.json"))
CELLS = ["offset = 10 * seed", 'def study(seed):\n    return {"a": offset + seed, "b": 0.123456789}']


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_stored_study_came_from_the_notebooks_cells(path):
    record = json.loads(path.read_text())
    notebook, dataset = record["notebook"], record["dataset"]
    assert path == study_file(notebook, dataset)
    assert record["cells"] == checksum(tagged_sources(notebook, "study")), (
        f"run `COURSE_DATASET={dataset} python -m workshop.studies {notebook}` again"
    )
    assert len(record["seeds"]) >= 3
    assert all(len(values) == len(record["seeds"]) for values in load_study(notebook, dataset).values())


def test_a_study_of_own_pictures_has_a_file_name(tmp_path):
    path = study_file("03_autoencoder_mlp", str(tmp_path / "letters"))
    assert path.parent == STUDIES and path.name.startswith("03_autoencoder_mlp.letters-")


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Runs the command on given cells, with its files in an empty folder, and returns what it stored."""
    monkeypatch.setenv("COURSE_DATASET", "mnist")
    monkeypatch.setattr(sweep, "SWEEPS", tmp_path / "sweeps")
    path = tmp_path / "studies" / "03_autoencoder_mlp.mnist.json"
    monkeypatch.setattr(studies, "study_file", lambda notebook, dataset: path)
    monkeypatch.setattr(stored_studies, "study_file", lambda notebook, dataset: path)

    def run(cells, *seeds):
        monkeypatch.setattr(studies, "tagged_sources", lambda notebook, tag: cells)
        monkeypatch.setattr(sys, "argv", ["studies", "03_autoencoder_mlp", "--seeds", *seeds])
        studies.main()
        return load_study("03_autoencoder_mlp", "mnist")

    return run


def test_the_command_runs_the_cells_from_each_seed(command):
    assert command(CELLS, "0", "2") == {"a": [0, 22], "b": [0.12346, 0.12346]}


def test_more_seeds_are_added_and_stored_in_order(command):
    command(CELLS, "2")
    assert command(CELLS, "1")["a"] == [11, 22]


def test_what_other_cells_gave_is_dropped(command):
    command(CELLS, "0", "1")
    assert command(["offset = 5", CELLS[1]], "2")["a"] == [7]


def test_a_notebook_without_a_study_is_named(command):
    with pytest.raises(ValueError, match="03_autoencoder_mlp does not"):
        command(["offset = 5"], "0")


def test_a_study_that_is_not_there_says_what_makes_it():
    with pytest.raises(FileNotFoundError, match="COURSE_DATASET=kmnist makes it"):
        load_study("03_autoencoder_mlp", "kmnist")
