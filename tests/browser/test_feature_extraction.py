"""The neighbours of notebook 02 in the browser follow the reader."""

# Built as in the notebook, from a shipped model.
DEMO = """
from course_utils.checkpoints import load_trained
from course_utils.data import load_images
from course_utils.explorers.neighbours import NeighboursExplorer

strokes, classifier = load_images("strokes"), load_trained("classifier", "strokes")
queries, gallery = strokes.test_images[:200], strokes.test_images[200:2000]
query_labels, gallery_labels = strokes.test_labels[:200], strokes.test_labels[200:2000]
NeighboursExplorer(queries, query_labels, gallery, gallery_labels, classifier.extractor)
"""


def test_neighbours_follow_the_keyboard(lab):
    with lab.open(lab.write_notebook("neighbours.ipynb", [DEMO])) as notebook:
        notebook.run_all()
        demo = notebook.cell("NeighboursExplorer(queries")
        picture = notebook.picture(demo)
        picture.after(lambda: notebook.choose(notebook.dropdown(demo, "query class"), "3"))
        picture.after(lambda: notebook.press(notebook.slider(demo, "neighbours"), "ArrowLeft"))
        picture.after(lambda: notebook.press(notebook.button(demo, "features"), " "))
        notebook.assert_nothing_failed()
