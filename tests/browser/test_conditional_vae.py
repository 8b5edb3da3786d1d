"""The demos of notebook 09 in the browser: all classes follow the reader's handwriting, and the style sliders."""

# Built as in the notebook, from the shipped models.
LOADING = """
from course_utils.checkpoints import load_trained
from course_utils.data import load_images, to_pixels
from course_utils.explorers.handwriting import HandwritingPad, StyleExplorer
from course_utils.judges import load_judge

data, judge = load_images("strokes"), load_judge("strokes")
cvae = load_trained("conditional_vae", "strokes")


def decode(z, y):
    return cvae.decode(z, y).sigmoid()
"""
PAD = "HandwritingPad(cvae.encode, decode, judge, data.test_images[:20], data.classes)"
STYLES = """
mu, _ = cvae.encode(to_pixels(data.test_images[:100]), data.test_labels[:100])
StyleExplorer(decode, mu, data.classes)
"""
SEVEN = [(0.25, 0.2), (0.75, 0.2), (0.4, 0.85)]


def test_the_demos_follow_the_mouse_and_the_keyboard(lab):
    with lab.open(lab.write_notebook("handwriting.ipynb", [LOADING, PAD, STYLES])) as notebook:
        notebook.run_all()
        pad = notebook.cell("HandwritingPad(cvae")
        picture = notebook.picture(pad)
        seen = [
            picture.bytes(),
            picture.after(lambda: notebook.draw(pad.locator("canvas").first, SEVEN)),
            picture.after(lambda: notebook.choose(notebook.dropdown(pad, "drawn as"), "3")),
            picture.after(lambda: notebook.press(notebook.slider(pad, "image"), "ArrowRight")),
        ]
        assert len(set(seen)) == len(seen)

        styles = notebook.cell("StyleExplorer(decode")
        picture = notebook.picture(styles)
        start = picture.bytes()
        moved = picture.after(lambda: notebook.press(notebook.slider(styles, "style 1"), "ArrowRight"))
        assert picture.after(lambda: notebook.press(notebook.slider(styles, "style 1"), "ArrowLeft")) == start
        seen = [
            start,
            moved,
            picture.after(lambda: notebook.choose(notebook.dropdown(styles, "class"), "7")),
            picture.after(lambda: notebook.press(notebook.slider(styles, "start"), "ArrowRight")),
        ]
        assert len(set(seen)) == len(seen)
        notebook.assert_nothing_failed()
