"""Running notebooks and bringing their files to the one form that is committed."""

import nbformat

from workshop.notebooks import execute, file_text, is_normalised, normalise


def messy_notebook():
    cell = nbformat.v4.new_code_cell("print(object())\n\n")
    cell.metadata = nbformat.from_dict({"tags": ["exercise"], "execution": {"iopub.status": "2026"}})
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="<object object at 0x7f3a2b1c9d>\n"),
        nbformat.v4.new_output("stream", name="stdout", text="two\n"),
        nbformat.v4.new_output(
            "display_data",
            {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "image/png": "iVBO"},
        ),
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("text"), cell])
    notebook.metadata["widgets"] = {"state": {}}
    return notebook


def test_normalising_leaves_what_a_reader_sees_and_nothing_else():
    notebook = messy_notebook()
    normalise(notebook)
    cell = notebook.cells[1]
    assert notebook.metadata.keys() == {"kernelspec", "language_info"}
    assert cell.metadata == {"tags": ["exercise"]} and cell.execution_count == 1
    assert cell.outputs[0].text == "<object object at 0x0>\ntwo\n"
    assert cell.outputs[1].data == {"image/png": "iVBO"} and len(cell.outputs) == 2


def test_cells_keep_their_ids_and_copies_get_their_own():
    notebook = messy_notebook()
    first, second = notebook.cells
    copied = nbformat.from_dict({**first})
    notebook.cells.insert(1, copied)
    ids = first.id, second.id
    normalise(notebook)
    assert (notebook.cells[0].id, notebook.cells[2].id) == ids
    assert copied.id not in ids
    again = copied.id
    normalise(notebook)
    assert copied.id == again


def test_a_messy_file_is_told_from_a_normalised_one(tmp_path):
    path = tmp_path / "messy.ipynb"
    nbformat.write(messy_notebook(), path)
    assert not is_normalised(path)
    notebook = messy_notebook()
    normalise(notebook)
    path.write_text(file_text(notebook), encoding="utf-8")
    assert is_normalised(path)


def test_models_that_a_notebook_trains_end_with_its_kernel(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_KEEP_MODELS", "1")
    source = "from course_utils.settings import OWN, own_folder\nprint(own_folder() == OWN)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    execute(notebook, tmp_path)
    assert notebook.cells[0].outputs[0].text == "False\n"
