"""What students handed in, as a learning platform gives it to a teacher: a folder or a zip, read without unpacking.

Moodle     Anna Muster_4711_assignsubmission_file/08_vae.ipynb, or with all files in one folder
           Anna Muster_4711_assignsubmission_file_08_vae.ipynb     (moodle: mod/assign/classes/downloader.php)
Canvas     musteranna_4711_90210_08_vae.ipynb, late: musteranna_LATE_4711_90210_08_vae.ipynb, with anonymous marking:
           anon_x7Qz1_90210_08_vae.ipynb     (canvas-lms: lib/content_zipper.rb)
otherwise  Anna Muster/08_vae.ipynb, or Anna Muster.ipynb

All of it may lie in one more folder, such as submissions/Anna Muster/08_vae.ipynb.
"""

import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

LARGEST = 32 * 1024**2
NAMED_BY_PLATFORM = (
    re.compile(r"(?P<student>[^/]+?)_assignsubmission_[a-z]+[_/]"),
    re.compile(r"(?:LATE_)?(?P<student>anon_[^_/]+)_\d+_[^/]*$"),
    re.compile(r"(?P<student>[^/]+?)(?:_LATE)?(?P<number>_\d+)_\d+_[^/]*$"),
)
STUDENT_IN_PATH = (
    *NAMED_BY_PLATFORM,
    re.compile(r"(?P<student>[^/]+)/"),
    re.compile(r"(?P<student>.+)\.[^.]+"),
)


class Unreadable(Exception):
    """A file is no notebook that can be read; the message says why."""


@dataclass(frozen=True)
class HandedIn:
    """A file that was handed in: its path in the folder or zip, its size in bytes, and how to read it."""

    path: str
    size: int
    read: Callable[[], bytes]

    def content(self) -> bytes:
        """What the file holds. Raises Unreadable."""
        if self.size > LARGEST:
            raise Unreadable(f"is larger than {LARGEST // 1024**2} MB")
        try:
            return self.read()
        except Exception as error:  # whatever a damaged or locked zip makes Python raise
            raise Unreadable(f"cannot be read ({type(error).__name__})") from None


@dataclass
class Submission:
    """All files of one student."""

    student: str
    files: list[HandedIn] = field(default_factory=list)

    def checksum(self) -> str:
        """A checksum of what was handed in: the paths, and the contents of the files that can be read."""
        digest = hashlib.sha256()
        for file in self.files:
            try:
                content = file.content()
            except Unreadable as problem:
                content = f"{problem}, {file.size}".encode()
            digest.update(file.path.encode() + hashlib.sha256(content).digest())
        return digest.hexdigest()

    def notebooks(self) -> Iterator[HandedIn]:
        """The notebooks among the files, and in those that are a zip; a zip that cannot be opened is among them."""
        for file in self.files:
            if file.path.lower().endswith(".ipynb"):
                yield file
            elif file.path.lower().endswith(".zip"):
                try:
                    inside = list(_in_zip(zipfile.ZipFile(io.BytesIO(file.content()))))
                except Exception:  # whatever a damaged zip makes Python raise
                    yield file
                else:
                    yield from (inner for inner in inside if inner.path.lower().endswith(".ipynb"))


def read_submissions(place: Path) -> list[Submission]:
    """The submissions in a folder or zip, in the order of the students' names. Raises ValueError if there are none."""
    if not place.is_dir() and not zipfile.is_zipfile(place):
        raise ValueError(f"HANDED_IN must be a folder or a zip; got {str(place)!r}")
    files = list(_in_folder(place) if place.is_dir() else _in_zip(zipfile.ZipFile(place)))
    found: dict[str, Submission] = {}
    for file in sorted(_below_outer_folders(files), key=lambda file: file.path):
        student = student_of(file.path)
        found.setdefault(student, Submission(student)).files.append(file)
    if not found:
        raise ValueError(f"HANDED_IN must hold what students handed in; {str(place)!r} holds no files")
    return [found[student] for student in sorted(found)]


def _below_outer_folders(files: list[HandedIn]) -> list[HandedIn]:
    """The files with paths that begin with the student: folders around the whole class are cut off."""
    inner = files
    while True:
        answers = [file.path for file in inner if file.path.lower().endswith((".ipynb", ".zip"))]
        if not answers or any(pattern.match(path) for path in answers for pattern in NAMED_BY_PLATFORM):
            return inner
        parts = [file.path.partition("/") for file in inner]
        if len({top for top, _, _ in parts}) > 1 or not all(below for _, _, below in parts):
            # A folder around several students is that of a class. A loose file may be a student, but not one whose name
            # begins with a notebook's number, as 08_vae.ipynb.
            tops = {path.partition("/")[0] for path in answers if "/" in path or not re.match(r"\d\d", path)}
            return inner if len(tops) > 1 else files
        inner = [replace(file, path=below) for file, (_, _, below) in zip(inner, parts)]


def student_of(path: str) -> str:
    """The student whose file this is, with the platform's number where there is one."""
    for pattern in STUDENT_IN_PATH:
        if match := pattern.match(path):
            return match["student"] + (match.groupdict().get("number") or "")
    return path


def _in_folder(folder: Path) -> Iterator[HandedIn]:
    for path in folder.rglob("*"):
        # A name that is not in UTF-8 could not be written anywhere.
        name = os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "replace")
        if path.is_file() and not path.is_symlink() and not _is_hidden(name):
            yield HandedIn(name, path.stat().st_size, path.read_bytes)


def _in_zip(archive: zipfile.ZipFile) -> Iterator[HandedIn]:
    for entry in archive.infolist():
        name = entry.filename.replace("\\", "/")  # PowerShell 5 writes backslashes
        if not name.endswith("/") and not _is_hidden(name):
            yield HandedIn(name, entry.file_size, partial(archive.read, entry))


def _is_hidden(path: str) -> bool:
    """Whether a file is one that JupyterLab or the system has left: a checkpoint, .DS_Store, __MACOSX."""
    return any(part.startswith((".", "__MACOSX")) for part in path.split("/"))


def cells_of(file: HandedIn) -> list[tuple[str, str]]:
    """The cells of a notebook, as (type, source). Raises Unreadable."""
    content = file.content()
    try:
        cells = json.loads(content)["cells"]
        return [(cell["cell_type"], "".join(cell["source"]).rstrip()) for cell in cells]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise Unreadable(f"cannot be read ({type(error).__name__})") from None
