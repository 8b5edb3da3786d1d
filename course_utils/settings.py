"""Where everything lies, and what the environment variables COURSE_* say: defaults, folders, names of data sets.

COURSE_DATASET     the data set of all notebooks (default: strokes); with a slash in it, a folder of own pictures
COURSE_DATA_DIR    the folder of downloaded data sets (default: data/downloads); `~` and `$NAME` are expanded, and a
                   relative path starts from the project's folder
COURSE_OWN_DIR     the folder of what a reader makes: the trained models, and which exercises are solved (default:
                   data/trained/own); where several share one course, each needs a folder; written as COURSE_DATA_DIR
COURSE_KEEP_MODELS 0: what a notebook makes is kept until its kernel ends only, so that no other notebook loads it;
                   tests, `make notebooks` and CI run so (default: 1)
COURSE_STRICT      1: an exercise that is not solved raises an error instead of printing (the tests of solutions)
COURSE_CHROMIUM    the browser of what is drawn, measured or tested in one (default: one that is installed)
"""

import atexit
import difflib
import functools
import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import psutil

PROJECT = Path(__file__).resolve().parents[1]
DATA = PROJECT / "data"
STROKES_FILE = DATA / "strokes.npz"
DOWNLOADS = DATA / "downloads"
SHIPPED = DATA / "trained" / "shipped"
OWN = DATA / "trained" / "own"
SCOREBOARDS = DATA / "scoreboard"
STUDIES = DATA / "studies"
SWEEPS = DATA / "sweeps"
NOTEBOOKS = PROJECT / "notebooks"

DIGITS = tuple("0123456789")


class Dataset(NamedTuple):
    """The ten classes of a data set, and the name of torchvision's class, which is also that of its folder."""

    classes: tuple[str, ...]
    torchvision: str = ""


# Every data set of the course.
DATASETS = {
    "strokes": Dataset(DIGITS),
    "mnist": Dataset(DIGITS, "MNIST"),
    "fashion_mnist": Dataset(
        (
            "T-shirt",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
        "FashionMNIST",
    ),
    "kmnist": Dataset(("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"), "KMNIST"),
}
DEFAULT_DATASET = "strokes"


def dataset_name(name: str | Path | None = None) -> str:
    """The name of a data set as the course writes it: the argument, else COURSE_DATASET, else `strokes`.

    Case, hyphens and spaces do not matter: `Fashion-MNIST` is `fashion_mnist`. Whatever has a slash in it, and every
    Path, is a folder of own pictures (see `course_utils.data.load_folder`), whose name is its whole path; it may be
    relative, and hold `~` and `$NAME`, as in `data_folder`. Raises ValueError for an unknown name.
    """
    given = name or os.environ.get("COURSE_DATASET") or DEFAULT_DATASET
    if isinstance(given, Path) or "/" in str(given) or os.sep in str(given):
        folder = _expanded(given, "name" if name else "COURSE_DATASET")
        return (folder if name else PROJECT / folder).resolve().as_posix()
    written = str(given).strip().lower().replace("-", "_").replace(" ", "_")
    by_letters = {known.replace("_", ""): known for known in DATASETS}
    found = by_letters.get(written.replace("_", ""))
    if found is None:
        near = difflib.get_close_matches(written, DATASETS, n=1)
        nearest = (
            f"did you mean {near[0]}?" if near else f"a folder of own pictures has a slash, as ./{given}"
        )
        source = "argument" if name else "COURSE_DATASET"
        raise ValueError(f"name must be one of {', '.join(DATASETS)}; got {given!r} ({source}); {nearest}")
    return found


def file_name_of(dataset: str) -> str:
    """A data set's name as files about it carry it: that of a folder of own pictures is short, and has no slash."""
    if dataset in DATASETS:
        return dataset
    return f"{Path(dataset).name}-{hashlib.sha256(dataset.encode()).hexdigest()[:8]}"


def data_folder(root: str | Path | None = None) -> Path:
    """The folder of the downloaded data sets: the argument, else COURSE_DATA_DIR, else data/downloads.

    `~` and environment variables are expanded. A relative COURSE_DATA_DIR starts from the project's folder, because
    notebooks and servers run in different ones; a relative argument starts from the working directory, as usual.
    Raises ValueError for a `~name` or `$NAME` that stands for nothing.
    """
    if root:
        return _expanded(root, "root")
    return _folder_in("COURSE_DATA_DIR", default=DOWNLOADS)


def own_folder() -> Path:
    """Where the models lie that this reader trained, and the exercises solved: COURSE_OWN_DIR, else data/trained/own.

    With COURSE_KEEP_MODELS=0 a folder that ends with this process. Raises ValueError as `data_folder` does.
    """
    if not _is_on("COURSE_KEEP_MODELS", default="1"):
        return _folder_of_this_process()
    return _folder_in("COURSE_OWN_DIR", default=OWN)


def course_notebooks() -> list[Path]:
    """The files of the course's notebooks, in their order, without what a reader makes beside them.

    JupyterLab calls such a file `Untitled.ipynb`, or `08_vae-Copy1.ipynb`.
    """
    return sorted(path for path in NOTEBOOKS.glob("*.ipynb") if re.fullmatch(r"\d\d_\w+", path.stem))


def is_checkout() -> bool:
    """Whether the package lies in the course's folder, beside data/ and notebooks/, as `pip install -e .` leaves it."""
    return NOTEBOOKS.is_dir()


def is_strict() -> bool:
    """Whether an unsolved exercise raises an error (COURSE_STRICT)."""
    return _is_on("COURSE_STRICT", default="0")


def _is_on(variable: str, default: str) -> bool:
    return (os.environ.get(variable) or default).strip().lower() not in ("0", "no", "false", "off")


def _folder_in(variable: str, default: Path) -> Path:
    written = os.environ.get(variable)
    return PROJECT / _expanded(written, variable) if written else default


def _expanded(path: str | Path, source: str) -> Path:
    expanded = os.path.expanduser(os.path.expandvars(path))
    # Left as it was, it would become a folder of that very name.
    if expanded.startswith("~") or re.search(r"\$\w|\$\{", expanded):
        raise ValueError(f"{source} must name a folder; got '{path}', whose ~ or $ stands for nothing here")
    return Path(expanded)


@functools.cache
def _folder_of_this_process() -> Path:
    # A process that was killed, as kernels are after a test, has left its own.
    for old in Path(tempfile.gettempdir()).glob("course-models-*-*"):
        number = old.name.split("-")[2]
        if number.isdecimal() and not psutil.pid_exists(int(number)):
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"course-models-{os.getpid()}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
