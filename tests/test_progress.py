"""The progress of a reader: what is solved is kept, nothing is lost, and no trouble with the file stops a check."""

import errno
import json

import pytest

from course_utils import progress as progress_module
from course_utils import settings
from course_utils.exercises import EXERCISES, check, progress
from course_utils.progress import ProgressError, mark_solved, progress_file, solved_exercises


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """The folder of a reader who keeps what is solved; it is not there yet."""
    monkeypatch.setenv("COURSE_OWN_DIR", str(tmp_path / "own"))
    monkeypatch.delenv("COURSE_KEEP_MODELS", raising=False)
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    return tmp_path / "own"


def solve(name: str) -> None:
    check(name, EXERCISES[name].solution)


def test_what_is_right_is_kept_and_nothing_else(own):
    check("flatten", lambda images: images.flatten())
    assert solved_exercises() == set() and not own.exists()
    solve("flatten")
    solve("flatten")
    check("flatten", lambda images: ...)
    assert solved_exercises() == {"flatten"}
    assert [path.name for path in own.iterdir()] == ["progress.json"]


def test_another_notebook_may_add_to_the_file_meanwhile(own):
    mark_solved("flatten")
    progress_file().write_text(json.dumps([*solved_exercises(), "printed"]))
    mark_solved("squared_distance")
    assert solved_exercises() == {"flatten", "printed", "squared_distance"}


@pytest.mark.parametrize("content", [b'["flatten"', b'{"flatten": true}', b"[1]", b"\xff", b""])
def test_a_damaged_file_is_named_and_left_as_it_is(own, content, capsys):
    own.mkdir()
    progress_file().write_bytes(content)
    solve("flatten")
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Right (flatten)")
    assert second.startswith(f"Your progress is not kept: {progress_file()} cannot be read (")
    with pytest.raises(ProgressError, match=r"It was left as it is: mend it, or delete it to begin anew\.$"):
        progress()
    assert progress_file().read_bytes() == content


def test_a_folder_that_cannot_be_written_costs_one_sentence(own, capsys, monkeypatch):
    def refuse(contents):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(progress_module, "write_whole", refuse)
    solve("flatten")
    assert capsys.readouterr().out.splitlines()[1] == (
        f"Your progress is not kept: {progress_file()} cannot be written (Permission denied): "
        "set COURSE_OWN_DIR to a folder of your own."
    )


def test_a_folder_that_is_none_costs_one_sentence(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_OWN_DIR", "~nobody-of-this-name/own")
    solve("flatten")
    assert "COURSE_OWN_DIR must name a folder" in capsys.readouterr().out.splitlines()[1]


def test_where_no_models_are_kept_no_progress_is(own, monkeypatch):
    monkeypatch.setenv("COURSE_KEEP_MODELS", "0")
    solve("flatten")
    assert "flatten" in solved_exercises() and not own.exists()
    assert settings.OWN not in progress_file().parents


def test_the_table_counts_exercises_and_points_and_names_what_is_left(capsys):
    mark_solved("flatten")
    mark_solved("printed")
    mark_solved("an exercise of an earlier edition")
    progress()
    lines = capsys.readouterr().out.splitlines()
    points = sum(one.points for one in EXERCISES.values())
    assert lines[1] == " 2 of  3     2 of   4    00 · Start here"
    assert lines[2].split() == ["left:", "squared_distance"]
    assert lines[-1] == f" 2 of {len(EXERCISES)}     2 of {points}    all"
    rows = [line.split() for line in lines[1:] if " of " in line]
    assert sum(int(row[2]) for row in rows[:-1]) == len(EXERCISES), "an exercise stands in no notebook"
