"""The snapshots of notebook 10 in the browser follow the slider."""

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
