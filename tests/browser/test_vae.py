"""The slider over beta of notebook 08 in the browser: it follows the keyboard."""

# Built as in the notebook, from shipped models.
DEMO = """
from course_utils.checkpoints import load_trained
from course_utils.data import load_images
from course_utils.explorers.beta_explorer import BetaExplorer

models = {float(beta): load_trained(f"vae_beta_{beta}", "strokes") for beta in ("0.1", "1", "10")}
BetaExplorer(models, load_images("strokes").test_images[:60])
"""


def test_the_slider_over_beta_follows_the_keyboard(lab):
    with lab.open(lab.write_notebook("beta_explorer.ipynb", [DEMO])) as notebook:
        notebook.run_all()
        demo = notebook.cell("BetaExplorer(models")
        picture = notebook.picture(demo)
        beta, first = notebook.slider(demo, "beta"), notebook.slider(demo, "first image")
        start = picture.bytes()
        larger = picture.after(lambda: notebook.press(beta, "ArrowRight"))
        assert picture.after(lambda: notebook.press(beta, "ArrowLeft")) == start
        seen = [
            start,
            larger,
            picture.after(lambda: notebook.press(beta, "ArrowLeft")),
            picture.after(lambda: notebook.press(first, "ArrowRight")),
        ]
        assert len(set(seen)) == len(seen)
        notebook.assert_nothing_failed()
