"""The demo of notebook 05 in the browser: the map of codes follows the keyboard."""

# Built as in the notebook, from the shipped model.
DEMO = """
from course_utils.checkpoints import load_trained
from course_utils.data import load_images
from course_utils.explorers.code_map import CodeMap

data = load_images("strokes")
few = slice(0, 300)
factors = {"slant": data.test_factors["slant"][few]}
conv = load_trained("conv_autoencoder", "strokes")
CodeMap(conv, data.test_images[few], data.test_labels[few], factors, data.classes)
"""


def test_the_code_map_follows_the_keyboard(lab):
    with lab.open(lab.write_notebook("code_map.ipynb", [DEMO])) as notebook:
        notebook.run_all()
        demo = notebook.cell("CodeMap(conv")
        picture = notebook.picture(demo)
        image = notebook.slider(demo, "image")
        start = picture.bytes()
        next_image = picture.after(lambda: notebook.press(image, "ArrowRight"))
        assert picture.after(lambda: notebook.press(image, "ArrowLeft")) == start
        seen = [
            start,
            next_image,
            picture.after(lambda: notebook.choose(notebook.dropdown(demo, "colour"), "slant")),
            picture.after(lambda: notebook.choose(notebook.dropdown(demo, "across"), "z3")),
            picture.after(lambda: notebook.choose(notebook.dropdown(demo, "up"), "PCA 3")),
        ]
        assert len(set(seen)) == len(seen)
        notebook.assert_nothing_failed()
