"""Saving and loading trained models: what is kept, what comes back, which is preferred, what is said when it fails."""

import errno
import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from course_utils import checkpoints, models, settings
from course_utils.catalogue import CATALOGUE
from course_utils.checkpoints import (
    CheckpointError,
    is_trained,
    load_trained,
    load_with_manifest,
    save_trained,
    write_trained,
)
from course_utils.models import MLPAutoencoder

NAME = "mlp_autoencoder"
SIZES = {"code_size": 3, "hidden_size": 8}
# name -> small sizes, one for each class.
SMALL = {
    "mlp_autoencoder": SIZES,
    "conv_autoencoder": {"code_size": 2},
    "small_autoencoder": {"code_size": 2},
    "vae": {"latent_size": 2, "hidden_size": 8},
    "vae_prior": {"latent_size": 2, "components": 4},
    "conditional_vae": {"latent_size": 2, "num_classes": 3, "components": 4},
    "gan": {"noise_size": 3},
    "conditional_gan": {"noise_size": 2, "num_classes": 3},
    "conditional_gan_discriminator": {"num_classes": 3},
    "classifier": {},
}


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "OWN", tmp_path / "own")
    monkeypatch.setattr(checkpoints, "SHIPPED", tmp_path / "shipped")
    (tmp_path / "shipped").mkdir()
    for variable in ("COURSE_DATASET", "COURSE_OWN_DIR", "COURSE_KEEP_MODELS"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.fixture
def own_file(folders):
    return folders / "own" / "strokes" / f"{NAME}.safetensors"


def model_of(seed: int) -> MLPAutoencoder:
    torch.manual_seed(seed)
    return MLPAutoencoder(**SIZES)


def write(model, name=NAME, **changes):
    record = {"dataset": "strokes", "settings": SIZES, "seed": 4, "steps": 7, "seconds": 1.5}
    return write_trained(name, model, **(record | {"metrics": {"squared_error": 2.5}} | changes))


def keep(model, step=7, **changes):
    record = {"run": training(step), "dataset": "strokes", "settings": SIZES, "seed": 4}
    return save_trained(NAME, model, **(record | {"metrics": {"squared_error": 2.5}} | changes))


def training(step, total=7):
    return SimpleNamespace(step=step, total=total, seconds=1.5)


def weights_of(model) -> torch.Tensor:
    return nn.utils.parameters_to_vector(model.parameters()).detach()


# --- what comes back ---


def test_what_was_saved_comes_back_with_its_manifest():
    model = model_of(seed=0)
    written = write(model)
    loaded, manifest = load_with_manifest(NAME, "strokes")
    assert torch.equal(weights_of(loaded), weights_of(model))
    assert manifest == written
    assert (manifest.seed, manifest.steps, manifest.seconds) == (4, 7, 1.5)
    assert manifest.metrics == {"squared_error": 2.5} and manifest.settings == SIZES
    assert not loaded.training and model.training
    assert all(parameter.requires_grad for parameter in loaded.parameters())


@pytest.mark.parametrize("name", SMALL)
def test_every_class_of_the_course_comes_back(name):
    torch.manual_seed(0)
    model = checkpoints._class_of(name)(**SMALL[name])
    manifest = write(model, name, settings=SMALL[name])
    assert manifest.fingerprint and all(len(set(numbers)) == 4 for numbers in manifest.fingerprint.values())
    loaded = load_trained(name)
    assert loaded.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(loaded.state_dict()[key], value) for key, value in model.state_dict().items())


def test_the_small_sizes_are_of_all_classes():
    assert {CATALOGUE[name].class_name for name in SMALL} == {row.class_name for row in CATALOGUE.values()}


def test_half_precision_is_stored_in_half_the_space_and_loaded_as_float32(own_file):
    write(model_of(seed=0))
    full = own_file.stat().st_size
    write(model_of(seed=0).half())
    assert own_file.stat().st_size < 0.6 * full
    loaded = load_trained(NAME)
    assert all(parameter.dtype == torch.float32 for parameter in loaded.parameters())
    assert torch.equal(weights_of(loaded), weights_of(model_of(seed=0).half().float()))


def test_this_machines_own_model_is_preferred_to_the_shipped_one(folders):
    write(model_of(seed=1), folder=folders / "shipped")
    assert torch.equal(weights_of(load_trained(NAME)), weights_of(model_of(seed=1)))
    write(model_of(seed=2))
    assert torch.equal(weights_of(load_trained(NAME)), weights_of(model_of(seed=2)))


def test_a_run_that_keeps_no_models_leaves_nothing_to_others(folders, monkeypatch):
    monkeypatch.setenv("COURSE_KEEP_MODELS", "0")
    write(model_of(seed=1))
    assert torch.equal(weights_of(load_trained(NAME)), weights_of(model_of(seed=1)))
    monkeypatch.setenv("COURSE_KEEP_MODELS", "1")
    assert not is_trained(NAME) and not (folders / "own").exists()


def test_the_data_set_comes_from_the_environment_unless_it_is_named(monkeypatch):
    write(model_of(seed=1))
    write(model_of(seed=2), dataset="mnist")
    monkeypatch.setenv("COURSE_DATASET", "MNIST")
    assert torch.equal(weights_of(load_trained(NAME)), weights_of(model_of(seed=2)))
    assert torch.equal(weights_of(load_trained(NAME, "strokes")), weights_of(model_of(seed=1)))


def test_saving_and_loading_leave_the_random_numbers_alone():
    model = model_of(seed=0)
    torch.manual_seed(5)
    np.random.seed(5)
    expected = torch.rand(3), np.random.rand()
    torch.manual_seed(5)
    np.random.seed(5)
    keep(model)
    load_trained(NAME)
    assert torch.equal(torch.rand(3), expected[0]) and np.random.rand() == expected[1]


def test_saving_again_replaces_the_file_and_leaves_nothing_else(own_file):
    write(model_of(seed=0))
    write(model_of(seed=1), steps=8)
    assert load_with_manifest(NAME)[1].steps == 8
    assert list(own_file.parent.iterdir()) == [own_file]


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_files_can_be_read_by_others(own_file):
    write(model_of(seed=0))
    assert own_file.stat().st_mode & 0o044 == 0o044


# --- what is kept, and what is said ---


def test_a_model_that_is_kept_is_told(capsys):
    assert keep(model_of(seed=0)).steps == 7
    assert capsys.readouterr().out == "saved: mlp_autoencoder for strokes after 7 steps\n"


def why_not(capsys) -> str:
    out = capsys.readouterr().out
    start = "not saved: mlp_autoencoder for strokes, because "
    assert out.startswith(start) and out.count("\n") == 1
    return out.removeprefix(start)


@pytest.mark.parametrize("stopped", [{"step": 3}, {"also": [training(7), training(3)]}])
def test_a_training_that_was_stopped_leaves_the_model_of_before(capsys, stopped):
    keep(model_of(seed=1))
    capsys.readouterr()
    assert keep(model_of(seed=2), **stopped) is None
    assert why_not(capsys).startswith("its training was stopped after step 3 of 7; train to the end")
    assert torch.equal(weights_of(load_trained(NAME)), weights_of(model_of(seed=1)))


@pytest.mark.parametrize("number", [float("nan"), torch.tensor(float("inf")), np.float32("nan")])
def test_metrics_that_are_not_finite_are_refused_with_their_name(capsys, number):
    assert keep(model_of(seed=0), metrics={"fine": 1.0, "frechet_distance": number}) is None
    assert why_not(capsys).startswith(f"its frechet_distance is {float(number)}")
    assert not is_trained(NAME)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_with_their_name(capsys, number):
    model = model_of(seed=0)
    model.decoder[0].weight.data[1, 2] = number
    assert keep(model) is None
    assert why_not(capsys).startswith("its weights decoder.0.weight are not all finite")


def test_numbers_of_torch_and_numpy_become_plain_ones(recwarn):
    sizes = {"code_size": torch.tensor(3), "hidden_size": np.int64(8)}
    metrics = {"a": torch.tensor([2.5], requires_grad=True), "b": np.float32(0.5), "c": 3}
    manifest = write(model_of(seed=0), settings=sizes, metrics=metrics)
    assert load_with_manifest(NAME)[1] == manifest
    assert (manifest.settings, manifest.metrics) == (
        SIZES,
        {"a": 2.5, "b": 0.5, "c": 3.0},
    ) and not recwarn.list
    manifest = write(model_of(seed=0), seed=np.int64(4), steps=torch.tensor(7), seconds=np.float32(1.5))
    assert load_with_manifest(NAME)[1] == manifest
    assert (manifest.seed, manifest.steps, manifest.seconds) == (4, 7, 1.5)


@pytest.mark.parametrize("value", [torch.ones(2), "good", None, [1.0]])
def test_a_metric_that_is_no_number_is_refused_with_its_name(capsys, value):
    assert keep(model_of(seed=0), metrics={"squared_error": value}) is None
    assert why_not(capsys).startswith("its squared_error must be one number; got ")


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({"code_size": 4, "hidden_size": 8}, "size mismatch for decoder.0.weight"),
        ({"code_size": 3}, "size mismatch for decoder"),
        ({"width": 3}, "unexpected keyword argument 'width'"),
        ({"code_size": 3.0, "hidden_size": 8}, "settings, seed and steps must be whole numbers"),
    ],
)
def test_settings_that_do_not_build_the_model_again_are_refused(capsys, sizes, reason):
    assert keep(model_of(seed=0), settings=sizes) is None
    assert reason in why_not(capsys)


def test_a_model_of_another_class_is_refused(capsys):
    assert keep(nn.Linear(2, 2)) is None
    assert why_not(capsys) == "it must be of class MLPAutoencoder; got Linear\n"


def changed(name: str, change):
    """A model as a notebook has it whose class was changed: of the same name, with the same weights."""
    course = checkpoints._class_of(name)
    torch.manual_seed(0)
    model = type(course.__name__, (course,), change if isinstance(change, dict) else {})(**SMALL[name])
    if callable(change):
        change(model)
    return model


def other_activation(model):
    model.encoder[2] = nn.ReLU()


def tanh(model):
    model.encoder[2], model.encoder[4], model.decoder[1] = nn.Tanh(), nn.Tanh(), nn.Tanh()


@pytest.mark.parametrize(
    ("name", "change", "method"),
    [
        ("mlp_autoencoder", other_activation, "encode"),
        ("mlp_autoencoder", {"encode": lambda self, x: self.encoder(x) * float("nan")}, "encode"),
        ("vae", tanh, "encode"),
        ("vae", {"encode": lambda self, x: self.encoder(x).chunk(2, dim=1)[::-1]}, "encode"),
        (
            "conditional_vae",
            {"decode": lambda self, z, y: models.ConditionalVAE.decode(self, z, 0 * y)},
            "decode",
        ),
        ("conditional_vae", {"log_prob": lambda self, z, y: -self.prior.log_prob(z, y)}, "log_prob"),
        ("gan", {"forward": lambda self, z: self.layers(-z)}, "forward"),
        ("conditional_gan_discriminator", {"features": lambda self, x: self.layers(x)}, "forward"),
    ],
)
def test_a_class_that_computes_something_else_is_not_kept_as_the_courses(name, change, method):
    with pytest.raises(CheckpointError, match=rf"^its {method} computes something else .* take the change"):
        write(changed(name, change), name, settings=SMALL[name])
    assert not is_trained(name)


@pytest.mark.parametrize(
    "encode", [lambda self, x: x.no_such_thing, lambda self, x: None, lambda self: 0, lambda self, x: x[:2]]
)
def test_a_class_that_cannot_be_run_is_not_kept(capsys, encode):
    assert keep(changed(NAME, {"encode": encode})) is None
    assert why_not(capsys).startswith("it cannot be run as the course's MLPAutoencoder can (")


def test_a_class_that_draws_random_numbers_leaves_those_of_the_notebook_alone():
    model = changed(NAME, {"encode": lambda self, x: self.encoder(x) + torch.randn(len(x), 3)})
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    keep(model)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("wrap", [torch.compile, nn.DataParallel, torch.optim.swa_utils.AveragedModel])
def test_a_model_is_taken_out_of_what_is_wrapped_around_it(wrap):
    keep(wrap(model_of(seed=0)))
    assert torch.equal(weights_of(load_trained(NAME)), weights_of(model_of(seed=0)))


def test_the_model_itself_stays_as_it_was():
    model = model_of(seed=0).double()
    model.encoder[1].weight.grad = torch.ones_like(model.encoder[1].weight)
    keep(model)
    assert model.training and model.encoder[1].weight.dtype == torch.float64
    assert torch.equal(weights_of(model).float(), weights_of(model_of(seed=0)))


def test_a_file_where_the_folder_should_be_is_told(capsys, folders):
    (folders / "own").write_text("in the way")
    assert keep(model_of(seed=0)) is None
    assert "strokes cannot be written (a file stands in its place); the model is still in memory" in why_not(
        capsys
    )


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_is_told_with_the_systems_reason(capsys, monkeypatch, number):
    def fail(contents):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(checkpoints, "write_whole", fail)
    assert keep(model_of(seed=0)) is None
    assert f"cannot be written ({os.strerror(number)}); the model is still in memory" in why_not(capsys)


def test_an_unknown_name_or_data_set_is_an_error_of_the_program():
    with pytest.raises(ValueError, match=r"name must be one of mlp_autoencoder.*; got 'unknown'"):
        load_trained("unknown")
    with pytest.raises(ValueError, match=r"name must be one of strokes, .*; got 'letters'"):
        load_trained(NAME, "letters")
    with pytest.raises(ValueError, match="name must be one of"):
        keep(model_of(seed=0), dataset="letters")
    with pytest.raises(ValueError, match="name must be one of"):
        save_trained(
            "unknown", model_of(seed=0), run=training(7), dataset="strokes", settings={}, seed=0, metrics={}
        )


# --- what is loaded ---


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        (NAME, "run 03_autoencoder_mlp with kmnist first, which makes it"),
        ("classifier", "load_judge makes it"),
        ("vae_mnist_1_minute", "`python -m workshop.train_long_vae` .for mnist alone. makes it"),
    ],
)
def test_a_missing_model_names_what_makes_it(name, remedy):
    with pytest.raises(CheckpointError, match=f"^kmnist has no trained {name}: {remedy}"):
        load_trained(name, "kmnist")


def test_an_installation_without_the_shipped_models_says_how_to_install(folders):
    (folders / "shipped").rmdir()
    with pytest.raises(
        CheckpointError, match=r"shipped is missing: install from .* `pip install --editable \.`"
    ):
        load_trained(NAME)


def test_changed_weights_are_refused(own_file):
    write(model_of(seed=0))
    content = bytearray(own_file.read_bytes())
    content[-1] ^= 1
    own_file.write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match=r"safetensors cannot be used \(its checksum.*delete this file"):
        load_trained(NAME)


@pytest.mark.parametrize("content", [b"", b"half", b"\xff" * 100])
def test_a_damaged_file_is_refused(own_file, content):
    write(model_of(seed=0))
    own_file.write_bytes(content)
    with pytest.raises(CheckpointError, match="it holds no model with a manifest"):
        load_trained(NAME)


def test_a_damaged_shipped_file_comes_back_from_git(folders):
    write(model_of(seed=0), folder=folders / "shipped")
    (folders / "shipped" / "strokes" / f"{NAME}.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="get it back with `git checkout -- data`, or download"):
        load_trained(NAME)


def rewrite(path, metadata) -> None:
    """The same weights, with another manifest."""
    with safe_open(path, framework="pt") as file:
        weights = {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118
    save_file(weights, path, metadata)


@pytest.mark.parametrize("text", ["", "[]", "3", "{}", '{"name": "mlp_autoencoder"}'])
def test_a_broken_manifest_is_refused(own_file, text):
    write(model_of(seed=0))
    rewrite(own_file, {"manifest": text})
    with pytest.raises(CheckpointError, match="it holds no model with a manifest"):
        load_trained(NAME)


def test_weights_without_a_manifest_are_refused(own_file):
    write(model_of(seed=0))
    rewrite(own_file, None)
    with pytest.raises(CheckpointError, match="it holds no model with a manifest"):
        load_trained(NAME)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"settings": {"code_size": 4, "hidden_size": 8}}, "does not fit it"),
        ({"settings": {"n": 1}}, "does not fit it"),
        ({"name": "other"}, "does not fit it"),
        ({"fingerprint": {"encode": [1, 2, 3, 4]}}, "the encode of the course's differs"),
        ({"fingerprint": {"draw": [1, 2, 3, 4]}}, "the draw of the course's differs"),
    ],
)
def test_a_manifest_of_another_model_is_refused(own_file, change, reason):
    manifest = json.loads(json.dumps(vars(write(model_of(seed=0)))))
    rewrite(own_file, {"manifest": json.dumps(manifest | change)})
    with pytest.raises(CheckpointError, match=reason):
        load_trained(NAME)


def test_a_model_of_another_definition_of_its_class_is_not_loaded(monkeypatch):
    write(model_of(seed=0))
    other = type(changed(NAME, {"decode": lambda self, z: self.decoder(z).square()}))
    monkeypatch.setattr(models, "MLPAutoencoder", other)
    with pytest.raises(
        CheckpointError, match=r"another class: the decode of the course's differs\): delete this"
    ):
        load_trained(NAME)


def test_the_rounding_of_another_processor_is_no_difference():
    torch.manual_seed(0)
    model = MLPAutoencoder(**SIZES).eval()
    before = checkpoints._fingerprint(model, NAME, SIZES)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1 + 1e-5 * torch.randn_like(parameter))
    assert checkpoints._difference(checkpoints._fingerprint(model, NAME, SIZES), before) is None
    with torch.no_grad():
        model.encoder[1].weight.mul_(1.05)
    assert checkpoints._difference(checkpoints._fingerprint(model, NAME, SIZES), before) == "encode"
