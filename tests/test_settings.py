"""Settings: what the environment variables COURSE_* say, and what is said of a value that cannot be."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from course_utils import settings
from course_utils.settings import data_folder, dataset_name, file_name_of, is_strict, own_folder


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for variable in [name for name in os.environ if name.startswith("COURSE_")]:
        monkeypatch.delenv(variable)


# --- the data set ---


def test_the_argument_comes_before_the_environment_and_strokes_is_the_default(monkeypatch):
    assert dataset_name() == "strokes"
    monkeypatch.setenv("COURSE_DATASET", "kmnist")
    assert dataset_name() == "kmnist" and dataset_name("mnist") == "mnist"
    monkeypatch.setenv("COURSE_DATASET", "")
    assert dataset_name() == "strokes"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("MNIST", "mnist"),
        (" mnist ", "mnist"),
        ("Fashion-MNIST", "fashion_mnist"),
        ("fashion-mnist", "fashion_mnist"),
        ("FashionMNIST", "fashion_mnist"),
        ("Fashion MNIST", "fashion_mnist"),
        ("KMNIST", "kmnist"),
        ("Strokes", "strokes"),
    ],
)
def test_a_name_is_known_however_it_is_written(written, name, monkeypatch):
    assert dataset_name(written) == name
    monkeypatch.setenv("COURSE_DATASET", written)
    assert dataset_name() == name


@pytest.mark.parametrize(
    ("written", "end"),
    [
        ("minst", r"got 'minst' \(argument\); did you mean mnist\?"),
        ("fashion", r"did you mean fashion_mnist\?"),
        ("letters", r"got 'letters' \(argument\); a folder of own pictures has a slash, as \./letters"),
        (7, r"got 7 \(argument\); .*"),
    ],
)
def test_an_unknown_name_is_told_and_the_nearest_is_suggested(written, end):
    with pytest.raises(ValueError, match=rf"^name must be one of strokes, mnist, .*{end}$"):
        dataset_name(written)


def test_an_unknown_name_in_the_environment_is_told_to_come_from_there(monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", "letters")
    with pytest.raises(ValueError, match=r"got 'letters' \(COURSE_DATASET\); a folder"):
        dataset_name()


def test_what_has_a_slash_or_is_a_path_is_a_folder_of_pictures(monkeypatch, tmp_path):
    whole = (tmp_path / "letters").resolve().as_posix()
    monkeypatch.chdir(tmp_path)
    for written in (whole, "./letters", tmp_path / "letters", Path("letters")):
        assert dataset_name(written) == whole == dataset_name(whole)
    monkeypatch.setenv("COURSE_DATASET", "data/letters")
    assert dataset_name() == (settings.PROJECT / "data" / "letters").as_posix()
    monkeypatch.delenv("NOWHERE", raising=False)
    with pytest.raises(ValueError, match=r"^name must name a folder; got '\$NOWHERE/letters'"):
        dataset_name("$NOWHERE/letters")


def test_files_about_a_folder_of_pictures_stay_in_their_own_folder(tmp_path):
    assert file_name_of("fashion_mnist") == "fashion_mnist"
    here, there = (file_name_of((tmp_path / place / "letters").as_posix()) for place in ("a", "b"))
    assert here.startswith("letters-") and Path(here).name == here and here != there


# --- the folder of the data ---


def test_the_folder_of_the_data_is_the_argument_then_the_environment_then_the_default(monkeypatch, tmp_path):
    assert data_folder() == settings.DOWNLOADS
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    assert data_folder() == tmp_path and data_folder("elsewhere") == Path("elsewhere")
    monkeypatch.setenv("COURSE_DATA_DIR", "")
    assert data_folder() == settings.DOWNLOADS


def test_a_relative_folder_does_not_depend_on_where_the_server_was_started(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA_DIR", "../shared/data")
    monkeypatch.chdir(tmp_path)
    assert data_folder() == settings.PROJECT / "../shared/data"


@pytest.mark.parametrize("written", ["~/data", "$PLACE/data", "${PLACE}/data"])
def test_home_and_variables_are_expanded(written, monkeypatch, tmp_path):
    for home in ("HOME", "USERPROFILE"):  # the second is that of Windows
        monkeypatch.setenv(home, str(tmp_path))
    monkeypatch.setenv("PLACE", str(tmp_path))
    monkeypatch.setenv("COURSE_DATA_DIR", written)
    assert data_folder() == tmp_path / "data" == data_folder(written)


@pytest.mark.parametrize("written", ["$NOWHERE/data", "${NOWHERE}", "~no_such_person/data"])
@pytest.mark.skipif(os.name == "nt", reason="Windows takes ~name for a folder beside the home folder")
def test_what_stands_for_nothing_is_told_and_makes_no_folder(written, monkeypatch):
    monkeypatch.delenv("NOWHERE", raising=False)
    with pytest.raises(ValueError, match=r"root must name a folder; got .*stands for nothing here"):
        data_folder(written)
    monkeypatch.setenv("COURSE_DATA_DIR", written)
    with pytest.raises(
        ValueError, match=r"COURSE_DATA_DIR must name a folder; got .*stands for nothing here"
    ):
        data_folder()


def test_a_dollar_sign_within_a_name_is_part_of_it():
    assert data_folder(Path("server", "c$", "data")) == Path("server", "c$", "data")


# --- switches ---


@pytest.mark.parametrize(
    ("written", "is_on"), [("1", True), ("yes", True), ("0", False), ("No", False), ("off", False)]
)
def test_switches_are_read(written, is_on, monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", written)
    monkeypatch.setenv("COURSE_KEEP_MODELS", written)
    assert is_strict() == is_on
    assert (own_folder() == settings.OWN) == is_on


def test_without_switches_models_are_kept_and_exercises_do_not_raise():
    assert own_folder() == settings.OWN and not is_strict()


def test_a_readers_own_folder_is_read_from_the_environment_as_that_of_the_data(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_OWN_DIR", str(tmp_path / "mine"))
    assert own_folder() == tmp_path / "mine"
    monkeypatch.setenv("COURSE_OWN_DIR", "mine")
    assert own_folder() == settings.PROJECT / "mine"
    monkeypatch.setenv("COURSE_KEEP_MODELS", "0")
    assert settings.PROJECT not in own_folder().parents


def test_models_that_are_not_kept_lie_in_one_folder_that_ends_with_the_process():
    code = (
        "from course_utils.settings import own_folder as folder\n"
        "assert folder() == folder() and folder().is_dir()\n"
        "(folder() / 'model').write_text('')\n"
        "print(folder())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"COURSE_KEEP_MODELS": "0", "PYTHONPATH": str(settings.PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not Path(result.stdout.strip()).exists()


def test_such_folders_of_processes_that_were_killed_are_removed_by_the_next(monkeypatch, tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = [f"course-models-{number}-abc" for number in (gone.pid, os.getppid())]
    for name in (*names, "course-models-abc", "course-models-mine-abc"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("COURSE_KEEP_MODELS", "0")
    settings._folder_of_this_process.cache_clear()
    try:
        assert own_folder().parent == tmp_path
        left = {path.name for path in tmp_path.iterdir()} - {own_folder().name}
    finally:
        settings._folder_of_this_process.cache_clear()
    assert left == {names[1], "course-models-abc", "course-models-mine-abc"}


def test_what_a_reader_makes_beside_the_notebooks_is_none_of_the_course(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "NOTEBOOKS", tmp_path)
    for name in ("08_vae", "00_start_here", "Untitled", "08_vae-Copy1", "08_vae (1)", "8_vae"):
        (tmp_path / f"{name}.ipynb").touch()
    assert [path.stem for path in settings.course_notebooks()] == ["00_start_here", "08_vae"]


def test_the_notebooks_are_listed_in_one_place():
    files = [
        path for name in ("course_utils", "workshop") for path in (settings.PROJECT / name).rglob("*.py")
    ]
    listing = [path.name for path in files if re.search(r'["/]\*\.ipynb"', path.read_text(encoding="utf-8"))]
    assert listing == ["settings.py"]


def test_a_checkout_is_recognised(monkeypatch, tmp_path):
    assert settings.is_checkout()
    monkeypatch.setattr(settings, "NOTEBOOKS", tmp_path / "notebooks")
    assert not settings.is_checkout()
