"""Figures: shapes that are accepted, alt text that arrives, colours that readers can tell apart."""

import io
import re
import warnings
from pathlib import Path

import matplotlib
import matplotlib.style
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from course_utils import plots
from course_utils.settings import course_notebooks


def as_array(picture) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(plots.to_png(picture))).convert("RGB"))


def test_grey_images_of_every_kind_become_the_same_bytes():
    stored = np.array([[[0, 51], [102, 255]]], dtype=np.uint8)
    pixels = torch.from_numpy(stored / 255).float()
    for images in (stored, torch.from_numpy(stored), pixels, pixels.unsqueeze(1), pixels.requires_grad_()):
        assert np.array_equal(plots.as_grey(images), stored)


def test_pixels_outside_the_range_are_clipped_and_not_wrapped():
    assert plots.as_grey(np.array([[[-0.5, 1.5]]])).tolist() == [[[0, 255]]]


@pytest.mark.parametrize(
    ("images", "got"),
    [
        (2 * torch.eye(28)[None] - 1, "got float32 from -1 to 1, -0.929 on average"),
        (255 * torch.eye(28)[None], "got float32 from 0 to 255, 9.11 on average"),
        (torch.eye(28)[None] / 0, "got float32 from nan to nan, nan on average"),
        (torch.eye(28)[None].long(), "got int64"),
        (np.zeros((1, 28, 28), dtype=np.int32), "got int32"),
    ],
)
def test_images_in_another_range_are_refused(images, got):
    with pytest.raises(ValueError, match=rf"images must be uint8, or floats in \[0, 1\]; {got}"):
        plots.image_grid(images)


def test_noise_and_masks_are_shown():
    noise = torch.eye(28) + torch.randn(5, 28, 28, generator=torch.Generator().manual_seed(0))
    assert set(plots.as_grey(noise > 0).flatten()) == {0, 255}
    assert plots.as_grey(noise).min() == 0 and plots.as_grey(noise[:0]).shape == (0, 28, 28)


@pytest.mark.parametrize("shape", [(28, 28), (2, 3, 28, 28)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"images must have shape \(N, H, W\) or \(N, 1, H, W\); got"):
        plots.as_grey(torch.zeros(shape))


def test_a_picture_carries_its_description():
    bundle = plots.picture_bundle(np.zeros((2, 2), dtype=np.uint8), 'a "black" square')
    assert bundle["text/plain"] == 'a "black" square'
    assert 'alt="a &quot;black&quot; square" src="data:image/png;base64,iVBO' in bundle["text/html"]


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


@pytest.mark.parametrize("panels", [1, 2, 3])
def test_training_curves_show_their_title(panels):
    history = {f"loss {i}": [(0, 1.0), (1000, 0.5)] for i in range(panels)}
    figure = plots.training_curves(history, "Linear autoencoder: stopped after step 1000 of 1884")
    figure.draw_without_rendering()
    (title,) = (text for text in figure.texts if text.get_text())
    box = title.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width


@pytest.mark.parametrize(("count", "columns"), [(2, 2), (10, 10), (49, 7), (96, 12)])
def test_a_grid_is_as_large_as_a_figure_may_be_and_shows_its_texts(count, columns):
    captions = ["two"] * columns + [""] * (count - columns)
    names = ["the first row"] * (count // columns)
    figure = plots.image_grid(torch.zeros(count, 28, 28), columns, captions[:count], names, "A title, " * 5)
    width, height = figure.get_size_inches()
    assert width <= plots.WIDTH and height <= plots.HEIGHT
    assert width > 0.9 * plots.WIDTH or height > 0.9 * plots.HEIGHT or count == 2
    figure.draw_without_rendering()
    for box in [text.get_window_extent() for text in figure.findobj(Text) if text.get_text()]:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= 100 * width and box.y1 <= 100 * height


@pytest.mark.parametrize("columns", [0, -1, 2.0, "2"])
@pytest.mark.parametrize("draw", [plots.image_grid, plots.tiles])
def test_columns_that_are_no_whole_number_are_refused(draw, columns):
    with pytest.raises(ValueError, match=f"columns must be a whole number, at least 1; got {columns!r}"):
        draw(torch.zeros(2, 28, 28), captions=["a", "b"], columns=columns)


def test_labels_are_captions_as_they_are():
    for captions in ([1, 2, 3], torch.tensor([1, 2, 3]), np.array([1, 2, 3])):
        figure = plots.image_grid(torch.zeros(3, 28, 28), captions=captions, row_names=captions[:1])
        (axes,) = figure.axes
        assert [text.get_text() for text in axes.texts] == ["1", "2", "3", "1"]


@pytest.mark.parametrize("draw", [plots.image_grid, plots.tiles])
def test_pictures_of_no_image_or_with_captions_for_others_are_refused(draw):
    with pytest.raises(ValueError, match="images must hold at least one image; got none"):
        draw(torch.zeros(0, 28, 28), captions=[])
    with pytest.raises(ValueError, match="captions must be as many as images; got 1 for 2 images"):
        draw(torch.zeros(2, 28, 28), captions=["one"])


@pytest.mark.parametrize("count", [130, 150])
def test_images_of_many_rows_with_captions_are_shown_all_the_same(count):
    figure = plots.image_grid(torch.ones(count, 28, 28), captions=range(count))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.draw_without_rendering()
    images = figure.axes[0].images
    assert len(images) == count and min(image.get_window_extent().height for image in images) >= 15


def in_the_course(pattern: str) -> dict[str, list[float]]:
    """What a pattern finds in the modules of the course and in its notebooks, by file."""
    files = [*Path(plots.__file__).parent.rglob("*.py"), *course_notebooks()]
    return {
        path.name: [float(n) for n in re.findall(pattern, path.read_text(encoding="utf-8"))] for path in files
    }


def test_no_letters_are_smaller_than_10_points():
    assert {
        name: found
        for name, found in in_the_course(r"fontsize=([\d.]+)").items()
        if min(found, default=10) < 10
    } == {}


def test_no_figure_is_wider_than_a_page():
    widths = in_the_course(r"(?:new|plain)_figure\(([\d.]+)")
    assert {name: found for name, found in widths.items() if max(found, default=0) > plots.WIDTH} == {}


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


@pytest.mark.parametrize("value", [0.0, 2.5, float("nan")])
def test_a_long_curve_of_equal_values_is_drawn_without_a_warning(value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.to_png(plots.training_curves({"loss": [(step, value) for step in range(500)]}))


# --- the same for every reader ---


def class_map(count: int) -> Figure:
    """A map of points whose ten classes have nearly the same middle."""
    figure, axis = plots.new_figure(6, 5)
    plots.draw_class_map(axis, np.random.default_rng(0).normal(size=(count, 2)), np.arange(count) % 10)
    return figure


def test_a_number_that_was_moved_is_tied_to_the_middle_of_its_points():
    points, labels = np.random.default_rng(0).normal(size=(100, 2)), np.arange(100) % 10
    _, axis = plots.new_figure(6, 5)
    plots.draw_class_map(axis, points, labels)
    for label, (text, line) in enumerate(zip(axis.texts, axis.lines, strict=True)):
        middle, place = line.get_xydata()
        np.testing.assert_allclose(middle, np.median(points[labels == label], axis=0))
        np.testing.assert_allclose(place, text.get_position())


def a_map_with_a_legend():
    """A figure to which a notebook adds lines and texts of its own."""
    figure = class_map(100)
    figure.axes[0].plot([0, 1], [0, 1], label="a line")
    figure.axes[0].text(0, 0, "a text")
    figure.axes[0].legend()
    return figure


FIGURES = {
    "grid": lambda: plots.image_grid(torch.zeros(4, 28, 28), captions=list("abcd"), title="four"),
    "curves": lambda: plots.training_curves({"loss": [(1, 1.0), (2, 0.5)]}, "title"),
    "map": a_map_with_a_legend,
}
STYLES = {"dark": "dark_background", "LaTeX": {"text.usetex": True}, "serif": {"font.family": "serif"}}


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)
@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_the_style_of_the_reader_changes_no_picture(make, style):
    with matplotlib.style.context("default"):
        expected = plots.to_png(make())
    with matplotlib.style.context(style):
        assert plots.to_png(make()) == expected


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_the_style_of_the_reader_is_back_once_a_picture_is_drawn(style):
    with matplotlib.style.context(style):
        before = dict(matplotlib.rcParams)
        first, second = (plots.new_figure(2, 2)[0] for _ in range(2))
        for picture in (first, second, Image.new("L", (4, 4))):
            plots.to_png(picture)
            assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("text", "spelt_out"),
    [
        ("3 × ä, Ж", "3 × ä, Ж"),
        ("き", "ki"),
        ("ア\nつ", "a\ntu"),
        ("日", "ideograph-65e5"),
        ("\U000f0000", "?"),
    ],
)
def test_characters_that_the_font_lacks_are_spelt_out(text, spelt_out):
    assert plots.spelt_out(text) == spelt_out


def figure_in_many_places(name: str) -> Figure:
    figure, axis = plots.new_figure(4, 3)
    axis.plot([0, 1], [0, 1], label=name)
    axis.set(title=name, xlabel=name, ylabel=name)
    axis.set_xticks([0, 1], labels=[name, name])
    axis.text(0.5, 0.5, name)
    axis.legend()
    return figure


def test_names_in_another_script_give_readable_pictures_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert plots.to_png(figure_in_many_places("き")) == plots.to_png(figure_in_many_places("ki"))
        images = np.zeros((1, 28, 28), dtype=np.uint8)
        assert plots.to_png(plots.tiles(images, ["き"])) == plots.to_png(plots.tiles(images, ["ki"]))


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
    assert [text.get_text() for text in class_map(50).axes[0].texts] == list("0123456789")


def test_numbers_of_classes_with_the_same_middle_do_not_cover_each_other():
    figure = class_map(400)
    plots.to_png(figure)
    boxes = [text.get_bbox_patch().get_window_extent() for text in figure.axes[0].texts]
    middles = np.array([((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2) for box in boxes])
    nearest = min(np.linalg.norm(a - b) for i, a in enumerate(middles) for b in middles[:i])
    assert nearest >= max(box.width for box in boxes)


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
