"""The embedded data set `strokes`: handwriting-like 28x28 grey images of the ten digits, drawn by code.

Every digit has a few skeletons: hand-placed control points of pen strokes (the table `SKELETONS`). To draw an
image, the points are moved a little, joined by a smooth curve, bent by a random smooth field, then stretched,
slanted and rotated, fitted to a box of 20 pixels and inked with a round pen. No pixel of any other data set is used.

Image i depends only on (seed, i) and its label or shape, so any first part of the data can be drawn again.

`python -m course_utils.strokes` writes the data file anew.
"""

import argparse
import hashlib
import os
from functools import lru_cache
from pathlib import Path

import numpy as np

IMAGE_SIZE = 28
BOX_SIZE = 20
TRAIN_COUNT, TRAIN_SEED = 20_000, 1
TEST_COUNT, TEST_SEED = 4_000, 2
DATA_FILE = Path(__file__).resolve().parent.parent / "data" / "strokes.npz"
FACTORS = ("slant", "rotation", "stretch", "pen_width", "variant")

# One line per stroke: control points "x,y" in hundredths of a box, x to the right, y downwards.
# A sharp corner is the end of one stroke and the start of the next.
SKELETON_TABLE = {
    0: [
        ["50,0 18,18 5,55 22,90 52,100 85,80 95,42 80,10 50,0"],  # round
        ["50,0 28,22 20,55 30,90 50,100 72,82 80,45 70,12 50,0"],  # narrow
        ["75,12 48,0 18,22 6,62 28,97 66,95 92,62 88,25 62,2 38,6"],  # overlapping at the top
        ["36,3 12,32 8,70 38,100 78,86 95,45 78,10 60,6"],  # open at the top
        ["62,16 38,4 10,38 14,82 52,100 90,68 86,24 62,2 44,20"],  # ends in a hook inside
        ["70,2 35,15 10,55 18,92 45,98 78,70 92,28 70,2"],  # leaning egg
    ],
    1: [
        ["50,0 50,50 50,100"],  # bar
        ["53,0 48,50 50,100"],  # bent bar
        ["50,0 52,35 48,70 50,100"],  # wavy bar
        ["28,24 42,14 54,0", "54,0 54,50 54,100"],  # flag
        ["25,26 42,14 52,0", "52,0 52,50 52,100", "22,100 50,99 80,100"],  # flag and base
        ["38,10 52,0", "52,0 52,50 50,100"],  # short flag
    ],
    2: [
        ["10,24 34,2 70,4 84,30 60,62 10,98", "10,98 50,97 95,96"],  # straight base
        ["12,20 38,0 75,8 80,36 50,70 18,94 6,84 24,74 52,88 95,96"],  # small loop
        ["8,22 36,0 72,6 78,36 50,72 20,98 2,82 22,62 55,84 98,86"],  # large loop
        ["10,14 40,0 78,10 82,38 46,76 14,95 30,92 60,92 95,100"],  # rounded turn
        ["22,34 14,18 40,0 78,10 80,40 42,78 8,100", "8,100 40,90 70,98 96,92"],  # curled start, wavy base
        ["5,8 45,2 80,14 70,48 30,80 5,96", "5,96 45,92 90,98"],  # flat top
        ["20,20 48,2 72,16 62,46 34,78 12,96 30,90 98,78"],  # rising base
    ],
    3: [
        ["12,14 44,0 78,16 66,40 38,48", "38,48 76,54 88,78 54,100 8,90"],  # round
        ["10,4 48,4 84,4", "84,4 62,24 42,40", "42,40 78,48 90,74 56,98 10,92"],  # flat top
        ["10,16 42,0 76,14 66,40 42,50 34,44 50,44 86,60 82,88 44,100 8,86"],  # small loop in the middle
        ["14,10 52,0 80,18 62,42 50,48 72,54 88,76 60,98 12,94"],  # soft notch
        ["16,12 50,0 74,14 62,32 40,40", "40,40 84,48 92,78 52,100 6,84"],  # large lower bow
        ["6,18 44,0 86,16 78,42 40,56", "40,56 72,60 78,82 46,100 12,94"],  # large upper bow
        ["18,22 22,6 58,0 78,20 58,42 34,50", "34,50 74,52 86,76 58,100 22,96 12,80"],  # curled ends
    ],
    4: [
        ["20,4 14,28 8,54", "8,54 50,52 94,48", "76,6 72,50 68,100"],  # open, straight
        ["14,4 8,36 26,54 60,48 84,34", "86,2 80,48 72,100"],  # open, round
        ["66,0 36,30 6,62", "6,62 50,60 96,60", "66,0 66,50 64,100"],  # closed triangle
        ["72,0 34,16 10,40 30,52 78,42", "76,0 74,45 64,100"],  # closed, round
        ["20,2 10,44", "10,44 40,46 80,42", "80,42 84,6", "84,6 78,50 72,100"],  # one pen path
        ["26,0 14,36 22,52 50,52 96,44", "66,24 62,60 58,100"],  # short stem, long bar
    ],
    5: [
        ["32,4 26,24 22,46", "22,46 50,36 82,48 86,76 56,98 8,94", "32,4 60,4 92,0"],  # detached cap
        ["92,4 60,2 34,6 26,28 26,44 60,40 88,62 76,90 40,100 6,90"],  # one smooth path
        ["90,0 36,4", "36,4 24,46", "24,46 66,40 86,66 64,96 10,98"],  # one path with corners
        ["86,4 48,4 26,20 34,42 66,54 78,76 52,98 10,92"],  # like an S
        ["38,12 28,32 24,50", "24,50 58,42 80,62 70,92 36,100 10,84", "40,8 70,10 98,2"],  # gap at the cap
        ["30,10 24,44 46,46 68,58 66,84 40,98 8,88", "30,10 64,6 100,6"],  # small bow, long cap
    ],
    6: [
        ["72,0 34,24 10,62 24,94 60,100 86,80 72,58 38,60 14,78"],  # curled
        ["56,0 30,36 14,72 34,98 66,92 72,66 46,58 20,76"],  # small loop
        ["44,0 18,40 10,76 38,100 80,92 88,64 56,50 22,62 12,78"],  # large loop
        ["88,6 52,4 20,32 8,70 34,98 74,94 84,66 54,52 14,68"],  # bent head
        ["36,0 24,40 22,78 44,100 74,90 76,66 52,58 24,72"],  # straight stem
        ["66,0 30,38 12,76 34,100 66,86 60,64 34,70 26,92"],  # loop ends inside
    ],
    7: [
        ["6,8 50,6 92,4", "92,4 62,50 42,100"],  # plain
        ["4,12 40,6 82,4 90,14 64,52 48,100"],  # rounded corner
        ["6,8 50,6 92,4", "92,4 66,50 46,100", "34,50 62,50 92,46"],  # with a bar
        ["8,26 10,8", "10,8 50,8 90,6", "90,6 66,50 56,100"],  # with a serif
        ["4,22 22,6 52,12 92,4 78,40 62,68 56,100"],  # wavy top
        ["10,4 48,4 88,8", "88,8 80,50 74,100"],  # steep stem
        ["6,20 8,6 50,8 88,6 80,26 58,58 48,100", "36,54 60,54 84,52"],  # serif and bar
    ],
    8: [
        ["78,14 50,0 22,18 46,46 80,70 56,100 20,82 44,50 76,28 78,14"],  # one path
        ["50,0 24,22 50,46 76,22 50,0", "50,46 18,74 50,100 82,74 50,46"],  # two circles
        ["86,12 52,0 24,20 50,46 78,74 48,100 20,80 48,50 88,20"],  # open at the top right
        ["50,2 28,20 52,48 72,76 48,100 26,78 50,48 74,22 50,2"],  # narrow
        ["70,8 40,0 16,20 44,42 84,66 66,98 22,90 32,60 64,36 74,14"],  # large lower loop
        ["80,22 54,0 16,16 40,50 68,74 50,100 28,80 52,52 80,22"],  # large upper loop
    ],
    9: [
        ["80,14 44,0 12,24 30,50 66,42 82,12", "82,12 78,50 72,100"],  # straight stem
        ["80,16 48,0 16,22 34,48 72,38 80,14 78,60 62,94 18,96"],  # hooked stem
        ["74,18 46,4 18,26 34,50 66,40 78,10 74,48 58,100"],  # one path
        ["82,6 40,4 14,28 38,48 82,30", "82,6 80,50 78,100"],  # open loop
        ["60,2 24,12 16,40 48,50 76,24 60,2 78,30 72,70 46,100"],  # round head, bent stem
        ["84,20 56,0 24,14 20,40 50,50 84,20 66,62 36,100"],  # leaning
    ],
}


def _parse_stroke(text):
    return np.array([[float(number) for number in point.split(",")] for point in text.split()]) / 100


SKELETONS = {
    digit: [[_parse_stroke(stroke) for stroke in skeleton] for skeleton in skeletons]
    for digit, skeletons in SKELETON_TABLE.items()
}


@lru_cache
def _catmull_rom_matrix(point_count, steps=8):
    """The matrix that turns control points (n, 2) into curve points: a Catmull-Rom curve is linear in them."""
    padded = np.eye(point_count)
    # End points are mirrored, so that the curve starts and ends at its own control points.
    padded = np.vstack([2 * padded[0] - padded[1], padded, 2 * padded[-1] - padded[-2]])
    t = np.arange(steps)[:, None] / steps
    rows = [
        0.5 * (2 * p1 + t * (p2 - p0) + t**2 * (2 * p0 - 5 * p1 + 4 * p2 - p3) + t**3 * (3 * p1 - p0 - 3 * p2 + p3))
        for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]
    return np.vstack([*rows, padded[-2:-1]])


def _normals(rng, *shape):
    # Box-Muller on plain uniform numbers: numpy may change its own normal generator between versions.
    radius = np.sqrt(-2 * np.log(1 - rng.random(shape)))
    return radius * np.cos(2 * np.pi * rng.random(shape))


def _bend(points, waves, directions, phases):
    """Move points (n, 2) by a smooth field: a sum of sine waves."""
    return points + np.sin(points @ waves.T + phases) @ directions


def rasterise(strokes, pen_width):
    """Ink strokes with a round pen.

    strokes: list of polylines, float arrays (n >= 2, 2) of (x, y) in pixels; (0, 0) is the centre of the
    upper left pixel. pen_width: in pixels. Returns a uint8 array (28, 28), 0 background, 255 ink; an edge is
    one pixel wide.
    """
    starts = np.concatenate([stroke[:-1] for stroke in strokes])
    steps = np.concatenate([stroke[1:] for stroke in strokes]) - starts
    axis = np.arange(IMAGE_SIZE, dtype=np.float64)
    dx = axis[None, :, None] - starts[:, 0]
    dy = axis[:, None, None] - starts[:, 1]
    squared_length = np.maximum((steps**2).sum(1), 1e-12)
    along = np.clip((dx * steps[:, 0] + dy * steps[:, 1]) / squared_length, 0, 1)
    squared_distance = (dx - along * steps[:, 0]) ** 2 + (dy - along * steps[:, 1]) ** 2
    distance = np.sqrt(squared_distance.min(axis=2))
    return np.rint(255 * np.clip(0.5 + pen_width / 2 - distance, 0, 1)).astype(np.uint8)


def _draw(skeleton, rng):
    slant_n, rotation_n, across_n, along_n, pen_n = _normals(rng, 5)
    slant = 0.12 + 0.28 * slant_n
    rotation = 0.12 * rotation_n
    stretch = 0.25 * across_n - 0.10 * along_n
    pen_width = np.clip(2.5 * np.exp(0.32 * pen_n), 1.0, 5.0)
    waves = 3.0 * _normals(rng, 6, 2)
    directions = 0.045 * _normals(rng, 6, 2)
    phases = 2 * np.pi * rng.random(6)

    strokes = [stroke + 0.02 * _normals(rng, *stroke.shape) for stroke in skeleton]
    strokes = [_bend(_catmull_rom_matrix(len(s)) @ s, waves, directions, phases) for s in strokes]
    c, s = np.cos(rotation), np.sin(rotation)
    # y points down, so a lean to the right lowers x as y grows.
    matrix = np.array([[c, -s], [s, c]]) @ np.array([[1, -slant], [0, 1]]) @ np.diag([np.exp(stretch), 1.0])
    strokes = [stroke @ matrix.T for stroke in strokes]
    strokes = _fit(strokes, pen_width)
    return rasterise(strokes, pen_width), (slant, rotation, stretch, pen_width)


def _fit(strokes, pen_width):
    points = np.concatenate(strokes)
    extent = (points.max(0) - points.min(0)).max()
    starts = np.concatenate([stroke[:-1] for stroke in strokes])
    ends = np.concatenate([stroke[1:] for stroke in strokes])
    lengths = np.hypot(*(ends - starts).T)
    centre = lengths @ (starts + ends) / 2 / lengths.sum()
    scale = (BOX_SIZE - pen_width) / extent
    return [(stroke - centre) * scale + (IMAGE_SIZE - 1) / 2 for stroke in strokes]


def draw_digits(labels, seed):
    images = np.zeros((len(labels), IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    values = np.zeros((len(labels), 5))
    for i, label in enumerate(labels):
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, i))))
        variant = int(rng.random() * len(SKELETONS[label]))
        images[i], values[i, :4] = _draw(SKELETONS[label][variant], rng)
        values[i, 4] = variant
    return images, dict(zip(FACTORS, values.T.astype(np.float32), strict=True))
