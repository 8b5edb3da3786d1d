"""The data sets: verified on every load, resident in memory as one tensor each."""

import errno
import gzip
import hashlib
import http.client
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from course_utils.drawings import prepare_drawing
from course_utils.settings import (
    DATASETS,
    DEFAULT_DATASET,
    STROKES_FILE,
    data_folder,
    dataset_name,
    is_checkout,
)

FACTORS = ("slant", "rotation", "stretch", "pen_width", "variant")

CLASSES = {name: dataset.classes for name, dataset in DATASETS.items()}
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


# Of own pictures: the classes of the course's classifiers; one picture in so many is a test image; notebooks measure on
# up to 3,000 test images.
MOST_CLASSES, HELD_OUT_EVERY, ENOUGH_PICTURES = 10, 5, 15_000


class DataError(RuntimeError):
    """A data set cannot be had; the message says why, and what to do."""


@dataclass(frozen=True)
class ImageData:
    """A data set of grey images.

    `train_images`, `test_images`: uint8 (N, 28, 28), 0 is background and 255 is ink. `train_labels`,
    `test_labels`: int64 (N,). `classes`: the names of the classes, ten of them but for own pictures.
    `train_factors`, `test_factors`: for `strokes` the true generative factors, name -> float32 (N,); empty for the
    other data sets.
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


def load_images(name: str | Path | None = None, root: str | Path | None = None) -> ImageData:
    """Load and verify a data set: `strokes` (ships with the course), `mnist`, `fashion_mnist` or `kmnist`.

    `name` defaults to COURSE_DATASET, else `strokes`; `Fashion-MNIST` is the same as `fashion_mnist`. With a slash in
    it, or as a Path, it names a folder of own pictures: see `load_folder`. `root` is the folder of the data sets that
    are downloaded, and defaults to COURSE_DATA_DIR, else data/downloads (see `course_utils.settings`). It may be
    read-only once it holds the files. Raises ValueError for an unknown name, DataError if the files are damaged,
    missing without a network, or cannot be written.
    """
    name = dataset_name(name)
    if name == "strokes":
        return _load_strokes()
    if name not in DATASETS:
        return load_folder(name)
    return _load_torchvision(name, _above_raw(data_folder(root)))


def load_folder(folder: str | Path) -> ImageData:
    """A folder of own pictures as a data set: each of its subfolders is a class, and holds the pictures of that class.

    Every picture, in any size and format that Pillow reads, becomes a grey image of 28 x 28 pixels by
    `course_utils.drawings.prepare_drawing`: ink is what differs from the background, as in handwriting, signs and
    drawings on plain paper. Every fifth picture of a class, in the order of file names, is held out for testing. The
    images are shuffled, in the same way each time. Names that start with a dot are left out.

    The classes are at most ten, because the course's classifiers have ten outputs. Every notebook runs on ten classes
    and 15,000 pictures; on fewer, notebooks that judge what a model draws go on with `strokes`
    (`strokes_if_few_pictures`), and a line says so. Models that were trained on the folder are kept under its path:
    after its pictures have changed, give it another name.

    Raises DataError for a folder that is not there or has no such subfolders, for a class of fewer than two pictures,
    and for a file that is no picture, or shows no ink.
    """
    root = Path(dataset_name(Path(folder)))
    folders = _class_folders(root)
    train, test = [], []
    for label, of_class in enumerate(folders):
        rows = [(_prepared(file), label) for file in _visible(of_class)]
        if len(rows) < 2:
            raise DataError(
                f"{of_class} must hold at least two pictures, one to train on and one to test; it holds {len(rows)}"
            )
        test += rows[::HELD_OUT_EVERY]
        train += [row for place, row in enumerate(rows) if place % HELD_OUT_EVERY]
    _few_and_told(len(train) + len(test), len(folders))
    classes = tuple(of_class.name for of_class in folders)
    return ImageData(root.as_posix(), classes, *_shuffled(train), *_shuffled(test))


def with_ten_classes(data: ImageData) -> ImageData:
    """The data set, or `strokes` in its place if it has fewer than ten classes, and a line that says so."""
    if len(data.classes) == MOST_CLASSES:
        return data
    print(f"{data.name} has {len(data.classes)} classes: this part needs ten, and goes on with strokes.")
    return load_images("strokes")


def strokes_if_few_pictures() -> None:
    """Make `strokes` the data set of this notebook if COURSE_DATASET is a folder of few own pictures, and say so.

    Notebooks call it that measure what a model draws: the Frechet distance needs many pictures, and the judge and the
    conditional models ten classes. Raises DataError for a folder as `load_folder` does.
    """
    name = dataset_name()
    if name in DATASETS:
        return
    folders = _class_folders(Path(name))
    if _few_and_told(sum(len(_visible(folder)) for folder in folders), len(folders)):
        os.environ["COURSE_DATASET"] = DEFAULT_DATASET


def _few_and_told(pictures: int, classes: int) -> bool:
    """Whether own pictures are too few for some notebooks, which a line then tells."""
    are_few = classes < MOST_CLASSES or pictures < ENOUGH_PICTURES
    if are_few:
        print(
            f"own pictures: {pictures:,} in {classes} classes. Notebooks that judge what a model draws need "
            f"{MOST_CLASSES} classes and {ENOUGH_PICTURES:,} pictures, and go on with strokes."
        )
    return are_few


def _class_folders(root: Path) -> list[Path]:
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: name one that holds a folder of pictures for each class")
    folders = [entry for entry in _visible(root) if entry.is_dir()]
    if not 2 <= len(folders) <= MOST_CLASSES:
        raise DataError(
            f"{root} must hold 2 to {MOST_CLASSES} folders of pictures, one for each class; it holds {len(folders)}"
        )
    return folders


def _visible(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _prepared(file: Path) -> np.ndarray:
    try:
        with Image.open(file) as picture:
            image = prepare_drawing(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):  # Pillow raises each of them
        raise DataError(
            f"{file} cannot be read as a picture: take it out of its folder, or save it again as PNG or JPEG"
        ) from None
    if not image.any():
        raise DataError(f"{file} shows nothing but background: take it out of its folder")
    return image


def _shuffled(rows: list[tuple[np.ndarray, int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (N, 28, 28) and labels (N,), no longer class by class."""
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
    images = torch.from_numpy(np.stack([image for image, _ in rows]))
    return images[order], torch.tensor([label for _, label in rows])[order]


def to_pixels(images: torch.Tensor) -> torch.Tensor:
    """uint8 images (N, H, W), grey, or (N, 1 or 3, H, W) as float32 pixels in [0, 1]: what a network takes.

    The result has shape (N, 1, H, W) or (N, 3, H, W). Raises ValueError for another shape or type.
    """
    if not isinstance(images, torch.Tensor):
        raise ValueError(f"images must be a tensor; got {type(images).__name__}")
    is_grey = images.ndim == 3
    if images.dtype != torch.uint8 or not (is_grey or (images.ndim == 4 and images.shape[1] in (1, 3))):
        raise ValueError(
            "images must be uint8 of shape (N, H, W), or (N, C, H, W) with 1 or 3 channels C; got "
            f"{str(images.dtype).removeprefix('torch.')} of shape {tuple(images.shape)}"
        )
    return (images.unsqueeze(1) if is_grey else images).float() / 255


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


def check_whole(name: str, value: int, least: int, most: int | None = None) -> None:
    """Raise ValueError unless `value` is a whole number, at least `least` and at most `most`, if that is given."""
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or value < least or (most is not None and value > most):
        allowed = f", at least {least}" if most is None else f" from {least} to {most}"
        raise ValueError(f"{name} must be a whole number{allowed}; got {value!r}")


class Minibatches:
    """See `minibatches`."""

    def __init__(self, tensors: tuple[torch.Tensor, ...], batch_size: int, epochs: int, seed: int):
        count = len(tensors[0])
        self.tensors = tensors
        self.epochs = epochs
        starts = range(0, count, batch_size)
        one_is_left_over = 1 < batch_size < count and count % batch_size == 1
        self.starts = starts[:-1] if one_is_left_over else starts
        self.steps_per_epoch = len(self.starts)
        # Kept from one loop to the next: each goes on in new orders where the one before it ended.
        self.generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return self.epochs * self.steps_per_epoch

    def __iter__(self) -> Iterator:
        count = len(self.tensors[0])
        for _ in range(self.epochs):
            order = torch.randperm(count, generator=self.generator).to(self.tensors[0].device)
            # One shuffled copy per epoch: slicing it is faster than gathering every minibatch.
            shuffled = [tensor[order] for tensor in self.tensors]
            for start, end in zip(self.starts, [*self.starts[1:], count]):
                batch = [_for_network(tensor[start:end]) for tensor in shuffled]
                yield batch[0] if len(batch) == 1 else tuple(batch)


def minibatches(*tensors: torch.Tensor, batch_size: int, epochs: int, seed: int = 0) -> Minibatches:
    """Shuffled minibatches of tensors that lie in memory; `len` of the result is the number of steps.

    Each tensor has shape (N, ...), all on one device; one tensor gives minibatches `x`, several give tuples `(x, y)`.
    uint8 images, (N, H, W) or (N, C, H, W), come out as float32 pixels in [0, 1] (see `to_pixels`), everything else
    unchanged. Each epoch visits every example once, in a new order, and so does each further loop over the result.
    The last minibatch of an epoch may be smaller; a single example that is left over joins the one before it, because
    batch normalisation has nothing to train on in a minibatch of one.

    Raises ValueError for tensors that are none, empty or of different lengths or devices, and for a batch_size, epochs
    or a seed that is no whole number, at least 1 (the seed: 0).
    """
    for tensor in tensors:
        if not isinstance(tensor, torch.Tensor) or tensor.ndim == 0:
            got = "a single number" if isinstance(tensor, torch.Tensor) else type(tensor).__name__
            raise ValueError(
                f"minibatches takes tensors of shape (N, ...), such as data.train_images; got {got}"
            )
    lengths = [len(tensor) for tensor in tensors]
    if len(set(lengths)) != 1:
        raise ValueError(f"tensors must be at least one, all of the same length; got lengths {lengths}")
    if lengths[0] == 0:
        raise ValueError("tensors must hold at least one example; got length 0")
    devices = sorted({str(tensor.device) for tensor in tensors})
    if len(devices) > 1:
        raise ValueError(f"tensors must lie on one device; got {' and '.join(devices)}")
    for name, number, least in (("batch_size", batch_size, 1), ("epochs", epochs, 1), ("seed", seed, 0)):
        check_whole(name, number, least)
    return Minibatches(tensors, int(batch_size), int(epochs), int(seed))


def _for_network(tensor: torch.Tensor) -> torch.Tensor:
    return to_pixels(tensor) if tensor.dtype == torch.uint8 and tensor.ndim in (3, 4) else tensor


def sha256_of(path: Path) -> str:
    """The SHA-256 checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _load_strokes() -> ImageData:
    if not is_checkout():
        raise DataError(
            f"{STROKES_FILE} is missing, because course_utils was installed without the rest of the course: clone the "
            "course, and install it from its folder with `pip install -e .`"
        )
    remedy = "get it back with `git checkout -- data` or clone the course again"
    checksum_file = STROKES_FILE.with_name(STROKES_FILE.name + ".sha256")
    for path in (STROKES_FILE, checksum_file):
        if not path.is_file():
            raise DataError(f"{path} is missing: {remedy}")
    if [sha256_of(STROKES_FILE)] != checksum_file.read_text().split()[:1]:
        raise DataError(f"{STROKES_FILE} is damaged (its checksum is wrong): {remedy}")
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


def _above_raw(folder: Path) -> Path:
    """The folder that holds `MNIST/raw`, where a reader named this or `MNIST` instead."""
    inside = folder.parent if folder.name == "raw" else folder
    is_inside = (
        inside.name in {known.torchvision for known in DATASETS.values()} and (inside / "raw").is_dir()
    )
    return inside.parent if is_inside else folder


def _load_torchvision(name: str, root: Path) -> ImageData:
    # Imported here, because `strokes` shall load fast and even beside a torchvision that does not fit torch.
    from torchvision import datasets
    from torchvision.datasets.mnist import read_image_file, read_label_file

    dataset_class = getattr(datasets, DATASETS[name].torchvision)
    folder = root / DATASETS[name].torchvision / "raw"
    if not all((folder / file).is_file() for file in RAW_FILES):
        _download(name, dataset_class, root)
    _verify(name, dataset_class, folder)
    # Not by the class itself: it prefers what an old torchvision left in the folder `processed`, which nobody verified.
    train, test = (
        (
            read_image_file(folder / f"{part}-images-idx3-ubyte"),
            read_label_file(folder / f"{part}-labels-idx1-ubyte"),
        )
        for part in ("train", "t10k")
    )
    return ImageData(name, CLASSES[name], *train, *test)


def _download(name: str, dataset_class: Any, root: Path) -> None:
    """Download into a folder beside the final one, and rename it when whole: no reader ever sees half of it."""
    target = root / dataset_class.__name__
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".downloading-") as temporary:
            dataset_class(temporary, train=True, download=True)
            arrived = Path(temporary) / target.name
            _verify(name, dataset_class, arrived / "raw")
            _move_into_place(arrived, target)
    except DataError:
        raise
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        raise DataError(_why_not_there(name, target, error)) from None


def _why_not_there(name: str, target: Path, error: Exception) -> str:
    """Why the folder `target` could not be downloaded, and what to do: the disk's reasons, else the network's."""
    root = target.parent
    # An error need not have a text, and may have several lines.
    said = " ".join(str(error).split()) or type(error).__name__
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"{name} is not in {root}, and that folder cannot be written: set COURSE_DATA_DIR to a folder that can, "
            "or ask who keeps the folder to load the data there once"
        )
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            f"{name} does not fit into {root}: free 100 MB there, or set COURSE_DATA_DIR to a folder on a disk with "
            f"more space ({said})"
        )
    if number in (errno.EEXIST, errno.ENOTDIR):
        return (
            f"{name} cannot be stored in {target}: a file stands where a folder is needed; move it away, or set "
            f"COURSE_DATA_DIR to another folder ({said})"
        )
    return (
        f"{name} could not be downloaded into {root}: check the network, or copy the folder {target.name} there from a "
        f"machine that has it, or work with COURSE_DATASET=strokes, which needs no network ({said})"
    )


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


def _verify(name: str, dataset_class: Any, folder: Path) -> None:
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
