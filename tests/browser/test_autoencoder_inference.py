"""The demos of notebook 06 in the browser: the pad follows the drag and the keyboard, the others their controls."""

import pytest

# Built as in the notebook, from the shipped model and two numbers of its code.
DEMOS = [
    """
import torch

from course_utils.checkpoints import load_trained
from course_utils.data import load_images, to_pixels
from course_utils.explorers.code_pad import CodePad
from course_utils.explorers.interpolation import InterpolationExplorer
from course_utils.explorers.reconstruction_pad import ReconstructionPad
from course_utils.judges import load_judge, probabilities

data, model, judge = load_images("strokes"), load_trained("conv_autoencoder", "strokes"), load_judge("strokes")
images, labels = data.test_images[:300], data.test_labels[:300]
with torch.no_grad():
    codes = model.encode(to_pixels(images))
""",
    """
def decode(z):
    return model.decode(torch.cat([z, codes[:1, 2:]], dim=1))


CodePad(decode, codes[:, :2], labels, images, lambda x: probabilities(judge, x), data.classes)
""",
    "InterpolationExplorer(model, images, labels, lambda x: probabilities(judge, x), data.classes)",
    'ReconstructionPad({"a model": model}, images)',
]


@pytest.fixture(scope="module")
def notebook(lab):
    with lab.open(lab.write_notebook("autoencoder_inference.ipynb", DEMOS)) as notebook:
        notebook.run_all()
        yield notebook


def test_the_code_pad_follows_the_drag_before_the_button_is_released(notebook):
    demo, mouse = notebook.cell("CodePad(decode"), notebook.page.mouse
    picture, box = notebook.picture(demo), map_of(demo)
    seen = [picture.bytes()]
    mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    seen.append(picture.after(mouse.down))
    for share in (0.4, 0.5, 0.6):
        place = (box["x"] + share * box["width"], box["y"] + share * box["height"])
        seen.append(picture.after(lambda place=place: mouse.move(*place, steps=5)))
    mouse.up()
    assert len(set(seen)) == len(seen)
    notebook.assert_nothing_failed()


def test_the_code_pad_follows_the_keyboard_and_takes_the_point_along(notebook):
    demo = notebook.cell("CodePad(decode")
    picture, point_map = notebook.picture(demo), demo.locator("canvas").first
    place = point_map.evaluate("canvas => canvas.toDataURL()")
    start = picture.bytes()
    moved = picture.after(lambda: notebook.press(notebook.slider(demo, "z1"), "ArrowRight", "ArrowRight"))
    assert point_map.evaluate("canvas => canvas.toDataURL()") != place
    up = picture.after(lambda: notebook.press(notebook.slider(demo, "z2"), "ArrowUp"))
    assert len({start, moved, up}) == 3
    notebook.assert_nothing_failed()


def test_the_walk_follows_the_keyboard(notebook):
    demo = notebook.cell("InterpolationExplorer(model")
    picture = notebook.picture(demo)
    seen = [picture.bytes()]
    for label in ("how far", "from", "to"):
        seen.append(
            picture.after(lambda label=label: notebook.press(notebook.slider(demo, label), "ArrowRight"))
        )
    assert len(set(seen)) == len(seen)
    notebook.assert_nothing_failed()


def test_a_drawn_digit_is_reconstructed(notebook):
    demo = notebook.cell("ReconstructionPad({")
    picture, sheet = notebook.picture(demo), demo.locator("canvas").first
    seen = [picture.bytes()]
    for stroke in ([(0.3, 0.2), (0.7, 0.2)], [(0.7, 0.2), (0.4, 0.8)]):
        seen.append(picture.after(lambda stroke=stroke: notebook.draw(sheet, stroke)))
    seen.append(picture.after(lambda: notebook.press(notebook.slider(demo, "noise"), "ArrowRight")))
    seen.append(picture.after(lambda: notebook.press(notebook.slider(demo, "image"), "ArrowRight")))
    assert len(set(seen)) == len(seen)
    notebook.assert_nothing_failed()


def map_of(demo) -> dict[str, float]:
    """Where the map of the pad is on the page, after scrolling to it."""
    canvas = demo.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    return canvas.bounding_box()
