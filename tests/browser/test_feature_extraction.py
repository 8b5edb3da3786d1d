"""Notebook 02 in the browser: the neighbours follow the reader."""

import pytest


@pytest.fixture(scope="module")
def cnn_notebook(lab):
    with lab.open("notebooks/02_feature_extraction_cnn.ipynb") as notebook:
        notebook.run_all(seconds=600)
        yield notebook


def test_neighbours_follow_the_keyboard(cnn_notebook):
    demo = cnn_notebook.cell("explorer = NeighboursExplorer(")
    picture = cnn_notebook.picture(demo)
    picture.after(lambda: cnn_notebook.choose(cnn_notebook.dropdown(demo, "query class"), "3"))
    picture.after(lambda: cnn_notebook.press(cnn_notebook.slider(demo, "neighbours"), "ArrowLeft"))
    picture.after(lambda: cnn_notebook.press(cnn_notebook.button(demo, "features"), " "))
    cnn_notebook.assert_nothing_failed()
