"""The demos that Python draws, in the browser: each follows the keyboard.

They are built as in the course's notebooks, from shipped models, in one notebook for all.
"""

import pytest

IMPORTS = """
import torch

from course_utils.checkpoints import load_trained
from course_utils.data import load_images, to_pixels

data = load_images("strokes")
"""
NEIGHBOURS = """
from course_utils.explorers.neighbours import NeighboursExplorer

queries, query_labels = data.test_images[:200], data.test_labels[:200]
gallery, gallery_labels = data.test_images[200:2000], data.test_labels[200:2000]
extractor = load_trained("classifier", "strokes").extractor
NeighboursExplorer(queries, query_labels, gallery, gallery_labels, extractor)
"""
# With PCA's reconstructions and the shipped model instead of seven trained ones.
CODE_SIZES = """
from course_utils.explorers.code_size_explorer import CodeSizeExplorer
from course_utils.judges import pca_reconstruction

shown, labels = data.test_images[:60], data.test_labels[:60]
x = to_pixels(shown)
by_pca = {n: pca_reconstruction(data.train_images[:2000], x, n) for n in (2, 30)}
with torch.no_grad():
    x_hat = load_trained("mlp_autoencoder", "strokes")(x)
CodeSizeExplorer(shown, labels, by_pca, {2: x.mean(dim=0).expand_as(x), 30: x_hat}, data.classes)
"""
CODE_MAP = """
from course_utils.explorers.code_map import CodeMap

few = slice(0, 300)
factors = {"slant": data.test_factors["slant"][few]}
conv = load_trained("conv_autoencoder", "strokes")
CodeMap(conv, data.test_images[few], data.test_labels[few], factors, data.classes)
"""
BETAS = """
from course_utils.explorers.beta_explorer import BetaExplorer

models = {float(beta): load_trained(f"vae_beta_{beta}", "strokes") for beta in ("0.1", "1", "10")}
BetaExplorer(models, data.test_images[:60])
"""
SNAPSHOTS = """
from course_utils.explorers.training_snapshots import TrainingSnapshots

torch.manual_seed(0)
even, one_class = torch.full((10,), 0.1), torch.eye(10)[3]
runs = {
    "healthy": [(step, torch.rand(64, 1, 28, 28), even) for step in (0, 100, 200)],
    "collapsed": [(step, torch.rand(64, 1, 28, 28), one_class) for step in (0, 100)],
}
TrainingSnapshots(runs, data.classes)
"""
SCOREBOARD = """
from course_utils.explorers.scoreboard_explorer import ScoreboardExplorer
from course_utils.scoreboard import load_scoreboard

ScoreboardExplorer(load_scoreboard("strokes"))
"""


@pytest.fixture(scope="module")
def notebook(lab):
    cells = [IMPORTS, NEIGHBOURS, CODE_SIZES, CODE_MAP, BETAS, SNAPSHOTS, SCOREBOARD]
    with lab.open(lab.write_notebook("python_demos.ipynb", cells)) as notebook:
        notebook.run_all()
        yield notebook


def there_and_back(notebook, picture, slider, there, back):
    """The picture now and after the key `there`; the key `back` must bring the first one back."""
    start = picture.bytes()
    other = picture.after(lambda: notebook.press(slider, there))
    assert picture.after(lambda: notebook.press(slider, back)) == start
    return start, other


def assert_all_differ(*pictures):
    assert len(set(pictures)) == len(pictures)


def test_axe_finds_nothing_of_ours(notebook, site_tools):
    notebook.assert_axe_finds_nothing()


def test_the_neighbours_follow_the_query_and_their_number(notebook):
    demo = notebook.cell("NeighboursExplorer(queries")
    picture = notebook.picture(demo)
    picture.after(lambda: notebook.choose(notebook.dropdown(demo, "query class"), "3"))
    picture.after(lambda: notebook.press(notebook.slider(demo, "neighbours"), "ArrowLeft"))
    picture.after(lambda: notebook.press(notebook.button(demo, "features"), " "))
    notebook.assert_nothing_failed()


def test_the_code_sizes_follow_their_sliders_and_the_class(notebook):
    demo = notebook.cell("CodeSizeExplorer(shown")
    picture = notebook.picture(demo)
    size, first = notebook.slider(demo, "code size"), notebook.slider(demo, "first image")
    start, smaller = there_and_back(notebook, picture, size, "ArrowLeft", "ArrowRight")
    next_images = picture.after(lambda: notebook.press(first, "ArrowRight"))
    sevens = picture.after(lambda: notebook.choose(notebook.dropdown(demo, "class"), "7"))
    assert_all_differ(start, smaller, next_images, sevens)
    notebook.assert_nothing_failed()


def test_the_code_map_follows_the_image_the_colour_and_the_axes(notebook):
    demo = notebook.cell("CodeMap(conv")
    picture = notebook.picture(demo)
    image = notebook.slider(demo, "image")
    start, next_image = there_and_back(notebook, picture, image, "ArrowRight", "ArrowLeft")
    by_slant = picture.after(lambda: notebook.choose(notebook.dropdown(demo, "colour"), "slant"))
    across = picture.after(lambda: notebook.choose(notebook.dropdown(demo, "across"), "z3"))
    upwards = picture.after(lambda: notebook.choose(notebook.dropdown(demo, "up"), "PCA 3"))
    assert_all_differ(start, next_image, by_slant, across, upwards)
    notebook.assert_nothing_failed()


def test_the_models_follow_beta_and_the_first_image(notebook):
    demo = notebook.cell("BetaExplorer(models")
    picture = notebook.picture(demo)
    beta, first = notebook.slider(demo, "beta"), notebook.slider(demo, "first image")
    start, larger = there_and_back(notebook, picture, beta, "ArrowRight", "ArrowLeft")
    smaller = picture.after(lambda: notebook.press(beta, "ArrowLeft"))
    next_images = picture.after(lambda: notebook.press(first, "ArrowRight"))
    assert_all_differ(start, larger, smaller, next_images)
    notebook.assert_nothing_failed()


def test_the_snapshots_follow_the_slider_and_the_run(notebook):
    demo = notebook.cell("TrainingSnapshots(runs")
    picture = notebook.picture(demo)
    slider = notebook.slider(demo, "snapshot")
    last = picture.bytes()
    before = picture.after(lambda: notebook.press(slider, "ArrowLeft"))
    first = picture.after(lambda: notebook.press(slider, "Home"))
    collapsed = picture.after(lambda: notebook.choose(notebook.dropdown(demo, "run"), "collapsed"))
    assert_all_differ(last, before, first, collapsed)
    notebook.assert_nothing_failed()


def test_the_scoreboard_follows_its_measures_and_models(notebook):
    demo = notebook.cell("ScoreboardExplorer(load")
    picture = notebook.picture(demo)
    measure, against = notebook.dropdown(demo, "measure"), notebook.dropdown(demo, "against")
    box = demo.locator(".widget-checkbox", has_text="GAN").first.locator("input")
    start = picture.bytes()
    seconds = picture.after(lambda: notebook.choose(measure, "CPU seconds to train"))
    by_share = picture.after(lambda: notebook.choose(against, "acceptance: share the judge is sure of"))
    without_one = picture.after(lambda: notebook.press(box, "Space"))
    assert_all_differ(start, seconds, by_share, without_one)
    notebook.assert_nothing_failed()
