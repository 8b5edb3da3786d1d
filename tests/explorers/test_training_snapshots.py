"""Snapshots on a slider: every snapshot has its picture, and classes with too few samples are marked."""

import io

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image

from course_utils.explorers.training_snapshots import ENOUGH, MARGIN, TOP, TrainingSnapshots
from course_utils.plots import BLUE, VERMILION

CLASSES = tuple("0123456789")
EVEN = torch.full((10,), 0.1)
COLLAPSED = torch.tensor([0.96, 0.04, *[0.0] * 8])


def snapshots(count: int, shares=EVEN):
    random = torch.Generator().manual_seed(count)
    return [(100 * i, torch.rand(64, 1, 28, 28, generator=random), shares) for i in range(count)]


@pytest.fixture
def demo() -> TrainingSnapshots:
    return TrainingSnapshots({"healthy": snapshots(5), "collapsed": snapshots(3, COLLAPSED)}, CLASSES)


def pixels(demo) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(demo.picture.value)).convert("RGB"))


def has_colour(picture: np.ndarray, colour: str) -> bool:
    return bool((np.abs(picture - 255 * np.array(to_rgb(colour))).max(axis=2) < 2).any())


def test_it_starts_at_the_last_snapshot_of_the_first_run(demo):
    assert demo.values() == {"run": "healthy", "snapshot": 4}
    shown = pixels(demo)[TOP : TOP + 56 : 2, MARGIN : MARGIN + 56 : 2, 0]
    image = np.rint(255 * demo.runs["healthy"][4][1][0, 0].numpy()).astype(np.uint8)
    assert np.array_equal(shown, image)


def test_the_second_row_holds_the_ninth_image(demo):
    shown = pixels(demo)[TOP + 56 : TOP + 112 : 2, MARGIN : MARGIN + 56 : 2, 0]
    image = np.rint(255 * demo.runs["healthy"][4][1][8, 0].numpy()).astype(np.uint8)
    assert np.array_equal(shown, image)


def test_every_snapshot_of_every_run_has_its_own_picture(demo):
    pictures = set()
    for run, own in demo.runs.items():
        demo.controls["run"].value = run
        for snapshot in range(len(own)):
            demo.controls["snapshot"].value = snapshot
            pictures.add(bytes(demo.picture.value))
    assert len(pictures) == 8 and demo.error is None


def test_a_shorter_run_pulls_the_slider_back(demo):
    demo.controls["run"].value = "collapsed"
    assert demo.controls["snapshot"].max == 2 and demo.controls["snapshot"].value == 2
    demo.controls["run"].value = "healthy"
    assert demo.controls["snapshot"].max == 4


def test_classes_with_too_few_samples_are_marked(demo):
    healthy = pixels(demo)
    demo.controls["run"].value = "collapsed"
    collapsed = pixels(demo)
    assert has_colour(healthy, BLUE) and not has_colour(healthy, VERMILION)
    assert has_colour(collapsed, BLUE) and has_colour(collapsed, VERMILION)
    assert COLLAPSED[1] < ENOUGH


def test_few_images_and_a_single_run_are_fine():
    demo = TrainingSnapshots({"short": [(0, torch.rand(3, 1, 28, 28), EVEN)]}, CLASSES)
    assert demo.error is None and demo.controls["run"].layout.display == "none"


def test_wrong_input_is_told_in_a_sentence():
    with pytest.raises(ValueError, match="runs must hold at least one snapshot each; got \\[0\\]"):
        TrainingSnapshots({"empty": []}, CLASSES)
    with pytest.raises(ValueError, match="one for each of 10 classes; got 9 at step 0"):
        TrainingSnapshots({"run": [(0, torch.rand(3, 1, 28, 28), EVEN[:9])]}, CLASSES)


def test_a_shorter_choice_moves_its_slider_and_draws_once(demo, monkeypatch):
    demo.controls["snapshot"].value = 4
    drawn, draw = [], demo.draw
    monkeypatch.setattr(demo, "draw", lambda **values: drawn.append(values) or draw(**values))
    demo.controls["run"].value = "collapsed"
    assert drawn == [demo.values()] and drawn[0]["snapshot"] < 4 and demo.error is None
