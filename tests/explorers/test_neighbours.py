"""The neighbours explorer, driven by setting the values of its controls."""

import numpy as np
import pytest
import torch

from course_utils.data import to_pixels
from course_utils.explorers.base import ANY_CLASS, of_class
from course_utils.explorers.neighbours import NeighboursExplorer


def mean_ink(pixels):
    return pixels.flatten(1).mean(dim=1, keepdim=True)


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (60, 28, 28), generator=generator, dtype=torch.uint8)


@pytest.fixture
def explorer(images):
    labels = torch.arange(60) % 3
    return NeighboursExplorer(
        images[:20], labels[:20], images[20:], labels[20:], mean_ink, classes=("a", "b", "c")
    )


def test_every_control_changes_the_picture(explorer, controls_change_the_picture):
    changes = [("query", 3), ("k", 5), ("space", "features"), ("query_class", "c")]
    assert controls_change_the_picture(explorer, changes)


def test_neighbours_are_those_of_a_plain_search(explorer, images):
    for space, rows in (("pixels", to_pixels(images).flatten(1)), ("features", mean_ink(to_pixels(images)))):
        expected = (rows[20:] - rows[7]).norm(dim=1).sort()
        distances, indices = explorer.nearest(7, space, 6)
        assert indices.tolist() == expected.indices[:6].tolist()
        assert torch.allclose(distances, expected.values[:6], atol=1e-5)


def test_the_class_filter_limits_the_queries(explorer):
    assert of_class(explorer.query_labels, explorer.classes, "b").tolist() == [1, 4, 7, 10, 13, 16, 19]
    explorer.controls["query"].value = 19
    explorer.controls["query_class"].value = "b"
    assert explorer.controls["query"].max == 6 and explorer.controls["query"].value == 6
    assert explorer.error is None
    explorer.controls["query_class"].value = ANY_CLASS
    assert explorer.controls["query"].max == 19


def test_a_class_without_queries_is_told(images):
    labels = torch.zeros(20, dtype=torch.int64)
    explorer = NeighboursExplorer(
        images[:20], labels, images[20:32], labels[:12], mean_ink, classes=("a", "b")
    )
    some = bytes(explorer.picture.value)
    explorer.controls["query_class"].value = "b"
    assert explorer.error is None and bytes(explorer.picture.value) != some


def test_wrong_neighbours_are_marked_by_a_frame_and_a_cross(images):
    right, wrong = torch.zeros(20, dtype=torch.int64), torch.ones(20, dtype=torch.int64)
    marked = NeighboursExplorer(images[:20], right, images[20:40], wrong, mean_ink)
    plain = NeighboursExplorer(images[:20], right, images[20:40], right, mean_ink)
    values = {"query_class": ANY_CLASS, "query": 0, "k": 1, "space": "pixels"}
    picture, reference = (np.asarray(explorer.draw(**values)).astype(int) for explorer in (marked, plain))
    differs = np.abs(picture - reference).max(axis=2) > 0
    # The only neighbour's image lies at (128, 24), 76 pixels wide: its frame and the cross in its corner.
    frame, cross, middle = differs[24:27, 128:204], differs[24:42, 186:204], differs[60:80, 140:180]
    assert frame.mean() > 0.9 and cross.mean() > 0.9 and not middle.any()


def test_a_broken_embedding_shows_its_message(explorer):
    explorer.embeddings["features"] = lambda pixels: 1 / 0
    explorer.controls["space"].value = "features"
    assert isinstance(explorer.error, ZeroDivisionError)
    assert "division by zero" in explorer.message.value
    explorer.controls["space"].value = "pixels"
    assert explorer.error is None and explorer.message.value == ""


def test_bad_input_is_told_in_a_sentence(images):
    labels = torch.zeros(60, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"query_labels must be .* \(20,\); got int64 of shape \(19,\)"):
        NeighboursExplorer(images[:20], labels[:19], images[20:], labels[20:], mean_ink)
    with pytest.raises(ValueError, match="gallery at least 12; got 20 and 5"):
        NeighboursExplorer(images[:20], labels[:20], images[:5], labels[:5], mean_ink)


def test_a_shorter_choice_moves_its_slider_and_draws_once(explorer, monkeypatch):
    explorer.controls["query"].value = 19
    drawn, draw = [], explorer.draw
    monkeypatch.setattr(explorer, "draw", lambda **values: drawn.append(values) or draw(**values))
    explorer.controls["query_class"].value = "b"
    assert drawn == [explorer.values()] and drawn[0]["query"] < 19 and explorer.error is None
