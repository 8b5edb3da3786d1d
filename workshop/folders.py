"""The folders into which the commands of `workshop` write."""

import sys
from pathlib import Path

from course_utils.files import write_whole

MADE = ".made"


def check_new(out: Path) -> None:
    """End the command with a sentence unless its folder OUT is new or empty."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        sys.exit(f"OUT must be a folder that is new or empty; got {str(out)!r}")


def remove_what_was_made_before(folder: Path, made: set[str]) -> None:
    """Remove the files that an earlier call names and this one does not; what no call has named stays.

    made: the paths in `folder`, with slashes, of the files that a command has just made there. They are kept in the
    file `.made`.
    """
    listed = folder / MADE
    before = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    for name in set(before) - made:
        (folder / name).unlink(missing_ok=True)
    write_whole({listed: "\n".join(sorted(made)).encode()})
