"""Trained models as files: safetensors with a manifest beside each, verified when loaded, never a pickle.

What a notebook trained on this machine lies in data/trained/own/ and is preferred. Small models for `strokes`
ship in data/trained/shipped/, so that every notebook can start at once.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import nn

from course_utils import models
from course_utils.data import CLASSES, PROJECT, ImageData, load_images
from course_utils.files import write_whole
from course_utils.settings import dataset_name

SHIPPED = PROJECT / "data" / "trained" / "shipped"
OWN = PROJECT / "data" / "trained" / "own"


@dataclass(frozen=True)
class Origin:
    """Which class a saved model is of, and which notebook makes it (None: course_utils.judges.load_judge does)."""

    model_class: type[nn.Module]
    notebook: str | None


ORIGINS = {
    "mlp_autoencoder": Origin(models.MLPAutoencoder, "03_autoencoder_mlp"),
    "conv_autoencoder": Origin(models.ConvAutoencoder, "05_autoencoder_conv"),
    "vae": Origin(models.VAE, "08_vae"),
    "vae_2_latents": Origin(models.VAE, "08_vae"),
    **{f"vae_beta_{beta}": Origin(models.VAE, "08_vae") for beta in ("0.1", "0.3", "1", "3", "10")},
    "vae_mnist_1_minute": Origin(models.VAE, "08_vae"),
    "vae_mnist_5_minutes": Origin(models.VAE, "08_vae"),
    "conditional_vae": Origin(models.ConditionalVAE, "09_conditional_vae"),
    "conditional_prior": Origin(models.ConditionalPrior, "09_conditional_vae"),
    "plain_gan": Origin(models.Generator, "10_gan"),
    "plain_gan_discriminator": Origin(models.Discriminator, "10_gan"),
    "gan": Origin(models.ClusteredGenerator, "10_gan"),
    "gan_discriminator": Origin(models.ClusteredDiscriminator, "10_gan"),
    "conditional_gan": Origin(models.ConditionalGenerator, "11_conditional_gan"),
    "conditional_gan_discriminator": Origin(models.ConditionalDiscriminator, "11_conditional_gan"),
    "classifier": Origin(models.DigitClassifier, None),
}


class CheckpointError(RuntimeError):
    """A trained model cannot be had or kept; the message says why, and what to do."""


@dataclass(frozen=True)
class Manifest:
    """How a model came about: enough to build it again, and to check what it reached.

    `settings` are the arguments of its class, `metrics` what was measured on held-out images (the name says what,
    per image), `seconds` the wall-clock time of the training, `sha256` the checksum of the weights file.
    """

    name: str
    dataset: str
    settings: dict[str, int]
    seed: int
    steps: int
    seconds: float
    metrics: dict[str, float]
    sha256: str


def save_trained(
    name: str,
    model: nn.Module,
    *,
    dataset: str,
    settings: dict[str, int],
    seed: int,
    steps: int,
    seconds: float,
    metrics: dict[str, float],
    folder: Path | None = None,
) -> Manifest:
    """Keep a trained model in `folder` (default: OWN, what this machine trained), both files or neither.

    The weights are stored in the precision that they have, so that `model.half()` takes half the space; loading
    gives float32 again. Raises ValueError for an unknown name or data set, a model of another class, or settings
    that do not build it again; CheckpointError if the folder cannot be written. The model itself is not changed.
    """
    origin = _origin(name)
    _check_dataset(dataset)
    # By name, because a notebook defines its own class of the same source (a test compares the two).
    if type(model).__name__ != origin.model_class.__name__:
        raise ValueError(
            f"model must be of class {origin.model_class.__name__} for the name {name!r}; got {type(model).__name__}"
        )
    weights = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    try:
        _build(name, settings, weights)
    except (TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"settings must build the {name} again; got {settings} ({reason})") from None
    content = save(weights)
    digest = hashlib.sha256(content).hexdigest()
    manifest = Manifest(name, dataset, settings, seed, steps, seconds, metrics, digest)
    weights_file, manifest_file = _files(OWN if folder is None else folder, name, dataset)
    try:
        weights_file.parent.mkdir(parents=True, exist_ok=True)
        record = (json.dumps(asdict(manifest), indent=2) + "\n").encode()
        write_whole({weights_file: content, manifest_file: record})
    except OSError as error:
        raise CheckpointError(
            f"{name} could not be kept in {weights_file.parent} ({error.strerror}): the model is still in memory; make "
            "the folder writable if later notebooks shall use it"
        ) from None
    return manifest


def load_trained(name: str, dataset: str | None = None) -> nn.Module:
    """A trained model, float32, in eval mode on the CPU: this machine's own if there is one, else the shipped one.

    `dataset` defaults to COURSE_DATASET, else `strokes`. Raises ValueError for an unknown name or data set,
    CheckpointError if there is no such model, or a file of it is damaged.
    """
    return load_with_manifest(name, dataset)[0]


def load_with_manifest(name: str, dataset: str | None = None) -> tuple[nn.Module, Manifest]:
    """`load_trained`, and the manifest of the model that was found."""
    origin = _origin(name)
    dataset = dataset or os.environ.get("COURSE_DATASET") or "strokes"
    _check_dataset(dataset)
    for weights_file, manifest_file in _places(name, dataset):
        if weights_file.is_file() and manifest_file.is_file():
            return read(weights_file, manifest_file)
    if origin.notebook is None:
        raise CheckpointError(f"{dataset} has no trained {name}: load_judge({dataset!r}) makes it")
    raise CheckpointError(
        f"{dataset} has no trained {name}: run {origin.notebook} with {dataset} first, which makes it"
    )


def is_trained(name: str, dataset: str) -> bool:
    """Whether `load_trained` would find a model of that name, own or shipped."""
    _origin(name)
    _check_dataset(dataset)
    return any(file.is_file() and record.is_file() for file, record in _places(name, dataset))


def load_images_with_models(*names: str, dataset: str | None = None) -> ImageData:
    """`load_images` of a data set for which all models of these names are trained, else of `strokes`.

    All models ship for `strokes`, so that a notebook that trains none of them runs in any case; a line says so if
    it goes on with `strokes`. Raises ValueError for an unknown name or data set, DataError as `load_images` does.
    """
    wanted = dataset_name(dataset)
    missing = [name for name in names if not is_trained(name, wanted)]
    if missing and wanted != "strokes":
        notebooks = sorted({_origin(name).notebook for name in missing})
        print(
            f"{wanted} has no trained {', '.join(missing)}: this notebook goes on with strokes "
            f"(run {', '.join(notebooks)} with {wanted} first)."
        )
        return load_images("strokes")
    return load_images(wanted)


def read(weights_file: Path, manifest_file: Path) -> tuple[nn.Module, Manifest]:
    """The model in two files, as `load_trained` gives it, and its manifest.

    Raises CheckpointError if one of the files is damaged, or of another version of the course.
    """
    content = weights_file.read_bytes()
    try:
        manifest = Manifest(**json.loads(manifest_file.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        raise CheckpointError(_damaged(manifest_file, "it is not a manifest")) from None
    if hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise CheckpointError(_damaged(weights_file, "its checksum is not the one in its manifest"))
    try:
        return _build(manifest.name, manifest.settings, load(content)), manifest
    except (KeyError, TypeError, RuntimeError):
        raise CheckpointError(
            _damaged(manifest_file, f"the course's {manifest.name} does not fit it")
        ) from None


def _damaged(path: Path, reason: str) -> str:
    if OWN in path.parents:
        remedy = f"delete the folder {path.parent}, and run the notebooks that filled it again"
    else:
        remedy = "get it back with `git checkout -- data`"
    return f"{path} cannot be used ({reason}): {remedy}"


def _build(name: str, settings: dict[str, int], weights: dict[str, torch.Tensor]) -> nn.Module:
    # Building draws initial weights, which must not change the random numbers that the notebook draws afterwards.
    with torch.random.fork_rng(devices=[]):
        model = ORIGINS[name].model_class(**settings)
    model.load_state_dict(weights)
    return model.eval()


def _origin(name: str) -> Origin:
    if name not in ORIGINS:
        raise ValueError(f"name must be one of {', '.join(ORIGINS)}; got {name!r}")
    return ORIGINS[name]


def _check_dataset(dataset: str) -> None:
    if dataset not in CLASSES:
        raise ValueError(f"dataset must be one of {', '.join(CLASSES)}; got {dataset!r}")


def _files(folder: Path, name: str, dataset: str) -> tuple[Path, Path]:
    return folder / dataset / f"{name}.safetensors", folder / dataset / f"{name}.json"


def _places(name: str, dataset: str) -> list[tuple[Path, Path]]:
    """Where a model may lie, the preferred place first."""
    return [_files(folder, name, dataset) for folder in (OWN, SHIPPED)]
