"""The scoreboard: what the generative models of the course reached, each trained from several seeds.

`python -m workshop.scoreboard` trains them as their notebooks do, measures them as notebook 12 does, and stores the
result as one JSON file for each data set in data/scoreboard/, where those for `strokes` and `mnist` ship.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from course_utils.catalogue import CATALOGUE
from course_utils.files import write_whole
from course_utils.settings import SCOREBOARDS, dataset_name, file_name_of

# Held-out and training images, judged as if a model had drawn them: the floors of all measures.
REAL = "real images"
# Name -> label, in the order of the course.
MODELS = {name: row.label for name, row in CATALOGUE.items() if row.label}


@dataclass(frozen=True)
class Measure:
    """What is measured, and which value is the best: "low", "high", or "real", that of real images."""

    label: str
    best: str

    @property
    def advice(self) -> str:
        return {"low": "lower is better", "high": "higher is better", "real": "as real images is best"}[
            self.best
        ]


MEASURES = {
    "squared_error": Measure("squared error per image", "low"),
    "pca_ratio": Measure("squared error over that of PCA with as many numbers", "low"),
    "frechet": Measure("Frechet distance", "low"),
    "fidelity": Measure("fidelity: share in the class asked for", "high"),
    "acceptance": Measure("acceptance: share the judge is sure of", "high"),
    "smallest_share": Measure("share of the rarest class", "high"),
    "variety": Measure("median distance to the nearest other sample", "real"),
    "nearest": Measure("median distance to the nearest training image", "real"),
    "copying": Measure("lean towards training images, from 0 (new) to 1 (copies)", "low"),
    "seconds": Measure("CPU seconds to train", "low"),
    "parameters": Measure("parameters", "low"),
}


class ScoreboardError(RuntimeError):
    """The stored scoreboard cannot be had; the message says why, and what to do."""


@dataclass(frozen=True)
class Scoreboard:
    """The measures of every model and seed.

    `runs`: one dict for each, with "model" (a key of MODELS, or REAL), "seed", and a value for each of MEASURES, None
    where the model has no such measure. Models that were trained for it also have "steps" and "wall_seconds".
    `held_out` and `samples` are numbers of images, `machine` says what the seconds were taken on, `versions` the
    libraries, and `recipes` holds a checksum of the code that trained and measured each model, or measured REAL.
    """

    dataset: str
    held_out: int
    samples: int
    runs: list[dict]
    machine: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    recipes: dict[str, str] = field(default_factory=dict)

    @property
    def models(self) -> list[str]:
        """The models that were measured, in the order of the course."""
        return [name for name in MODELS if any(run["model"] == name for run in self.runs)]

    def values(self, model: str, measure: str) -> list[float]:
        """The values of a measure, one for each seed of a model or of REAL; empty where there is none.

        Raises ValueError for an unknown model or measure.
        """
        if model not in (*MODELS, REAL):
            raise ValueError(f"model must be one of {', '.join((*MODELS, REAL))}; got {model!r}")
        if measure not in MEASURES:
            raise ValueError(f"measure must be one of {', '.join(MEASURES)}; got {measure!r}")
        values = [run[measure] for run in self.runs if run["model"] == model]
        return [value for value in values if value is not None]


def load_scoreboard(dataset: str | None = None, folder: Path | None = None) -> Scoreboard:
    """The stored scoreboard of a data set (default: COURSE_DATASET, else `strokes`).

    Raises ValueError for an unknown data set, ScoreboardError if it has no scoreboard yet, or the file is damaged.
    """
    dataset = dataset_name(dataset)
    path = scoreboard_file(dataset, folder)
    if not path.is_file():
        raise ScoreboardError(
            f"there is no scoreboard of several seeds for {dataset} yet: `python -m workshop.scoreboard` with "
            f"COURSE_DATASET={dataset} makes it, in half an hour"
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        digest = record.pop("sha256")
        board = Scoreboard(**record)
        complete = board.dataset == dataset and all(_is_run(run) for run in board.runs)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ScoreboardError(_damaged(path, "it is not a scoreboard")) from None
    if digest != _digest(record):
        raise ScoreboardError(_damaged(path, "its checksum is wrong"))
    if not complete:
        raise ScoreboardError(_damaged(path, "measures are missing, or it is of another data set"))
    return board


def save_scoreboard(board: Scoreboard, folder: Path | None = None) -> Path:
    """Store a scoreboard, with its checksum, whole or not at all, and return its file.

    Raises ValueError if a run lacks a measure, OSError if the file cannot be written.
    """
    for run in board.runs:
        if not _is_run(run):
            raise ValueError(f"every run must have model, seed, {', '.join(MEASURES)}; got {', '.join(run)}")
    record = asdict(board)
    path = scoreboard_file(board.dataset, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**record, "sha256": _digest(record)}, indent=1, ensure_ascii=False) + "\n"
    write_whole({path: text.encode()})
    return path


def _is_run(run: dict) -> bool:
    return run.keys() >= {"model", "seed", *MEASURES} and run["model"] in (*MODELS, REAL)


def scoreboard_file(dataset: str, folder: Path | None = None) -> Path:
    """Where the scoreboard of a data set is stored."""
    return (folder or SCOREBOARDS) / f"{file_name_of(dataset)}.json"


def _digest(record: dict) -> str:
    """The checksum of what a record says, whatever its layout."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _damaged(path: Path, reason: str) -> str:
    return f"{path} cannot be used ({reason}): get it back with `git checkout -- data`, or make it again"
