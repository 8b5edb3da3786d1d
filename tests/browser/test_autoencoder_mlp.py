"""The demo of notebook 03 in the browser: the code-size explorer follows the keyboard."""

# Built as in the notebook, with PCA's reconstructions and the shipped model instead of seven trained ones.
DEMO = """
import torch

from course_utils.checkpoints import load_trained
from course_utils.data import load_images, to_pixels
from course_utils.explorers.code_size_explorer import CodeSizeExplorer
from course_utils.judges import pca_reconstruction

data = load_images("strokes")
shown, labels = data.test_images[:60], data.test_labels[:60]
x = to_pixels(shown)
by_pca = {n: pca_reconstruction(data.train_images[:2000], x, n) for n in (2, 30)}
with torch.no_grad():
    x_hat = load_trained("mlp_autoencoder", "strokes")(x)
CodeSizeExplorer(shown, labels, by_pca, {2: x.mean(dim=0).expand_as(x), 30: x_hat}, data.classes)
"""


def test_the_code_size_explorer_follows_the_keyboard(lab):
    with lab.open(lab.write_notebook("code_size_explorer.ipynb", [DEMO])) as notebook:
        notebook.run_all()
        demo = notebook.cell("CodeSizeExplorer(shown")
        picture = notebook.picture(demo)
        size, first = notebook.slider(demo, "code size"), notebook.slider(demo, "first image")
        start = picture.bytes()
        smaller = picture.after(lambda: notebook.press(size, "ArrowLeft"))
        assert picture.after(lambda: notebook.press(size, "ArrowRight")) == start
        seen = [
            start,
            smaller,
            picture.after(lambda: notebook.press(first, "ArrowRight")),
            picture.after(lambda: notebook.choose(notebook.dropdown(demo, "class"), "7")),
        ]
        assert len(set(seen)) == len(seen)
        notebook.assert_nothing_failed()
