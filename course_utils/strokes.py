"""Shapes in random handwriting, as 28x28 grey images: this is how the digits of `strokes` were drawn.

A shape is a skeleton: control points of pen strokes. To draw it, the points are moved a little and joined by smooth
curves; the curves are bent by a random smooth field, stretched, slanted and rotated, fitted to a box of 20 pixels,
inked with a round pen and centred by mass, as MNIST's digits are. No pixel of another data set is used.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

IMAGE_SIZE = 28  # pixels
BOX_SIZE = 20  # pixels: the longer side of the ink
EDGE_WIDTH = 1.2  # pixels from no ink to full ink

# The random hand: means and standard deviations, found by comparing with real handwriting (data/README.md).
SLANT_MEAN, SLANT_STD = 0.12, 0.28  # tangent of the angle
ROTATION_STD = 0.1  # radians
STRETCH_MEAN, STRETCH_STD = -0.13, 0.19  # natural log of the change of width over height
PEN_WIDTH_MEDIAN, PEN_WIDTH_LOG_STD = 2.4, 0.32  # pixels; of its natural log
MIN_PEN_WIDTH, MAX_PEN_WIDTH = 1.0, 6.0  # pixels
PEN_SHARE_OF_ROOM = 0.6  # widest pen, as a share of the room between strokes
JITTER = 0.03  # of a control point, in boxes
WAVE_COUNT, WAVE_FREQUENCY, WAVE_AMPLITUDE = 6, 3.0, 0.034  # of the bending field, see `_bend`


def draw_shapes(skeletons: Sequence, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Draw one image of each skeleton, each in its own handwriting.

    skeletons: N lists of strokes; a stroke is a float array (n >= 2, 2) of control points (x, y) in the unit
    box, y downwards. seed: an integer >= 0; image i depends on seed, i and skeletons[i] only.
    Returns images, uint8 (N, 28, 28), 0 background and 255 ink, and the factors, name -> float32 (N,):
    "slant" (tangent of the angle; positive leans to the right), "rotation" (radians, clockwise), "stretch"
    (natural log of the change of width over height) and "pen_width" (pixels).
    Raises ValueError if a stroke has another shape, or the seed is no integer >= 0.
    """
    images = np.zeros((len(skeletons), IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    factors = np.zeros((len(skeletons), 4), dtype=np.float32)
    for i, skeleton in enumerate(skeletons):
        strokes, factors[i] = _write_by_hand(skeleton, random_numbers(seed, i, stream=1))
        images[i] = _centre_by_mass(rasterise(strokes, pen_width=factors[i, 3].item()))
    return images, dict(zip(("slant", "rotation", "stretch", "pen_width"), factors.T, strict=True))


def rasterise(strokes: Sequence, pen_width: float) -> np.ndarray:
    """Ink strokes with a round pen: a pixel's grey value follows from its distance to the nearest stroke.

    strokes: a list of polylines, float arrays (n >= 2, 2) of (x, y) in pixels; (0, 0) is the centre of the
    upper left pixel, y points down. pen_width: in pixels. Returns uint8 (28, 28), 0 background and 255 ink.
    Raises ValueError if a stroke has another shape.
    """
    _check_strokes(strokes)
    starts, steps = _segments(strokes)
    pixels = np.arange(IMAGE_SIZE, dtype=np.float64)
    dx = pixels[None, :, None] - starts[:, 0]  # (1, 28, segments)
    dy = pixels[:, None, None] - starts[:, 1]  # (28, 1, segments)
    squared_lengths = np.maximum((steps**2).sum(axis=1), 1e-12)
    # How far along each segment the nearest point lies, 0 at its start and 1 at its end.
    along = np.clip((dx * steps[:, 0] + dy * steps[:, 1]) / squared_lengths, 0, 1)  # (28, 28, segments)
    squared_distances = (dx - along * steps[:, 0]) ** 2 + (dy - along * steps[:, 1]) ** 2
    distance = np.sqrt(squared_distances.min(axis=2))  # (28, 28)
    ink = np.clip(0.5 + (pen_width / 2 - distance) / EDGE_WIDTH, 0, 1)
    return np.rint(255 * ink).astype(np.uint8)


def _write_by_hand(skeleton: Sequence, rng: np.random.Generator) -> tuple[list, tuple]:
    """Turn a skeleton into strokes in pixels, in a random hand; also return the hand's factors."""
    _check_strokes(skeleton)
    slant_n, rotation_n, stretch_n, pen_n = _normal_numbers(rng, 4)
    slant = SLANT_MEAN + SLANT_STD * slant_n
    rotation = ROTATION_STD * rotation_n
    stretch = STRETCH_MEAN + STRETCH_STD * stretch_n
    pen_width = PEN_WIDTH_MEDIAN * np.exp(PEN_WIDTH_LOG_STD * pen_n)
    pen_width = np.clip(pen_width, MIN_PEN_WIDTH, MAX_PEN_WIDTH)

    strokes = [np.asarray(stroke) + JITTER * _normal_numbers(rng, len(stroke), 2) for stroke in skeleton]
    strokes = [_curve_matrix(len(stroke)) @ stroke for stroke in strokes]
    strokes = [stroke * [np.exp(stretch), 1] for stroke in _bend(strokes, rng)]
    room = _room(strokes)
    # y points down, so a lean to the right lowers x as y grows.
    shear = np.array([[1, -slant], [0, 1]])
    turn = np.array([[np.cos(rotation), -np.sin(rotation)], [np.sin(rotation), np.cos(rotation)]])
    strokes = [stroke @ (turn @ shear).T for stroke in strokes]

    # Too wide a pen would close the loops of an 8; shear and turn leave the room between strokes as it is.
    widest = PEN_SHARE_OF_ROOM * room * _scale_to_box(strokes, pen_width)
    pen_width = max(MIN_PEN_WIDTH, min(pen_width, widest))
    return _fit_to_box(strokes, pen_width), (slant, rotation, stretch, pen_width)


def _centre_by_mass(image: np.ndarray) -> np.ndarray:
    """Move an image by whole pixels, such that its centre of mass lies within half a pixel of pixel (14, 14).

    MNIST is centred in the same way; a network trained on exactly centred digits would misread it.
    """
    ink = image.astype(np.float64)
    pixels = np.arange(IMAGE_SIZE)
    mass_centre = np.array([ink.sum(axis=1) @ pixels, ink.sum(axis=0) @ pixels]) / ink.sum()
    # No ink may leave the image: the box of the ink has a margin of 4 pixels on each side.
    margin = (IMAGE_SIZE - BOX_SIZE) // 2
    shift = np.clip(np.rint(IMAGE_SIZE // 2 - mass_centre), -margin, margin).astype(int)
    return np.roll(image, shift, axis=(0, 1))


def _bend(strokes: list, rng: np.random.Generator) -> list:
    """Move all points by a smooth random field: a sum of sine waves of low frequency."""
    waves = WAVE_FREQUENCY * _normal_numbers(rng, WAVE_COUNT, 2)  # radians per box
    phases = 2 * np.pi * rng.random(WAVE_COUNT)
    amplitudes = WAVE_AMPLITUDE * _normal_numbers(rng, WAVE_COUNT, 2)  # boxes
    return [stroke + np.sin(stroke @ waves.T + phases) @ amplitudes for stroke in strokes]


def _room(strokes: list) -> float:
    """The mean distance between neighbouring strokes, about: the area of their bounding box over the length
    of the line beyond one straight crossing. A bar has endless room."""
    length = np.sqrt((_segments(strokes)[1] ** 2).sum(axis=1)).sum()
    width, height = np.ptp(np.concatenate(strokes), axis=0)
    return width * height / max(length - max(width, height), 1e-9)


def _scale_to_box(strokes: list, pen_width: float) -> float:
    return (BOX_SIZE - pen_width) / np.ptp(np.concatenate(strokes), axis=0).max()


def _fit_to_box(strokes: list, pen_width: float) -> list:
    points = np.concatenate(strokes)
    box_centre = (points.min(axis=0) + points.max(axis=0)) / 2
    scale = _scale_to_box(strokes, pen_width)
    return [(stroke - box_centre) * scale + (IMAGE_SIZE - 1) / 2 for stroke in strokes]


def _segments(strokes: Sequence) -> tuple[np.ndarray, np.ndarray]:
    starts = np.concatenate([stroke[:-1] for stroke in strokes])
    return starts, np.concatenate([stroke[1:] for stroke in strokes]) - starts


@lru_cache
def _curve_matrix(point_count: int, steps: int = 5) -> np.ndarray:
    """The matrix (steps (n - 1) + 1, n) from n control points to points of their Catmull-Rom curve, which is
    linear in them."""
    points = np.eye(point_count)
    # The end points are mirrored, so that the curve runs from the first control point to the last.
    points = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.arange(steps)[:, None] / steps
    pieces = [
        p1
        + t / 2 * (p2 - p0)
        + t**2 / 2 * (2 * p0 - 5 * p1 + 4 * p2 - p3)
        + t**3 / 2 * (3 * p1 - p0 - 3 * p2 + p3)
        for p0, p1, p2, p3 in zip(points[:-3], points[1:-2], points[2:-1], points[3:], strict=True)
    ]
    return np.vstack([*pieces, points[-2]])


def random_numbers(seed: int, image: int, stream: int) -> np.random.Generator:
    """The random numbers of one image, of which each stream serves one purpose.

    Raises ValueError if the seed is no integer >= 0.
    """
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed is {seed!r}: expected an integer >= 0")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, image, stream))))


def _normal_numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    # Box and Muller's way, from uniform numbers: numpy may change its own normal numbers between versions.
    radius = np.sqrt(-2 * np.log(1 - rng.random(shape)))
    return radius * np.cos(2 * np.pi * rng.random(shape))


def _check_strokes(strokes: Sequence) -> None:
    shapes = [np.shape(stroke) for stroke in strokes]
    if not shapes or any(len(shape) != 2 or shape[0] < 2 or shape[1] != 2 for shape in shapes):
        raise ValueError(f"strokes has shapes {shapes}: expected one or more strokes of shape (n >= 2, 2)")
