"""Notebook 00 in the browser: it runs, and its data browser follows the keyboard."""

import pytest

from course_utils.settings import dataset_name


@pytest.fixture(scope="module")
def notebook(lab):
    with lab.open("notebooks/00_start_here.ipynb") as notebook:
        notebook.run_all()
        yield notebook


def test_data_browser_follows_the_keyboard(notebook):
    demo = notebook.cell("DataBrowser(data)")
    picture = notebook.picture(demo)
    first = picture.bytes()
    position = notebook.slider(demo, "position")
    seen = [
        first,
        picture.after(lambda: notebook.press(position, "ArrowRight")),
        picture.after(lambda: notebook.press(position, "End")),
        picture.after(lambda: notebook.choose(notebook.dropdown(demo, "class"), "7")),
    ]
    if dataset_name() == "strokes":  # no other data set has a factor to sort by
        seen.append(picture.after(lambda: notebook.choose(notebook.dropdown(demo, "sorted by"), "pen_width")))
    assert len(set(seen)) == len(seen)
    notebook.assert_nothing_failed()


def test_axe_finds_nothing_of_ours(notebook, site_tools):
    notebook.assert_axe_finds_nothing()
