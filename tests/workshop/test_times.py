"""The running times that readers are told: how they are rounded, and where they are written."""

import nbformat
import pytest

from workshop import times

ROW = "| [03 autoencoder](notebooks/03_autoencoder.ipynb) | encoder, code, decoder | {} s | {} s |\n"
HEAD = "# 03\n\n**Running time:** about {} seconds on two CPU cores. **Reading time:** 45 minutes."


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    monkeypatch.setattr(times, "README", tmp_path / "README.md")
    times.README.write_text(
        "About 12 minutes.\n" + ROW.format(70, 45) + ROW.replace("03", "04").format(20, 25)
    )
    path = tmp_path / "03_autoencoder.ipynb"
    cells = [nbformat.v4.new_markdown_cell(HEAD.format(70)), nbformat.v4.new_code_cell("sum(range(10))")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


@pytest.mark.parametrize(("seconds", "told"), [(1.2, 5), (22.4, 20), (57.6, 60), (64.9, 60), (146, 150)])
def test_seconds_are_told_to_five_and_from_a_minute_on_to_ten(seconds, told):
    assert times.rounded(seconds) == told


def test_the_seconds_are_written_into_the_row_and_the_head_and_nowhere_else(notebook):
    times.write_seconds(notebook, 55)
    rows = ROW.format(55, 45) + ROW.replace("03", "04").format(20, 25)
    assert times.README.read_text() == "About 12 minutes.\n" + rows
    assert nbformat.read(notebook, as_version=4).cells[0].source == HEAD.format(55)


def test_those_of_a_gpu_are_written_into_their_column_alone(notebook):
    times.write_seconds(notebook, 55, gpu=True)
    rows = ROW.format(70, 55) + ROW.replace("03", "04").format(20, 25)
    assert times.README.read_text() == "About 12 minutes.\n" + rows
    assert nbformat.read(notebook, as_version=4).cells[0].source == HEAD.format(70)


def test_a_notebook_without_its_row_is_named(notebook):
    times.README.write_text("No table.\n")
    with pytest.raises(ValueError, match=r"03_autoencoder.ipynb must have one row .*; found 0 and 1"):
        times.write_seconds(notebook, 55)
    assert "about 70 seconds" in notebook.read_text()


def test_a_run_gives_its_seconds_and_those_of_each_cell(notebook):
    before = notebook.read_text()
    total, wall, cells = times.measured_seconds(notebook)
    assert 0 < total < 60 and cells[0][0] < wall and [line for _, line in cells] == ["sum(range(10))"]
    assert 0 <= cells[0][0] < 10 and notebook.read_text() == before
