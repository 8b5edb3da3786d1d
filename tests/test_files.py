"""Writing files: whole or not at all, and nothing left beside them."""

import os
from contextlib import contextmanager

import pytest

from course_utils.files import write_whole


@contextmanager
def disk_full_after(size: int):
    """Within it, no file of this process can grow beyond `size` bytes: writing fails half-way, as on a full disk."""
    resource = pytest.importorskip("resource", reason="limits of file sizes are those of POSIX")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def contents_of(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_are_written_and_replaced_with_nothing_beside_them(tmp_path):
    write_whole({tmp_path / "a": b"first", tmp_path / "b": b""})
    assert contents_of(tmp_path) == {"a": b"first", "b": b""}
    write_whole({tmp_path / "a": b"second, longer"})
    assert contents_of(tmp_path) == {"a": b"second, longer", "b": b""}


@pytest.mark.parametrize("too_large", ["a", "b"])
def test_a_full_disk_leaves_the_old_files_and_nothing_else(tmp_path, too_large):
    old = {"a": b"old a", "b": b"old b"}
    for name, content in old.items():
        (tmp_path / name).write_bytes(content)
    new = {name: b"new" for name in old} | {too_large: bytes(500_000)}
    with disk_full_after(100_000), pytest.raises(OSError, match="too large"):
        write_whole({tmp_path / name: content for name, content in new.items()})
    assert contents_of(tmp_path) == old


def test_a_full_disk_leaves_no_part_of_a_new_file(tmp_path):
    with disk_full_after(100_000), pytest.raises(OSError, match="too large"):
        write_whole({tmp_path / "a": bytes(500_000)})
    assert contents_of(tmp_path) == {}


def test_stopping_half_way_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    def stop(*paths):
        raise KeyboardInterrupt

    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write_whole({tmp_path / "a": b"new"})
    assert contents_of(tmp_path) == {"a": b"old"}


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_whole({tmp_path / "missing" / "a": b"new"})


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_has_the_mode_of_any_new_file_and_a_replaced_one_keeps_its_own(tmp_path, umask):
    (tmp_path / "old").touch()
    (tmp_path / "old").chmod(0o640)
    before = os.umask(umask)
    try:
        write_whole({tmp_path / "new": b"new", tmp_path / "old": b"new"})
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"new": 0o666 & ~umask, "old": 0o640}
