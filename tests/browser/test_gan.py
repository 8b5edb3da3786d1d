"""The demos of notebook 10 in the browser: the theatre plays, steps and resets, and the snapshots follow the slider."""

THEATRE = """
from course_utils.explorers.gan_theatre import GanTheatre

GanTheatre()
"""

SNAPSHOTS = """
import torch
from course_utils.explorers.training_snapshots import TrainingSnapshots

torch.manual_seed(0)
even, one_class = torch.full((10,), 0.1), torch.eye(10)[3]
runs = {
    "healthy": [(step, torch.rand(64, 1, 28, 28), even) for step in (0, 100, 200)],
    "collapsed": [(step, torch.rand(64, 1, 28, 28), one_class) for step in (0, 100)],
}
TrainingSnapshots(runs, tuple("0123456789"))
"""


def test_the_theatre_plays_pauses_steps_and_resets(lab):
    with lab.open(lab.write_notebook("gan_theatre.ipynb", [THEATRE])) as notebook:
        notebook.run_all()
        demo = notebook.cell("GanTheatre()")
        picture = notebook.picture(demo)
        start = picture.bytes()
        # The space bar presses the button that has the focus.
        after_a_step = picture.after(lambda: notebook.press(notebook.button(demo, "Step"), " "))
        frames = [after_a_step]
        notebook.press(notebook.button(demo, "Play"), " ")
        for _ in range(4):
            frames.append(picture.next(frames[-1]))
        assert len({start, *frames}) == 6
        notebook.press(notebook.button(demo, "Pause"), " ")
        notebook.page.wait_for_timeout(1500)
        paused = picture.bytes()
        notebook.page.wait_for_timeout(1000)
        assert picture.bytes() == paused
        assert picture.after(lambda: notebook.press(notebook.button(demo, "Reset"), " ")) == start
        picture.after(lambda: notebook.choose(notebook.dropdown(demo, "data"), "two bumps"))
        still = picture.bytes()
        notebook.press(notebook.slider(demo, "G's learning rate"), "Home")
        picture.after(lambda: notebook.press(notebook.button(demo, "Step"), " "))
        assert picture.bytes() != still
        notebook.assert_nothing_failed()


def test_the_snapshots_follow_the_slider_and_the_drop_down(lab):
    with lab.open(lab.write_notebook("gan_snapshots.ipynb", [SNAPSHOTS])) as notebook:
        notebook.run_all()
        demo = notebook.cell("TrainingSnapshots(runs")
        picture = notebook.picture(demo)
        slider = notebook.slider(demo, "snapshot")
        last = picture.bytes()
        seen = [
            last,
            picture.after(lambda: notebook.press(slider, "ArrowLeft")),
            picture.after(lambda: notebook.press(slider, "Home")),
            picture.after(lambda: notebook.choose(notebook.dropdown(demo, "run"), "collapsed")),
        ]
        assert len(set(seen)) == len(seen)
        notebook.assert_nothing_failed()
