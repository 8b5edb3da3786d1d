"""Notebook 07 in the browser: the ELBO laboratory follows the keyboard."""

import pytest


@pytest.fixture(scope="module")
def notebook(lab):
    with lab.open("notebooks/07_vae_notation_and_elbo.ipynb") as notebook:
        notebook.run_all(seconds=300)
        yield notebook


def test_the_elbo_laboratory_follows_the_keyboard(notebook):
    demo = notebook.cell("ElboLaboratory()")
    picture = notebook.picture(demo)
    seen = [
        picture.after(lambda: notebook.press(notebook.slider(demo, "mean of q"), "ArrowRight")),
        picture.after(lambda: notebook.press(notebook.slider(demo, "width of q"), "ArrowLeft")),
        picture.after(lambda: notebook.press(notebook.button(demo, "Jump to the best q"), " ")),
        picture.after(lambda: notebook.press(notebook.slider(demo, "x"), "ArrowRight")),
        picture.after(lambda: notebook.choose(notebook.dropdown(demo, "model"), "two latents, both used")),
    ]
    assert len(set(seen)) == len(seen)
    notebook.assert_nothing_failed()
