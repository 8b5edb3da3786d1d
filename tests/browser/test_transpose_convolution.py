"""Notebook 04 in the browser: the stepper walks through the input pixels from the keyboard."""

import pytest


@pytest.fixture(scope="module")
def notebook(lab):
    with lab.open("notebooks/04_transpose_convolution.ipynb") as notebook:
        notebook.run_all(seconds=300)
        yield notebook


def test_the_stepper_follows_the_keyboard(notebook):
    demo = notebook.cell("TransposeStepper(kernel_size=3")
    picture = notebook.picture(demo)
    seen = [
        picture.after(lambda: notebook.press(notebook.slider(demo, "input pixel"), "ArrowRight")),
        picture.after(lambda: notebook.press(notebook.slider(demo, "stride"), "ArrowLeft")),
        picture.after(lambda: notebook.press(notebook.slider(demo, "padding"), "ArrowRight")),
    ]
    assert len(set(seen)) == len(seen)
    notebook.assert_nothing_failed()
