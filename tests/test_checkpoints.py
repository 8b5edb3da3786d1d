"""Saving and loading trained models: what comes back, which one is preferred, and what is said when it fails."""

import json
import os

import pytest
import torch
from torch import nn

from course_utils import checkpoints
from course_utils.checkpoints import CheckpointError, load_trained, load_with_manifest, save_trained
from course_utils.models import MLPAutoencoder

NAME = "mlp_autoencoder"
SETTINGS = {"code_size": 3, "hidden_size": 8}


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "OWN", tmp_path / "own")
    monkeypatch.setattr(checkpoints, "SHIPPED", tmp_path / "shipped")
    monkeypatch.delenv("COURSE_DATASET", raising=False)
    return tmp_path


def model_of(seed: int) -> MLPAutoencoder:
    torch.manual_seed(seed)
    return MLPAutoencoder(**SETTINGS)


def keep(model, **changes):
    record = {"dataset": "strokes", "settings": SETTINGS, "seed": 4, "steps": 7, "seconds": 1.5}
    return save_trained(NAME, model, **(record | {"metrics": {"squared_error": 2.5}} | changes))


def weights_of(model) -> torch.Tensor:
    return nn.utils.parameters_to_vector(model.parameters()).detach()


def test_what_was_saved_comes_back_with_its_manifest():
    model = model_of(seed=0)
    saved = keep(model)
    loaded, manifest = load_with_manifest(NAME, "strokes")
    assert torch.equal(weights_of(loaded), weights_of(model))
    assert manifest == saved
    assert (manifest.seed, manifest.steps, manifest.seconds) == (4, 7, 1.5)
    assert manifest.metrics == {"squared_error": 2.5} and manifest.settings == SETTINGS
    assert not loaded.training and model.training


def test_half_precision_is_stored_in_half_the_space_and_loaded_as_float32(folders):
    keep(model_of(seed=0))
    full = (folders / "own" / "strokes" / f"{NAME}.safetensors").stat().st_size
    keep(model_of(seed=0).half())
    assert (folders / "own" / "strokes" / f"{NAME}.safetensors").stat().st_size < 0.6 * full
    loaded = load_trained(NAME)
    assert all(parameter.dtype == torch.float32 for parameter in loaded.parameters())
    assert torch.equal(weights_of(loaded), weights_of(model_of(seed=0).half().float()))


def test_this_machines_own_model_is_preferred_to_the_shipped_one(folders):
    keep(model_of(seed=1), folder=folders / "shipped")
    assert torch.equal(weights_of(load_trained(NAME)), weights_of(model_of(seed=1)))
    keep(model_of(seed=2))
    assert torch.equal(weights_of(load_trained(NAME)), weights_of(model_of(seed=2)))


def test_the_data_set_comes_from_the_environment_unless_it_is_named(monkeypatch):
    keep(model_of(seed=1))
    keep(model_of(seed=2), dataset="mnist")
    monkeypatch.setenv("COURSE_DATASET", "mnist")
    assert torch.equal(weights_of(load_trained(NAME)), weights_of(model_of(seed=2)))
    assert torch.equal(weights_of(load_trained(NAME, "strokes")), weights_of(model_of(seed=1)))


def test_saving_and_loading_leave_the_random_numbers_alone():
    model = model_of(seed=0)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    keep(model)
    load_trained(NAME)
    assert torch.equal(torch.rand(3), expected)


def test_saving_again_replaces_both_files_and_leaves_nothing_else(folders):
    keep(model_of(seed=0))
    keep(model_of(seed=1), steps=8)
    assert load_with_manifest(NAME)[1].steps == 8
    names = sorted(path.name for path in (folders / "own" / "strokes").iterdir())
    assert names == [f"{NAME}.json", f"{NAME}.safetensors"]


def test_a_missing_model_names_the_notebook_that_makes_it():
    with pytest.raises(
        CheckpointError, match="^kmnist has no trained mlp_autoencoder: run 03_autoencoder_mlp"
    ):
        load_trained(NAME, "kmnist")


def test_a_model_whose_manifest_is_missing_does_not_count(folders):
    keep(model_of(seed=0))
    (folders / "own" / "strokes" / f"{NAME}.json").unlink()
    with pytest.raises(CheckpointError, match="no trained"):
        load_trained(NAME)


def test_a_changed_weights_file_is_refused(folders):
    keep(model_of(seed=0))
    path = folders / "own" / "strokes" / f"{NAME}.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(
        CheckpointError, match=r"safetensors cannot be used \(its checksum.*delete the folder"
    ):
        load_trained(NAME)


def test_a_damaged_shipped_file_comes_back_from_git(folders):
    keep(model_of(seed=0), folder=folders / "shipped")
    (folders / "shipped" / "strokes" / f"{NAME}.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="get it back with `git checkout -- data`"):
        load_trained(NAME)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "mlp_autoencoder"}', "\xff"])
def test_a_broken_manifest_is_refused(folders, text):
    keep(model_of(seed=0))
    (folders / "own" / "strokes" / f"{NAME}.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(CheckpointError, match="it is not a manifest"):
        load_trained(NAME)


@pytest.mark.parametrize(
    "change", [{"settings": {"code_size": 4, "hidden_size": 8}}, {"settings": {"n": 1}}, {"name": "other"}]
)
def test_a_manifest_of_another_model_is_refused(folders, change):
    keep(model_of(seed=0))
    path = folders / "own" / "strokes" / f"{NAME}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CheckpointError, match="does not fit it"):
        load_trained(NAME)


def test_bad_input_is_told_in_a_sentence():
    with pytest.raises(ValueError, match=r"name must be one of mlp_autoencoder.*; got 'unknown'"):
        load_trained("unknown")
    with pytest.raises(ValueError, match=r"dataset must be one of strokes, .*; got '\.\./letters'"):
        load_trained(NAME, "../letters")
    with pytest.raises(ValueError, match="dataset must be one of"):
        keep(model_of(seed=0), dataset="letters")
    with pytest.raises(ValueError, match=r"model must be of class MLPAutoencoder .*; got Linear"):
        keep(nn.Linear(2, 2))


@pytest.mark.parametrize("settings", [{"code_size": 4, "hidden_size": 8}, {"code_size": 3}, {"width": 3}])
def test_settings_that_do_not_build_the_model_again_are_refused(settings, folders):
    with pytest.raises(ValueError, match="settings must build the mlp_autoencoder again"):
        keep(model_of(seed=0), settings=settings)
    assert not (folders / "own").exists()


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(folders):
    (folders / "own").write_text("a file stands where the folder should be")
    with pytest.raises(CheckpointError, match=r"could not be kept in .*: the model is still in memory"):
        keep(model_of(seed=0))


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_files_can_be_read_by_others(folders):
    keep(model_of(seed=0))
    assert (folders / "own" / "strokes" / f"{NAME}.safetensors").stat().st_mode & 0o044 == 0o044
