"""What a notebook's experiments gave over several seeds and data sets, where repeating them would take too long.

`python -m workshop.studies` runs such experiments with the cells that the notebook shows, and stores what they gave in
data/studies, where it ships with the course.
"""

import json
from pathlib import Path

from course_utils.settings import STUDIES, file_name_of


def study_file(notebook: str, dataset: str, folder: Path = STUDIES) -> Path:
    """Where the study of a notebook, such as "03_autoencoder_mlp", on a data set lies."""
    return folder / f"{notebook}.{file_name_of(dataset)}.json"


def load_study(notebook: str, dataset: str) -> dict[str, list[float]]:
    """What was measured, in the notebook's order: a label and its values, one for each seed.

    Raises FileNotFoundError if the notebook was not studied on this data set.
    """
    path = study_file(notebook, dataset)
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no study of {notebook} on {dataset} yet: `python -m workshop.studies {notebook}` with "
            f"COURSE_DATASET={dataset} makes it"
        )
    return json.loads(path.read_text(encoding="utf-8"))["values"]
