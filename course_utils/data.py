"""The data sets: verified on every load, resident in memory as one tensor each."""

import gzip
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

PROJECT = Path(__file__).resolve().parents[1]
STROKES_FILE = PROJECT / "data" / "strokes.npz"
DOWNLOADS = PROJECT / "data" / "downloads"
FACTORS = ("slant", "rotation", "stretch", "pen_width", "variant")

DIGITS = tuple("0123456789")
CLASSES = {
    "strokes": DIGITS,
    "mnist": DIGITS,
    "fashion_mnist": (
        "T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ),
    "kmnist": ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
}  # fmt: skip
# The names of torchvision's classes, which are also the names of the folders that it makes.
TORCHVISION_CLASSES = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "kmnist": "KMNIST"}
RAW_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
# SHA-256 of MNIST's unpacked files. The files of the other two are compared with their archives, whose
# checksums torchvision knows.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


class DataError(RuntimeError):
    """A data set cannot be had; the message says why, and what to do."""


@dataclass(frozen=True)
class ImageData:
    """A data set of grey images.

    `train_images`, `test_images`: uint8 (N, 28, 28), 0 is background and 255 is ink. `train_labels`,
    `test_labels`: int64 (N,). `classes`: the ten class names. `train_factors`, `test_factors`: for `strokes`
    the true generative factors, name -> float32 (N,); empty for the other data sets.
    """

    name: str
    classes: tuple[str, ...]
    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor
    train_factors: dict[str, torch.Tensor] = field(default_factory=dict)
    test_factors: dict[str, torch.Tensor] = field(default_factory=dict)

    def lacks(self, what: str) -> str:
        """The line that a notebook prints in place of a part that needs what only `strokes` has."""
        return f"{self.name} has no {what}: this part is skipped; with strokes it runs."


def load_images(name: str | None = None, root: str | Path | None = None) -> ImageData:
    """Load and verify a data set: `strokes` (ships with the course), `mnist`, `fashion_mnist` or `kmnist`.

    `name` defaults to the environment variable COURSE_DATASET, else `strokes`. `root` is the folder of the
    data sets that are downloaded; it defaults to COURSE_DATA_DIR, else data/downloads in the project. It may
    be read-only once it holds the files. Raises ValueError for an unknown name, DataError if the files are
    damaged, missing without a network, or cannot be written.
    """
    name = name or os.environ.get("COURSE_DATASET") or "strokes"
    if name not in CLASSES:
        raise ValueError(
            f"name must be one of {', '.join(CLASSES)}; got {name!r} (argument or COURSE_DATASET)"
        )
    if name == "strokes":
        return _load_strokes()
    return _load_torchvision(name, Path(root or os.environ.get("COURSE_DATA_DIR") or DOWNLOADS))


def to_pixels(images: torch.Tensor) -> torch.Tensor:
    """uint8 images (N, 28, 28) as float32 pixels (N, 1, 28, 28) in [0, 1]: what a network takes."""
    if images.dtype != torch.uint8 or images.ndim != 3:
        raise ValueError(
            f"images must be uint8 of shape (N, H, W); got {str(images.dtype).removeprefix('torch.')} of shape "
            f"{tuple(images.shape)}"
        )
    return images.unsqueeze(1).float() / 255


def check_labels(labels: torch.Tensor, count: int, classes: int, name: str = "labels") -> None:
    """Raise ValueError unless `labels` (count,) are whole numbers from 0 to classes - 1, one for each image."""
    if not isinstance(labels, torch.Tensor):
        got = type(labels).__name__
    elif labels.shape != (count,) or labels.is_floating_point() or labels.dtype == torch.bool:
        got = f"{str(labels.dtype).removeprefix('torch.')} of shape {tuple(labels.shape)}"
    elif count and not 0 <= labels.min() <= labels.max() < classes:
        got = f"labels from {labels.min()} to {labels.max()}"
    else:
        return
    raise ValueError(
        f"{name} must be whole numbers from 0 to {classes - 1}, one for each image, ({count},); got {got}"
    )


class Minibatches:
    """See `minibatches`."""

    def __init__(self, tensors: tuple[torch.Tensor, ...], batch_size: int, epochs: int, seed: int):
        self.tensors = tensors
        self.batch_size = batch_size
        self.epochs = epochs
        self.seed = seed
        self.steps_per_epoch = -(-len(tensors[0]) // batch_size)

    def __len__(self) -> int:
        return self.epochs * self.steps_per_epoch

    def __iter__(self) -> Iterator:
        generator = torch.Generator().manual_seed(self.seed)
        for _ in range(self.epochs):
            order = torch.randperm(len(self.tensors[0]), generator=generator).to(self.tensors[0].device)
            # One shuffled copy per epoch: slicing it is faster than gathering every minibatch.
            shuffled = [tensor[order] for tensor in self.tensors]
            for start in range(0, len(order), self.batch_size):
                batch = [_for_network(tensor[start : start + self.batch_size]) for tensor in shuffled]
                yield batch[0] if len(batch) == 1 else tuple(batch)


def minibatches(*tensors: torch.Tensor, batch_size: int, epochs: int, seed: int = 0) -> Minibatches:
    """Shuffled minibatches of tensors that lie in memory; `len` of the result is the number of steps.

    Each tensor has shape (N, ...); one tensor gives minibatches `x`, several give tuples `(x, y)`. uint8 images
    (N, 28, 28) come out as float32 pixels (B, 1, 28, 28) in [0, 1], everything else unchanged. Each epoch
    visits every example once, in a new order; its last minibatch may be smaller.
    """
    if not tensors or any(len(tensor) != len(tensors[0]) for tensor in tensors):
        raise ValueError(
            f"tensors must be at least one, all of the same length; got lengths {[len(t) for t in tensors]}"
        )
    if len(tensors[0]) == 0:
        raise ValueError("tensors must hold at least one example; got length 0")
    if batch_size < 1 or epochs < 1:
        raise ValueError(f"batch_size and epochs must be at least 1; got {batch_size} and {epochs}")
    return Minibatches(tensors, batch_size, epochs, seed)


def _for_network(tensor: torch.Tensor) -> torch.Tensor:
    return to_pixels(tensor) if tensor.dtype == torch.uint8 and tensor.ndim == 3 else tensor


def sha256_of(path: Path) -> str:
    """The SHA-256 checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _load_strokes() -> ImageData:
    checksum_file = STROKES_FILE.with_name(STROKES_FILE.name + ".sha256")
    for path in (STROKES_FILE, checksum_file):
        if not path.is_file():
            raise DataError(
                f"{path} is missing: get it back with `git checkout -- data` or clone the course again"
            )
    if sha256_of(STROKES_FILE) != checksum_file.read_text().split()[0]:
        raise DataError(
            f"{STROKES_FILE} is damaged (its checksum is wrong): get it back with `git checkout -- data` or clone "
            "the course again"
        )
    with np.load(STROKES_FILE, allow_pickle=False) as file:
        arrays = {key: torch.from_numpy(file[key]) for key in file.files}
    return ImageData(
        name="strokes",
        classes=CLASSES["strokes"],
        train_images=arrays["train_images"],
        train_labels=arrays["train_labels"].long(),
        test_images=arrays["test_images"],
        test_labels=arrays["test_labels"].long(),
        train_factors={factor: arrays[f"train_{factor}"].float() for factor in FACTORS},
        test_factors={factor: arrays[f"test_{factor}"].float() for factor in FACTORS},
    )


def _load_torchvision(name: str, root: Path) -> ImageData:
    # Imported here, because `strokes` shall load fast and even beside a torchvision that does not fit torch.
    from torchvision import datasets

    dataset_class = getattr(datasets, TORCHVISION_CLASSES[name])
    folder = root / TORCHVISION_CLASSES[name] / "raw"
    if not all((folder / file).is_file() for file in RAW_FILES):
        _download(name, dataset_class, root)
    _verify(name, dataset_class, folder)
    train = dataset_class(root, train=True)
    test = dataset_class(root, train=False)
    return ImageData(name, CLASSES[name], train.data, train.targets.long(), test.data, test.targets.long())


def _download(name: str, dataset_class: type, root: Path) -> None:
    """Download into a folder beside the final one, and rename it when whole: no reader ever sees half of it."""
    target = root / dataset_class.__name__
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".downloading-") as temporary:
            dataset_class(temporary, train=True, download=True)
            arrived = Path(temporary) / target.name
            _verify(name, dataset_class, arrived / "raw")
            _move_into_place(arrived, target)
    except PermissionError:
        raise DataError(
            f"{name} is not in {root}, and that folder cannot be written: set COURSE_DATA_DIR to a folder that can, "
            "or ask who keeps the folder to load the data there once"
        ) from None
    except (RuntimeError, OSError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{name} could not be downloaded into {root}: check the network, or copy the folder {target.name} "
            "there from a machine that has it, or work with COURSE_DATASET=strokes, which needs no network "
            f"({str(error).splitlines()[0]})"
        ) from None


def _move_into_place(arrived: Path, target: Path) -> None:
    try:
        arrived.rename(target)
    except OSError:
        # The folder is there already: another notebook was faster, or an earlier attempt left a part. Each
        # file moves in one step, and both versions of it are the same verified bytes.
        for source in sorted(arrived.rglob("*")):
            if source.is_file():
                destination = target / source.relative_to(arrived)
                destination.parent.mkdir(parents=True, exist_ok=True)
                os.replace(source, destination)


def _verify(name: str, dataset_class: type, folder: Path) -> None:
    """Raise DataError unless all four unpacked files in `folder` are what their publisher gave out."""
    archives = dict(dataset_class.resources)
    for file in RAW_FILES:
        path = folder / file
        expected = MNIST_SHA256[file] if name == "mnist" else _sha256_in_archive(path, archives[f"{file}.gz"])
        if sha256_of(path) != expected:
            raise DataError(
                f"{path} is damaged (its checksum is wrong): delete it and load {name} again, with a network"
            )


def _sha256_in_archive(path: Path, md5: str) -> str:
    """The checksum that an unpacked file must have, from the archive beside it, itself checked by its MD5."""
    archive = path.with_name(path.name + ".gz")
    if not archive.is_file():
        raise DataError(
            f"{archive} is missing, and {path.name} cannot be verified without it: put it there, or delete "
            f"{path.name} and load the data again, with a network"
        )
    content = archive.read_bytes()
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise DataError(
            f"{archive} is damaged (its checksum is wrong): delete it and {path.name}, and load again"
        )
    return hashlib.sha256(gzip.decompress(content)).hexdigest()
