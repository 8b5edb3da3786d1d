"""Figures: shapes that are accepted, alt text that arrives, colours that readers can tell apart."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils import plots


def as_array(picture) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(plots.to_png(picture))).convert("RGB"))


def test_grey_images_of_every_kind_become_the_same_bytes():
    stored = np.array([[[0, 51], [102, 255]]], dtype=np.uint8)
    pixels = torch.from_numpy(stored / 255).float()
    for images in (stored, torch.from_numpy(stored), pixels, pixels.unsqueeze(1), pixels.requires_grad_()):
        assert np.array_equal(plots.as_grey(images), stored)


def test_pixels_outside_the_range_are_clipped_and_not_wrapped():
    assert plots.as_grey(np.array([[[-0.5, 1.5]]])).tolist() == [[[0, 255]]]


@pytest.mark.parametrize("shape", [(28, 28), (2, 3, 28, 28)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"images must have shape \(N, H, W\) or \(N, 1, H, W\); got"):
        plots.as_grey(torch.zeros(shape))


def test_a_picture_carries_its_description():
    data, metadata = plots.picture_bundle(np.zeros((2, 2), dtype=np.uint8), "a black square")
    assert data["text/plain"] == metadata["image/png"]["alt"] == "a black square"


def test_a_picture_without_description_is_refused():
    with pytest.raises(ValueError, match="alt must be a sentence"):
        plots.show(np.zeros((2, 2), dtype=np.uint8), " ")


def test_a_grid_shows_its_images_in_reading_order():
    images = torch.zeros(5, 28, 28)
    images[4] = 1.0
    grid = as_array(plots.image_grid(images, columns=3))
    height, width = grid.shape[:2]
    # The fifth image is the second of the second row: white on black. The sixth place stays empty: white too.
    assert grid[height // 4, width // 2].tolist() == [0, 0, 0]
    assert grid[3 * height // 4, width // 2].tolist() == [255, 255, 255]
    assert grid[3 * height // 4, width // 6].tolist() == [0, 0, 0]


def test_a_long_curve_shows_mean_and_range():
    values = [1.0, 3.0] * 500
    figure = plots.training_curves({"loss": list(enumerate(values))})
    assert figure.axes[0].lines[0].get_ydata() == pytest.approx(2.0)
    heights = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (1.0, 3.0)


@pytest.mark.parametrize("steps", [1, 3, 500])
def test_curves_of_any_length_are_drawn(steps):
    history = {"loss": [(step, 1.0 / step) for step in range(1, steps + 1)], "accuracy": [(1, 0.5)]}
    figure = plots.training_curves(history, "title", 0.5, torch.zeros(3, 1, 28, 28))
    assert [axis.get_title() for axis in figure.axes][1:] == ["accuracy: 0.5", "now"]
    assert as_array(figure).std() > 0


def colour_blind(colour: str, kind: str) -> np.ndarray:
    """What a dichromat sees, in linear RGB: matrices of Vienot, Brettel and Mollon (1999)."""
    matrices = {
        "protan": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
        "deutan": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    }
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.array(matrices[kind]) @ rgb**2.2


@pytest.mark.parametrize("kind", ["protan", "deutan"])
def test_the_palette_can_be_told_apart_by_colour_blind_readers(kind):
    seen = [colour_blind(colour, kind) for colour in plots.PALETTE]
    nearest = min(np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i])
    assert nearest > 0.1


def test_a_class_map_names_every_class():
    labels = np.repeat(np.arange(10), 5)
    figure = plots.class_map(np.random.default_rng(0).normal(size=(50, 2)), labels, "map")
    assert [text.get_text() for text in figure.axes[0].texts] == list("0123456789")


def test_a_wrong_tile_is_marked_by_shape_as_well_as_colour():
    images = np.zeros((2, 28, 28), dtype=np.uint8)
    plain, marked = (
        np.array(plots.tiles(images, ["a", "b"], wrong=[False, w], columns=2)) for w in (False, True)
    )
    width = plain.shape[1] // 2
    assert np.array_equal(plain[:, :width], marked[:, :width])
    # The cross lies on the image itself: black there without the mark.
    changed = (plain[:, width:] != marked[:, width:]).any(axis=2)
    assert changed.sum() > 200
