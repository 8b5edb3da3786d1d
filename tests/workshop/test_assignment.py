"""The student edition: nothing of a solution in it, everything else there, and links that lead somewhere."""

import re
import zipfile

import nbformat
import pytest

from course_utils.exercises import EXERCISES
from course_utils.settings import course_notebooks
from workshop.assignment import NO_SOLUTION, main, student_edition
from workshop.exercise_cells import FENCED_PYTHON, exercises_in, notebooks_numbered, open_task_in, rubric

PATHS = course_notebooks()


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def editions(request):
    """A notebook and its student edition where it is handed out alone."""
    return nbformat.read(request.param, as_version=4), student_edition(request.param, {request.param.name})


def test_solutions_are_out_and_all_else_of_the_code_is_kept(editions):
    notebook, edition = editions
    assert [cell.id for cell in notebook.cells] == [cell.id for cell in edition.cells]
    for cell, handed_out in zip(notebook.cells, edition.cells):
        if "solution" in cell.metadata.get("tags", []):
            assert handed_out.source == NO_SOLUTION
        if cell.cell_type == "code":
            assert handed_out == cell
    text = "\n".join(cell.source for cell in edition.cells if cell.cell_type == "markdown")
    assert "<summary>Solution" not in text
    for exercise in exercises_in(notebook.cells):
        assert not any(exercise.solution in shown for shown in FENCED_PYTHON.findall(text))


def test_each_exercise_and_the_open_task_say_points_and_minutes(editions):
    notebook, edition = editions
    for exercise in exercises_in(notebook.cells):
        declared = EXERCISES[exercise.name]
        lines = edition.cells[exercise.heading].source.split("\n")
        heading = next(i for i, line in enumerate(lines) if re.match(r"#+ Exercise \d", line))
        plural = "point" if declared.points == 1 else "points"
        assert lines[heading + 2] == f"**{declared.points} {plural}, about {declared.minutes} minutes.**"
    task = open_task_in(notebook.cells)
    parts = rubric(edition.cells[task].source)
    assert parts == rubric(notebook.cells[task].source)
    assert re.search(rf"\*\*{2 * len(parts)} points, about [1-9]0 minutes\.\*\*", edition.cells[task].source)


def test_links_lead_to_what_is_handed_out(editions):
    _, edition = editions
    text = "\n".join(cell.source for cell in edition.cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert target.startswith(("https://", "http://")), target


def test_a_folder_and_a_zip_are_written_and_nothing_is_overwritten(tmp_path, monkeypatch, capsys):
    out = tmp_path / "class" / "week 1"
    monkeypatch.setattr("sys.argv", ["assignment", str(out), "--notebooks", "00", "03"])
    main()
    names = ["00_start_here.ipynb", "03_autoencoder_mlp.ipynb"]
    assert sorted(path.name for path in out.iterdir()) == names
    with zipfile.ZipFile(f"{out}.zip") as archive:
        assert sorted(archive.namelist()) == names
    text = (out / names[0]).read_text(encoding="utf-8")
    assert "](03_autoencoder_mlp.ipynb" in text and "](04_transpose" not in text
    with pytest.raises(SystemExit, match="OUT must be a folder that is new or empty; got"):
        main()
    (tmp_path / "other.zip").write_text("what a class handed in")
    monkeypatch.setattr("sys.argv", ["assignment", str(tmp_path / "other"), "--notebooks", "00"])
    with pytest.raises(SystemExit, match="OUT must be a name for which no zip exists yet; got"):
        main()
    assert (tmp_path / "other.zip").read_text() == "what a class handed in"
    assert not (tmp_path / "other").exists()


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch, capsys):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr("sys.argv", ["assignment", "~/handout", "--notebooks", "04"])
    main()
    assert {path.name for path in tmp_path.iterdir()} == {"handout", "handout.zip"}
    assert "with 04_transpose_convolution\n" in capsys.readouterr().out


@pytest.mark.parametrize("number", ["99", "1", "0", "", "08_vae"])
def test_a_number_that_no_notebook_has_is_refused(number):
    with pytest.raises(ValueError, match=rf"notebooks must be numbers from 00 to \d\d; got '{number}'"):
        notebooks_numbered([number])
