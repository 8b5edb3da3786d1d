"""The demo of notebook 12 in the browser: the scoreboard follows its measures and the chosen models."""

# Built as in the notebook, from the stored scoreboard.
SCOREBOARD = """
from course_utils.explorers.scoreboard_explorer import ScoreboardExplorer
from course_utils.scoreboard import load_scoreboard

ScoreboardExplorer(load_scoreboard("strokes"))
"""


def test_the_scoreboard_follows_its_measures_and_models(lab):
    with lab.open(lab.write_notebook("scoreboard.ipynb", [SCOREBOARD])) as notebook:
        notebook.run_all()
        demo = notebook.cell("ScoreboardExplorer(load")
        picture = notebook.picture(demo)
        start = picture.bytes()
        seen = [
            start,
            picture.after(
                lambda: notebook.choose(notebook.dropdown(demo, "measure"), "CPU seconds to train")
            ),
            picture.after(
                lambda: notebook.choose(
                    notebook.dropdown(demo, "against"), "acceptance: share the judge is sure of"
                )
            ),
        ]
        box = demo.locator(".widget-checkbox", has_text="GAN").first.locator("input")
        seen.append(picture.after(lambda: notebook.press(box, "Space")))
        assert len(set(seen)) == len(seen)
        notebook.assert_nothing_failed()
