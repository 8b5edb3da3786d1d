"""Notebooks 01 and 02 in the browser: the playground trains, the neighbours and the pad follow the reader."""

import pytest


@pytest.fixture(scope="module")
def mlp_notebook(lab):
    with lab.open("notebooks/01_feature_extraction_mlp.ipynb") as notebook:
        notebook.run_all(seconds=600)
        yield notebook


@pytest.fixture(scope="module")
def cnn_notebook(lab):
    with lab.open("notebooks/02_feature_extraction_cnn.ipynb") as notebook:
        notebook.run_all(seconds=600)
        yield notebook


def test_playground_trains_pauses_steps_and_starts_over(mlp_notebook):
    demo = mlp_notebook.cell("playground = Playground(")
    picture = mlp_notebook.picture(demo)
    frames = [picture.bytes()]
    # The space bar presses the button that has the focus.
    mlp_notebook.press(mlp_notebook.button(demo, "Train"), " ")
    for _ in range(5):
        frames.append(picture.next(frames[-1]))
    assert len(set(frames)) == 6
    mlp_notebook.press(mlp_notebook.button(demo, "Pause"), " ")
    mlp_notebook.page.wait_for_timeout(1500)
    paused = picture.bytes()
    mlp_notebook.page.wait_for_timeout(1000)
    assert picture.bytes() == paused
    picture.after(lambda: mlp_notebook.press(mlp_notebook.button(demo, "Step"), " "))
    picture.after(lambda: mlp_notebook.press(mlp_notebook.button(demo, "Reset"), " "))
    picture.after(lambda: mlp_notebook.choose(mlp_notebook.dropdown(demo, "activation"), "sigmoid"))
    picture.after(lambda: mlp_notebook.press(mlp_notebook.slider(demo, "layers"), "ArrowRight"))
    mlp_notebook.assert_nothing_failed()


def test_neighbours_follow_the_keyboard(cnn_notebook):
    demo = cnn_notebook.cell("explorer = NeighboursExplorer(")
    picture = cnn_notebook.picture(demo)
    picture.after(lambda: cnn_notebook.choose(cnn_notebook.dropdown(demo, "query class"), "3"))
    picture.after(lambda: cnn_notebook.press(cnn_notebook.slider(demo, "neighbours"), "ArrowLeft"))
    picture.after(lambda: cnn_notebook.press(cnn_notebook.button(demo, "features"), " "))
    cnn_notebook.assert_nothing_failed()


def test_pad_follows_the_mouse_and_the_keyboard(cnn_notebook):
    demo = cnn_notebook.cell("pad = DrawingPad(")
    picture = cnn_notebook.picture(demo)
    drawn = picture.after(lambda: cnn_notebook.draw(demo.locator("canvas").first, [(0.5, 0.2), (0.45, 0.8)]))
    assert (
        picture.after(lambda: cnn_notebook.draw(demo.locator("canvas").first, [(0.3, 0.5), (0.7, 0.5)]))
        != drawn
    )
    picture.after(lambda: cnn_notebook.press(cnn_notebook.slider(demo, "turn (°)"), "ArrowRight"))
    picture.after(lambda: cnn_notebook.press(cnn_notebook.slider(demo, "image"), "ArrowRight"))
    cnn_notebook.assert_nothing_failed()
