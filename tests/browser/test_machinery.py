"""The browser test on small notebooks: that it sees what works, and that it would see what does not."""

import pytest

DEMO = """
import ipywidgets
from PIL import Image

from course_utils.explorers.base import Explorer


class Square(Explorer):
    def __init__(self):
        controls = {
            "side": ipywidgets.IntSlider(3, 1, 6, description="side"),
            "colour": ipywidgets.Dropdown(options=["red", "blue", "none"], description="colour"),
        }
        super().__init__(controls, alt="A square.", width=60, height=60)

    def draw(self, side, colour):
        picture = Image.new("RGB", (60, 60), "white")
        picture.paste(colour, (0, 0, 10 * side, 10 * side))
        return picture


Square()
"""

NAMELESS = """
from IPython.display import HTML

HTML('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==">')
"""

TRAINING = """
import time

from course_utils.training import TrainingRun

run = TrainingRun([0.0] * 3000)
for x in run:
    time.sleep(0.02)
    run.record(loss=x)
"""


def test_a_demo_follows_the_keyboard_and_a_picture_that_stays_or_an_error_fails_the_test(lab):
    with lab.open(lab.write_notebook("demo.ipynb", [DEMO, "print('after the demo')"])) as notebook:
        notebook.run_all()
        demo = notebook.cell("class Square")
        picture = notebook.picture(demo)
        slider, dropdown = notebook.slider(demo, "side"), notebook.dropdown(demo, "colour")
        first = picture.bytes()
        assert first.startswith(b"\x89PNG")
        assert picture.after(lambda: notebook.press(slider, "ArrowRight")) != first
        assert picture.after(lambda: notebook.press(slider, "ArrowLeft")) == first
        assert picture.after(lambda: notebook.choose(dropdown, "blue")) != first
        notebook.assert_nothing_failed()
        with pytest.raises(pytest.fail.Exception, match="bytes were still the same"):
            picture.after(lambda: notebook.press(slider), seconds=1)
        notebook.choose(dropdown, "none")
        demo.locator("[role=alert]").wait_for(timeout=20_000)
        with pytest.raises(AssertionError, match="unknown color specifier: 'none'"):
            notebook.assert_nothing_failed()


def test_a_failing_cell_and_a_picture_without_a_description_fail_the_test(lab):
    path = lab.write_notebook("failing.ipynb", [NAMELESS, "1 / 0", "print('never reached')"])
    with lab.open(path) as notebook, pytest.raises(AssertionError) as failed:
        notebook.run_all()
    for complaint in ("ZeroDivisionError", "without a description: <img src"):
        assert complaint in str(failed.value)


def test_what_goes_wrong_in_the_browser_fails_the_test(lab):
    path = lab.write_notebook("script.ipynb", ["print('nothing wrong here')"])
    with pytest.raises(AssertionError) as failed, lab.open(path) as notebook:
        notebook.run_all()
        notebook.page.evaluate("() => console.error('the widget broke')")
        notebook.page.evaluate("() => { setTimeout(() => { throw Error('the timer broke') }) }")
        notebook.page.evaluate("() => { fetch('http://elsewhere.invalid/script.js').catch(() => {}) }")
        notebook.page.wait_for_timeout(500)
    for complaint in (
        "error in the browser's console: the widget broke",
        "error in the browser: the timer broke",
        "request to another host: http://elsewhere",
    ):
        assert complaint in str(failed.value)


def test_a_notebook_that_asks_for_a_kernel_fails_the_test(lab):
    path = lab.write_notebook("no_kernel.ipynb", ["print('no kernel')"], metadata={})
    with pytest.raises(pytest.fail.Exception, match="with a question: 'Select Kernel"), lab.open(path):
        pass


def test_stop_button_ends_the_training_and_the_next_cells_run(lab):
    after = "print(f'kept {len(run.history[\"loss\"])} losses, stopped: {run.stopped}')"
    with lab.open(lab.write_notebook("training.ipynb", [TRAINING, after])) as notebook:
        notebook.start_all()
        training = notebook.cell("TrainingRun([")
        # The live picture is there, so the loop is under way.
        training.locator("img").wait_for(timeout=30_000)
        notebook.interrupt()
        notebook.wait_until_done(seconds=30)
        printed = notebook.output_text(training)
        assert "Stopped after step" in printed
        assert "The model and its history are kept" in printed
        kept = notebook.output_text(notebook.cell("print(f'kept"))
        assert kept.strip().endswith("stopped: True")
        assert 1 <= int(kept.split()[1]) < 3000
