"""Which exercises this reader has solved: their names in a small file of the reader's own, which is sent nowhere."""

import json
from pathlib import Path

from course_utils.files import write_whole
from course_utils.settings import own_folder


class ProgressError(ValueError):
    """The file of the solved exercises cannot be used; the message names it, and says what to do."""


def progress_file() -> Path:
    """The file: a JSON list of names, beside the models that this reader trained."""
    return own_folder() / "progress.json"


def solved_exercises() -> set[str]:
    """The names of the exercises that this reader has solved. Raises ProgressError if the file cannot be read."""
    path = progress_file()
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("it is not a list of names")
    except FileNotFoundError:
        return set()
    except (OSError, ValueError) as error:
        raise ProgressError(
            f"{path} cannot be read ({error}). It was left as it is: mend it, or delete it to begin anew."
        ) from None
    return set(names)


def mark_solved(name: str) -> None:
    """Note that an exercise is solved. Raises ProgressError if that cannot be kept."""
    # Read at each mark, because another notebook may have added to the file.
    solved = solved_exercises()
    if name in solved:
        return
    path = progress_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole({path: json.dumps(sorted({*solved, name}), indent=1).encode()})
    except OSError as error:
        raise ProgressError(
            f"{path} cannot be written ({error.strerror}): set COURSE_OWN_DIR to a folder of your own."
        ) from None
