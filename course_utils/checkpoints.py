"""Trained models as files: safetensors, each with its manifest inside, verified when loaded, never a pickle.

What a notebook trained lies in `settings.own_folder()`, by default data/trained/own, and is preferred. Small models
for `strokes` ship in data/trained/shipped, so that every notebook can start at once.
"""

import copy
import hashlib
import inspect
import json
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from course_utils import classifier, models
from course_utils.catalogue import row_of
from course_utils.data import ImageData, load_images
from course_utils.environment import forked_random_numbers
from course_utils.files import write_whole
from course_utils.settings import SHIPPED, dataset_name, file_name_of, own_folder

# What is run on fixed inputs to tell whether two classes compute the same, as far as a class has them.
METHODS = ("encode", "decode", "log_prob", "forward")
# Relative: other processors round differently, by about 1e-6; another activation function changes more than 1e-2.
TOLERANCE = 1e-3


class CheckpointError(RuntimeError):
    """A trained model cannot be had or kept; the message says why, and what to do."""


@dataclass(frozen=True)
class Manifest:
    """How a model came about: enough to build it again, and to check what it reached.

    `settings` are the arguments of its class, `metrics` what was measured on held-out images (the name says what,
    per image), `seconds` the wall-clock time of the training, `fingerprint` what its methods make of fixed inputs
    (method -> four numbers), `sha256` the checksum of the weights.
    """

    name: str
    dataset: str
    settings: dict[str, int]
    seed: int
    steps: int
    seconds: float
    metrics: dict[str, float]
    fingerprint: dict[str, list[float]]
    sha256: str


class Training(Protocol):
    """What is asked of a training before its model is kept: a course_utils.training.TrainingRun has it."""

    step: int
    total: int
    seconds: float


# --- saving ---


def save_trained(
    name: str,
    model: nn.Module,
    *,
    run: Training,
    dataset: str,
    settings: Mapping[str, int],
    seed: int,
    metrics: Mapping[str, float],
    also: Sequence[Training] = (),
) -> Manifest | None:
    """Keep what a notebook trained, for later notebooks on this machine, and print that it was kept, or why not.

    `run` is the model's training, `also` are others without which it is of no use: unless all ran to their end, the
    model is not kept. Nor is it where `write_trained` raises CheckpointError; the result then is None, and the
    notebook goes on. Raises ValueError for an unknown name or data set.
    """
    try:
        for training in (run, *also):
            if training.step < training.total:
                raise CheckpointError(
                    f"its training was stopped after step {training.step} of {training.total}; train to the end, and "
                    "run this cell again, if later notebooks shall use the model"
                )
        manifest = write_trained(
            name, model, dataset=dataset, settings=settings, seed=seed, steps=run.step, seconds=run.seconds,
            metrics=metrics,
        )  # fmt: skip
    except CheckpointError as error:
        print(f"not saved: {name} for {dataset}, because {error}")
        return None
    print(f"saved: {name} for {dataset} after {manifest.steps} steps")
    return manifest


def write_trained(
    name: str,
    model: nn.Module,
    *,
    dataset: str,
    settings: Mapping[str, int],
    seed: int,
    steps: int,
    seconds: float,
    metrics: Mapping[str, float],
    folder: Path | None = None,
) -> Manifest:
    """Write a trained model into `folder` (default: that of this machine's own models), whole or not at all.

    The weights are stored in the precision that they have, so that `model.half()` takes half the space; loading
    gives float32 again. The model itself is not changed; one that torch.compile or DataParallel wraps is unwrapped.
    Raises ValueError for an unknown name or data set; CheckpointError if settings, seed, steps, seconds, metrics or
    weights are not finite numbers, the course's class with these settings is not the model's or computes something
    else, or the folder cannot be written.
    """
    sizes, measured = _whole_numbers(settings), _finite_numbers(metrics)
    original = _unwrapped(model, row_of(name).class_name)
    weights = _finite_weights(original)
    fingerprint = _checked_fingerprint(name, original, sizes, weights)
    whole = _whole_numbers({"seed": seed, "steps": steps})
    manifest = Manifest(
        name, dataset_name(dataset), sizes, **whole, seconds=_finite_numbers({"seconds": seconds})["seconds"],
        metrics=measured, fingerprint=fingerprint, sha256=_digest(weights),
    )  # fmt: skip
    path = _file(folder or own_folder(), name, manifest.dataset)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole({path: save(weights, {"manifest": json.dumps(asdict(manifest))})})
    except OSError as error:
        in_its_place = isinstance(error, FileExistsError | NotADirectoryError)
        reason = "a file stands in its place" if in_its_place else error.strerror or error
        raise CheckpointError(
            f"the folder {path.parent} cannot be written ({reason}); the model is still in memory: mend that, and "
            "save it again"
        ) from None
    return manifest


def _whole_numbers(settings: Mapping[str, int]) -> dict[str, int]:
    try:
        return {name: operator.index(value) for name, value in settings.items()}
    except TypeError:
        raise CheckpointError(
            f"settings, seed and steps must be whole numbers; got {dict(settings)}"
        ) from None


def _finite_numbers(metrics: Mapping[str, float]) -> dict[str, float]:
    numbers = {}
    for name, value in metrics.items():
        try:
            numbers[name] = float(value.detach() if isinstance(value, torch.Tensor) else value)
        except (TypeError, ValueError, RuntimeError):
            raise CheckpointError(f"its {name} must be one number; got {value!r}") from None
        if not math.isfinite(numbers[name]):
            raise CheckpointError(f"its {name} is {numbers[name]}: train it again, with smaller steps")
    return numbers


def _unwrapped(model: nn.Module, class_name: str) -> nn.Module:
    """The model of that class, out of what torch.compile, DataParallel and the like put around it."""
    inner = model
    # By name, because a notebook defines its own class of the same source.
    while type(inner).__name__ != class_name:
        inner = getattr(inner, "_orig_mod", None) or getattr(inner, "module", None)
        if inner is None:
            raise CheckpointError(f"it must be of class {class_name}; got {type(model).__name__}")
    return inner


def _finite_weights(model: nn.Module) -> dict[str, torch.Tensor]:
    weights = {}
    for key, value in model.state_dict().items():
        if not value.isfinite().all():
            raise CheckpointError(f"its weights {key} are not all finite: train it again, with smaller steps")
        weights[key] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
    return weights


def _checked_fingerprint(
    name: str, original: nn.Module, sizes: dict, weights: dict
) -> dict[str, list[float]]:
    """The fingerprint of the course's class with these weights, once the notebook's class has the same."""
    course = row_of(name).class_name
    try:
        rebuilt = _build(name, sizes, weights)
    except (TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[-1].strip()
        raise CheckpointError(
            f"the course's {course} with the settings {sizes} is not this model ({reason}): later notebooks could not "
            "load it"
        ) from None
    expected = _fingerprint(rebuilt, name, sizes)
    try:
        found = _fingerprint(copy.deepcopy(original).cpu().float().eval(), name, sizes)
    except Exception as error:  # whatever a changed class may raise
        raise CheckpointError(
            f"it cannot be run as the course's {course} can ({type(error).__name__}: {error}): it serves in this "
            "notebook, and later ones could not load it"
        ) from None
    differing = _difference(found, expected)
    if differing:
        raise CheckpointError(
            f"its {differing} computes something else than that of the course's {course}, into which later notebooks "
            "would load the weights: it serves in this notebook only; take the change of the class back and train "
            "again, if later notebooks shall use it"
        )
    return expected


# --- loading ---


def load_trained(name: str, dataset: str | None = None) -> nn.Module:
    """A trained model, float32, in eval mode on the CPU: this machine's own if there is one, else the shipped one.

    `dataset` defaults to COURSE_DATASET, else `strokes`. Raises ValueError for an unknown name or data set,
    CheckpointError if there is no such model, or its file is damaged. No random numbers are drawn.
    """
    return load_with_manifest(name, dataset)[0]


def load_with_manifest(name: str, dataset: str | None = None) -> tuple[nn.Module, Manifest]:
    """`load_trained`, and the manifest of the model that was found."""
    row = row_of(name)
    dataset = dataset_name(dataset)
    for path in _places(name, dataset):
        if path.is_file():
            return read(path)
    if not SHIPPED.is_dir():
        remedy = f"{SHIPPED} is missing: install from the course's folder with `pip install --editable .`"
    else:
        remedy = row.how_to_make(dataset)
    raise CheckpointError(f"{dataset} has no trained {name}: {remedy}")


def is_trained(name: str, dataset: str | None = None) -> bool:
    """Whether `load_trained` would find a model of that name, own or shipped."""
    row_of(name)
    return any(path.is_file() for path in _places(name, dataset_name(dataset)))


def load_images_with_models(*names: str, dataset: str | None = None) -> ImageData:
    """`load_images` of a data set for which all models of these names are trained, else of `strokes`.

    All models ship for `strokes`, so that a notebook that trains none of them runs in any case; a line says so if
    it goes on with `strokes`. Raises ValueError for an unknown name or data set, DataError as `load_images` does.
    """
    wanted = dataset_name(dataset)
    missing = [name for name in names if not is_trained(name, wanted)]
    if missing and wanted != "strokes":
        notebooks = sorted({row_of(name).notebook or "" for name in missing})
        print(
            f"{wanted} has no trained {', '.join(missing)}: this notebook goes on with strokes "
            f"(run {', '.join(notebooks)} with {wanted} first)."
        )
        return load_images("strokes")
    return load_images(wanted)


def read(path: Path) -> tuple[nn.Module, Manifest]:
    """The model in a file, as `load_trained` gives it, and its manifest.

    Raises CheckpointError if the file is damaged, or belongs to another definition of the class.
    """
    try:
        with safe_open(path, framework="pt") as file:
            manifest = Manifest(**json.loads(file.metadata()["manifest"]))
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, KeyError, TypeError, ValueError):
        raise _unusable(path, "it holds no model with a manifest") from None
    if _digest(weights) != manifest.sha256:
        raise _unusable(path, "its checksum is not the one in its manifest")
    try:
        model = _build(manifest.name, manifest.settings, weights)
    except (ValueError, TypeError, RuntimeError):
        raise _unusable(path, f"the course's {manifest.name} does not fit it") from None
    differing = _difference(_fingerprint(model, manifest.name, manifest.settings), manifest.fingerprint)
    if differing:
        raise _unusable(path, f"it was trained with another class: the {differing} of the course's differs")
    return model, manifest


def _unusable(path: Path, reason: str) -> CheckpointError:
    if SHIPPED in path.parents:
        remedy = "get it back with `git checkout -- data`, or download the course again"
    else:
        remedy = "delete this file, and run the notebook that made it again"
    return CheckpointError(f"{path} cannot be used ({reason}): {remedy}")


def _file(folder: Path, name: str, dataset: str) -> Path:
    return folder / file_name_of(dataset) / f"{name}.safetensors"


def _places(name: str, dataset: str) -> list[Path]:
    """Where a model may lie, the preferred place first."""
    return [_file(folder, name, dataset) for folder in (own_folder(), SHIPPED)]


# --- the course's classes, and what they compute ---


def _class_of(name: str) -> type[nn.Module]:
    row = row_of(name)
    return getattr(models if row.notebook else classifier, row.class_name)


def _build(name: str, settings: Mapping[str, int], weights: Mapping[str, torch.Tensor]) -> nn.Module:
    with forked_random_numbers():
        model = _class_of(name)(**settings)
    model.load_state_dict(weights)
    return model.eval()


def _digest(weights: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of the bytes of all weights, in the order of their names."""
    digest = hashlib.sha256()
    for key in sorted(weights):
        digest.update(weights[key].flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def _fingerprint(model: nn.Module, name: str, settings: Mapping[str, int]) -> dict[str, list[float]]:
    """What a model in eval mode makes of four fixed inputs: for each method, one weighted sum of outputs per input.

    Classes that compute the same with the same weights have the same numbers, but for rounding.
    """
    size = max(settings.get(key, 1) for key in ("code_size", "latent_size", "noise_size"))
    labels = torch.arange(4) % settings.get("num_classes", 1)
    x = (1 + torch.arange(4 * 784).sin().view(4, 1, 28, 28)) / 2
    inputs = {"x": x, "z": 2 * torch.arange(4 * size).cos().view(4, size), "y": labels}
    numbers = {}
    with torch.no_grad(), forked_random_numbers():
        for method in METHODS:
            function = getattr(_class_of(name), method, nn.Module.forward)
            if function is not nn.Module.forward:  # which stands for "not there"
                arguments = [
                    inputs[argument] for argument in list(inspect.signature(function).parameters)[1:]
                ]
                outputs = getattr(model, method)(*arguments)
                parts = outputs if isinstance(outputs, tuple) else (outputs,)
                values = torch.cat([part.reshape(4, -1) for part in parts], dim=1).double()
                sums = values @ torch.arange(values.shape[1]).double().cos()
                numbers[method] = [float(f"{number:.6g}") for number in sums.tolist()]
    return numbers


def _difference(found: dict[str, list[float]], expected: dict[str, list[float]]) -> str | None:
    """The first method whose numbers are not the expected ones, or None."""
    for method, numbers in expected.items():
        others = found.get(method, [])
        rounding = TOLERANCE * max(abs(number) for number in numbers)
        if len(others) != len(numbers) or not all(abs(a - b) <= rounding for a, b in zip(others, numbers)):
            return method
    return None
