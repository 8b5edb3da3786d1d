"""What Git writes into a clone: the same bytes everywhere, also where it is told to make the line ends of Windows."""

import subprocess
from pathlib import Path

import pytest

from course_utils.settings import PROJECT


def files_written(folder: Path, autocrlf: str) -> dict[str, bytes]:
    """The files that a clone with this setting would hold: path -> bytes."""
    subprocess.run(
        ["git", "-c", f"core.autocrlf={autocrlf}", "checkout-index", "--all", f"--prefix={folder}/"],
        cwd=PROJECT,
        check=True,
    )
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.skipif(not (PROJECT / ".git").exists(), reason="the course lies here without its history")
def test_a_clone_has_the_same_bytes_whatever_git_does_with_line_ends(tmp_path):
    plain, windows = (files_written(tmp_path / autocrlf, autocrlf) for autocrlf in ("false", "true"))
    assert plain.keys() == windows.keys()
    assert [path for path in plain if plain[path] != windows[path]] == []
