"""The demos of notebook 11 in the browser: label and noise follow the keyboard, and so do the switches."""

# Built as in the notebook, from the shipped generator.
LABEL_AND_NOISE = """
from course_utils.checkpoints import load_trained
from course_utils.explorers.label_and_noise import LabelAndNoise
from course_utils.settings import DIGITS

LabelAndNoise(load_trained("conditional_gan", "strokes"), DIGITS)
"""


def test_label_and_noise_follow_the_keyboard(lab):
    with lab.open(lab.write_notebook("label_and_noise.ipynb", [LABEL_AND_NOISE])) as notebook:
        notebook.run_all()
        demo = notebook.cell("LabelAndNoise(load_trained")
        picture = notebook.picture(demo)
        label = notebook.slider(demo, "label")
        start = picture.bytes()
        next_label = picture.after(lambda: notebook.press(label, "ArrowRight"))
        assert picture.after(lambda: notebook.press(label, "ArrowLeft")) == start
        seen = [
            start,
            next_label,
            picture.after(lambda: notebook.press(notebook.slider(demo, "noise A"), "ArrowRight")),
            picture.after(lambda: notebook.press(notebook.slider(demo, "noise B"), "ArrowRight")),
            picture.after(lambda: notebook.press(notebook.slider(demo, "from A to B"), "ArrowRight")),
        ]
        assert len(set(seen)) == len(seen)
        notebook.assert_nothing_failed()
