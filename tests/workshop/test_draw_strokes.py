"""The embedded data set: the file holds what the generator draws, and its factors show in the pixels."""

import hashlib

import numpy as np
import pytest

from course_utils import strokes
from course_utils.settings import STROKES_FILE
from workshop import draw_strokes

SPLITS = {
    "train": (draw_strokes.TRAIN_COUNT, draw_strokes.TRAIN_SEED),
    "test": (draw_strokes.TEST_COUNT, draw_strokes.TEST_SEED),
}
FACTORS = ("slant", "rotation", "stretch", "pen_width", "variant")


@pytest.fixture(scope="module")
def shipped():
    with np.load(STROKES_FILE, allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def moments(shipped):
    """Mass centre and second central moments of the test images, in pixels; y points down."""
    ink = shipped["test_images"] / 255.0
    mass = ink.sum(axis=(1, 2))
    axis = np.arange(28)
    x, y = ink.sum(axis=1) @ axis / mass, ink.sum(axis=2) @ axis / mass
    xx = ink.sum(axis=1) @ axis**2 / mass - x**2
    yy = ink.sum(axis=2) @ axis**2 / mass - y**2
    xy = np.einsum("nij,i,j->n", ink, axis, axis) / mass - x * y
    return {"mass": mass, "x": x, "y": y, "xx": xx, "yy": yy, "xy": xy}


def correlation_within_classes(a, b, labels):
    a, b = a.astype(float), b.astype(float)
    for digit in np.unique(labels):
        a[labels == digit] -= a[labels == digit].mean()
        b[labels == digit] -= b[labels == digit].mean()
    return np.corrcoef(a, b)[0, 1]


def test_checksum_file_matches():
    digest, name = STROKES_FILE.with_name("strokes.npz.sha256").read_text().split()
    assert name == "strokes.npz"
    assert digest == hashlib.sha256(STROKES_FILE.read_bytes()).hexdigest()


def test_file_is_small():
    assert STROKES_FILE.stat().st_size <= 6_000_000


@pytest.mark.parametrize("split", SPLITS)
def test_arrays_have_the_promised_shapes_and_types(shipped, split):
    count, _ = SPLITS[split]
    assert shipped[f"{split}_images"].shape == (count, 28, 28)
    assert shipped[f"{split}_images"].dtype == np.uint8
    assert shipped[f"{split}_labels"].shape == (count,)
    assert shipped[f"{split}_labels"].dtype == np.int64
    for name in FACTORS:
        assert shipped[f"{split}_{name}"].shape == (count,)
        assert shipped[f"{split}_{name}"].dtype == np.float32


@pytest.mark.parametrize("split", SPLITS)
def test_generator_draws_the_shipped_images(shipped, split):
    count, seed = SPLITS[split]
    labels = draw_strokes.balanced_labels(count, seed)
    assert np.array_equal(labels, shipped[f"{split}_labels"])
    images, factors = draw_strokes.draw_digits(labels[:100], seed)
    # Another processor may round sines differently in the last bit, which can move a grey value by one.
    difference = np.abs(images.astype(int) - shipped[f"{split}_images"][:100])
    assert difference.max() <= 1
    assert tuple(factors) == FACTORS
    for name in FACTORS:
        np.testing.assert_allclose(factors[name], shipped[f"{split}_{name}"][:100], atol=1e-5)


def test_variant_names_the_skeleton(shipped):
    labels, variants = shipped["test_labels"][:50], shipped["test_variant"][:50].astype(int)
    skeletons = [
        draw_strokes.SKELETONS[label][variant] for label, variant in zip(labels, variants, strict=True)
    ]
    images, _ = strokes.draw_shapes(skeletons, draw_strokes.TEST_SEED)
    assert np.abs(images.astype(int) - shipped["test_images"][:50]).max() <= 1


@pytest.mark.parametrize("split", SPLITS)
def test_classes_are_balanced_and_shuffled(shipped, split):
    labels = shipped[f"{split}_labels"]
    assert (np.bincount(labels) == len(labels) // 10).all()
    # In shuffled order about one neighbour in ten is equal.
    assert 0.05 < (labels[1:] == labels[:-1]).mean() < 0.15


def test_every_variant_occurs(shipped):
    for digit, skeletons in draw_strokes.SKELETONS.items():
        counts = np.bincount(shipped["train_variant"][shipped["train_labels"] == digit].astype(int))
        assert len(counts) == len(skeletons)
        assert counts.min() > 0.6 * 2000 / len(skeletons)


def test_no_image_occurs_twice(shipped):
    images = np.concatenate([shipped["train_images"], shipped["test_images"]])
    assert len({image.tobytes() for image in images}) == len(images)


def test_images_are_centred_by_mass(moments):
    for axis in ("x", "y"):
        assert np.abs(moments[axis] - 14).max() < 0.51


def test_ink_fills_a_box_of_20_pixels(shipped):
    rows, columns = (shipped["test_images"] > 127).any(axis=2), (shipped["test_images"] > 127).any(axis=1)
    longer_side = np.maximum(rows.sum(axis=1), columns.sum(axis=1))
    assert longer_side.min() >= 18
    assert longer_side.max() <= 21


def test_slant_leans_the_digits(shipped, moments):
    lean = -moments["xy"] / moments["yy"]
    assert correlation_within_classes(lean, shipped["test_slant"], shipped["test_labels"]) > 0.6


def test_rotation_turns_the_bars(shipped, moments):
    bars = (shipped["test_labels"] == 1) & (shipped["test_variant"] == 0)
    # A bar leans by slant and rotation together (both clockwise for a bar that leans to the right).
    lean = np.arctan(-moments["xy"] / moments["yy"])[bars]
    turned = lean - np.arctan(shipped["test_slant"][bars])
    assert np.corrcoef(turned, shipped["test_rotation"][bars])[0, 1] > 0.6


def test_stretch_widens_the_digits(shipped, moments):
    # Slanting adds to xx; its share xy^2 / yy is taken out.
    upright_xx = moments["xx"] - moments["xy"] ** 2 / moments["yy"]
    width_over_height = np.log(upright_xx / moments["yy"]) / 2
    loops = np.isin(shipped["test_labels"], (0, 3, 8))
    stretch, labels = shipped["test_stretch"][loops], shipped["test_labels"][loops]
    assert correlation_within_classes(width_over_height[loops], stretch, labels) > 0.5


def test_ink_grows_with_pen_width(shipped, moments):
    pen_width, labels = shipped["test_pen_width"], shipped["test_labels"]
    assert correlation_within_classes(moments["mass"], pen_width, labels) > 0.8


def test_factors_vary(shipped):
    assert shipped["train_slant"].std() > 0.2
    assert shipped["train_pen_width"].std() > 0.4
    assert shipped["train_pen_width"].min() >= strokes.MIN_PEN_WIDTH
    assert shipped["train_pen_width"].max() <= strokes.MAX_PEN_WIDTH


def test_an_image_depends_on_seed_and_place_only():
    labels = np.arange(10)
    images, factors = draw_strokes.draw_digits(labels, seed=5)
    first_images, first_factors = draw_strokes.draw_digits(labels[:4], seed=5)
    assert np.array_equal(images[:4], first_images)
    assert all(np.array_equal(factors[name][:4], first_factors[name]) for name in FACTORS)
    assert not np.array_equal(images, draw_strokes.draw_digits(labels, seed=6)[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: draw_strokes.draw_digits(np.array([3, 10]), 0),
            "labels contains 10: expected integers from 0",
        ),
        (
            lambda: draw_strokes.draw_digits(np.array([-1]), 0),
            "labels contains -1: expected integers from 0 to 9",
        ),
        (lambda: draw_strokes.draw_digits(np.array([1.0]), 0), r"labels has .*float64: expected integers"),
        (lambda: draw_strokes.draw_digits(np.zeros((2, 2), int), 0), r"labels has shape \(2, 2\).*expected"),
        (lambda: draw_strokes.draw_digits(np.array([1]), -1), "seed is -1: expected an integer >= 0"),
        (lambda: draw_strokes.draw_digits(np.array([1]), 0.5), "seed is 0.5: expected an integer >= 0"),
    ],
)
def test_bad_input_gets_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_saving_twice_gives_the_same_bytes(tmp_path):
    arrays = {"images": np.arange(100, dtype=np.uint8)}
    contents = []
    for name in ("a.npz", "b.npz"):
        draw_strokes.save_data(arrays, tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    digest = hashlib.sha256(contents[0]).hexdigest()
    assert (tmp_path / "a.npz.sha256").read_text() == f"{digest}  a.npz\n"


def test_failed_saving_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    path.write_bytes(b"old")

    def fail(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(OSError, match="disk full"):
        draw_strokes.save_data({}, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
