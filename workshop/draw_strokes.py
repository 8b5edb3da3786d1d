"""The embedded data set `strokes`: handwriting-like images of the ten digits, drawn by code.

Every digit has a few skeletons, hand-placed control points of pen strokes (`SKELETON_TABLE`), which
course_utils.strokes draws in random handwriting. Image i depends only on the seed, on i and on its label, so a part
of the data can be drawn again.

`python -m workshop.draw_strokes` writes the data file anew.
"""

import argparse
import hashlib
import io
from pathlib import Path

import numpy as np

from course_utils.files import write_whole
from course_utils.settings import STROKES_FILE
from course_utils.strokes import draw_shapes, random_numbers

TRAIN_COUNT, TRAIN_SEED = 20_000, 1
TEST_COUNT, TEST_SEED = 4_000, 2

# One line per stroke: control points "x,y" in hundredths of a box, x to the right, y downwards.
# A sharp corner is the end of one stroke and the start of the next.
SKELETON_TABLE = {
    0: [
        ["50,0 18,18 5,55 22,90 52,100 85,80 95,42 80,10 50,0"],  # round
        ["50,0 28,22 20,55 30,90 50,100 72,82 80,45 70,12 50,0"],  # narrow
        ["75,12 48,0 18,22 6,62 28,97 66,95 92,62 88,25 62,2 38,6"],  # overlapping at the top
        ["30,6 12,32 8,70 38,100 78,86 95,45 80,12 60,2"],  # open at the top
        ["62,18 38,4 10,38 14,82 52,100 90,68 86,24 62,2 40,16"],  # ends in a hook inside
        ["70,2 35,15 10,55 18,92 45,98 78,70 92,28 70,2"],  # leaning egg
        ["86,0 54,6 18,24 8,66 34,98 74,92 94,56 80,18 48,10"],  # tail at the upper right
        ["50,22 56,4 26,6 6,40 14,84 48,100 86,78 94,36 74,6 44,2"],  # starts inside, at the top
        ["44,4 12,24 6,66 36,98 78,90 96,52 82,16 50,4 34,12"],  # wide, overlapping
    ],
    1: [
        ["50,0 50,50 50,100"],  # bar
        ["53,0 48,50 50,100"],  # bent bar
        ["50,0 51,35 49,70 50,100"],  # wavy bar
        ["38,18 46,10 54,0", "54,0 54,50 54,100"],  # flag
        ["32,24 44,12 52,0", "52,0 52,50 52,100", "24,100 50,100 78,100"],  # flag and base
        ["40,12 52,0", "52,0 52,50 50,100"],  # short flag
        ["34,36 44,20 54,0", "54,0 54,50 53,100"],  # long flag
        ["34,16 44,13 54,0", "54,0 53,50 52,100", "24,100 50,99 80,100"],  # wide flag and base
    ],
    2: [
        ["10,24 34,2 70,4 84,30 60,62 10,98", "10,98 50,97 95,96"],  # straight base
        ["12,20 38,0 75,8 80,36 50,70 18,94 6,84 24,74 52,88 95,96"],  # small loop
        ["8,22 36,0 72,6 78,36 50,72 20,98 2,82 22,66 55,84 98,90"],  # large loop
        ["10,14 40,0 78,10 82,38 46,76 14,95 30,92 60,92 95,100"],  # rounded turn
        ["24,34 12,18 40,0 78,10 80,40 42,78 8,100", "8,100 40,90 70,98 96,92"],  # curled start, wavy base
        ["5,8 45,2 80,14 70,48 30,80 5,96", "5,96 45,92 90,98"],  # flat top
        ["20,20 48,2 72,16 62,46 34,78 12,96 30,90 98,78"],  # rising base
        ["20,16 46,0 72,14 68,44 50,72 26,96", "26,96 52,96 84,98"],  # narrow, short base
        ["14,30 22,4 60,0 80,22 74,56 44,90 16,98 8,84 30,78 60,92 84,100"],  # high arch, small loop
        ["16,34 12,14 42,0 74,12 72,46 46,84 18,92 14,76 36,72 58,88 78,96 96,86"],  # round arch, open loop
        ["16,22 38,0 70,10 64,44 42,76 22,98", "22,98 52,96 86,88"],  # slim
        ["12,30 26,6 60,0 82,20 72,52 44,86 18,100 4,86 16,66 44,70 70,88 94,98"],  # round loop
        ["8,28 30,4 64,2 80,26 66,60 36,94 12,96 6,74 30,62 58,78 90,100"],  # tall loop
        ["14,22 44,0 72,12 68,40 44,70 16,90 2,76 18,60 50,72 98,74"],  # loop and level tail
        ["10,40 22,10 56,0 80,22 66,60 28,96 10,90 20,74 50,86 96,80"],  # deep hook, small loop
        ["18,30 22,4 56,0 62,24 44,60 24,90 20,98 50,94 84,84"],  # narrow arch, rising tail
        ["14,36 34,14 60,18 58,44 30,84 12,98 40,94 98,88"],  # small body, long tail
        ["24,14 50,0 60,20 44,60 20,88 16,98 48,96 80,90"],  # like a swan
        ["16,28 36,6 60,16 50,56 14,96 4,86 24,72 60,72 112,66"],  # small body, long level tail
        ["10,34 30,6 64,4 76,32 56,66 26,92 8,92 8,80 28,74 50,82 62,100"],  # falling tail
    ],
    3: [
        ["12,14 44,0 78,16 66,40 38,48", "38,48 76,54 88,78 54,100 8,90"],  # round
        ["10,4 48,4 84,4", "84,4 62,24 42,40", "42,40 78,48 90,74 56,98 10,92"],  # flat top
        ["10,16 42,0 76,14 66,40 42,50 34,44 50,44 86,60 82,88 44,100 8,86"],  # small loop in the middle
        ["14,10 52,0 80,18 62,42 50,48 72,54 88,76 60,98 12,94"],  # soft notch
        ["16,12 50,0 74,14 62,32 40,40", "40,40 84,48 92,78 52,100 6,84"],  # large lower bow
        ["6,18 44,0 86,16 78,42 40,56", "40,56 72,60 78,82 46,100 12,94"],  # large upper bow
        ["18,16 30,4 58,0 78,20 58,42 34,50", "34,50 74,52 86,76 58,100 22,98 12,88"],  # curled ends
        ["8,8 46,0 76,8 70,30 44,46", "44,46 70,54 72,76 44,94 10,100"],  # narrow lower bow
        ["14,6 50,0 80,14 72,38 60,48 78,64 76,86 44,100 6,96"],  # barely notched
        ["22,10 56,0 76,14 60,36 30,44", "30,44 64,48 74,66 50,92 14,100"],  # small bows, short notch
        ["10,24 24,4 58,2 76,20 56,44 44,46 70,52 82,74 58,98 22,96 8,78"],  # curled, one path
        ["16,4 78,2", "78,2 44,38", "44,38 80,50 82,80 44,100 6,90"],  # angular top
        ["10,14 40,2 84,6 70,24 32,46", "32,46 66,46 86,62 76,88 40,100 4,92"],  # notch far to the left
        ["24,12 50,2 84,4 64,22 36,40 60,42 80,60 70,86 36,100 6,90"],  # level top, one path
        ["4,20 30,4 62,8 58,34 36,48 70,44 84,62 70,86 40,100"],  # ends in the lower bow
        ["8,12 50,2 78,8 60,34 46,44 64,58 60,84 40,100"],  # straight end
        ["4,6 40,0 72,4", "72,4 40,40", "40,40 64,46 72,68 54,90 16,100"],  # angular, narrow below
    ],
    4: [
        ["20,4 14,28 8,54", "8,54 50,52 94,48", "76,6 72,50 68,100"],  # open, straight
        ["14,4 8,36 26,54 60,48 84,34", "86,2 80,48 72,100"],  # open, round
        ["66,0 36,30 6,62", "6,62 50,60 96,60", "66,0 66,50 64,100"],  # closed triangle
        ["20,2 10,44", "10,44 40,46 80,42", "80,42 84,6", "84,6 78,50 72,100"],  # one pen path
        ["26,0 14,36 22,52 50,52 96,44", "66,24 62,60 58,100"],  # short stem, long bar
        ["26,6 8,56", "8,56 44,56 78,54", "74,0 72,50 70,100"],  # bar ends at the stem
        ["12,10 16,38 34,46 62,42 82,30", "84,0 78,40 56,100"],  # shallow cup
        ["62,4 34,34 14,58", "14,58 52,56 90,50", "62,30 58,64 54,100"],  # joined by the short stem
    ],
    5: [
        ["32,4 26,24 22,46", "22,46 50,36 82,48 86,76 56,98 8,94", "32,4 60,4 92,0"],  # detached cap
        ["92,4 60,2 34,6 26,28 26,44 60,40 88,62 76,90 40,100 6,90"],  # one smooth path
        ["90,0 36,4", "36,4 24,46", "24,46 66,40 86,66 64,96 10,98"],  # one path with corners
        ["86,4 48,4 26,20 34,42 66,54 78,76 52,98 10,92"],  # like an S
        ["38,12 28,32 24,50", "24,50 58,42 80,62 70,92 36,100 10,84", "40,8 70,10 98,2"],  # gap at the cap
        ["30,10 24,44 46,46 68,58 66,84 40,98 8,88", "30,10 64,6 100,6"],  # small bow, long cap
        ["26,8 16,44", "16,44 50,30 86,44 88,78 56,100 14,96 4,82", "26,8 54,8 80,6"],  # large bow, short cap
        ["98,0 70,6 40,8 30,36 58,48 70,70 50,96 8,98"],  # slender, drawn-out cap
        ["30,2 24,40", "24,40 54,34 80,50 78,82 44,100 10,90 14,78", "30,6 58,4 82,4"],  # upright, curled end
        ["80,2 36,6 26,40 60,36 80,58 70,88 34,100 14,86 24,76"],  # smooth, curled end
        ["70,4 34,2 30,38 58,46 66,72 46,98 10,100"],  # slim
        ["34,2 22,44", "22,44 50,40 72,58 66,86 36,100 12,92", "34,2 66,0 94,-6"],  # rising cap
    ],
    6: [
        ["70,0 36,26 12,62 24,94 58,100 80,82 70,62 40,64 16,80"],  # curled
        ["56,0 30,36 14,72 34,98 66,92 72,66 46,58 20,76"],  # small loop
        ["44,0 18,40 10,76 38,100 78,94 84,70 56,58 24,68 14,82"],  # large loop
        ["72,0 44,14 20,42 12,74 34,100 68,94 76,72 50,62 16,76"],  # bent head
        ["36,0 24,40 22,78 44,100 74,90 76,66 52,58 24,72"],  # straight stem
        ["66,0 30,38 12,76 34,100 66,86 60,64 34,70 26,88"],  # loop ends inside
        ["34,0 10,40 10,80 38,100 82,90 92,66 66,54 42,66 36,92"],  # wide, loop drawn at the right
        ["34,4 8,44 14,84 48,98 92,86 94,62 70,54 50,66"],  # wide, open loop
        ["58,0 34,26 16,62 24,94 52,100 72,82 62,58 36,60 20,74"],  # tall loop
    ],
    7: [
        ["6,8 50,6 92,4", "92,4 62,50 42,100"],  # plain
        ["4,12 40,6 82,4 90,14 64,52 48,100"],  # rounded corner
        ["6,8 50,6 92,4", "92,4 66,50 46,100", "34,50 62,50 92,46"],  # with a bar
        ["8,28 10,8", "10,8 50,8 90,6", "90,6 66,50 56,100"],  # with a serif
        ["4,22 22,6 52,12 92,4 78,40 62,68 56,100"],  # wavy top
        ["10,4 48,4 88,8", "88,8 80,50 74,100"],  # steep stem
        ["6,20 8,6 50,8 88,6 80,26 58,58 48,100", "36,54 60,54 84,52"],  # serif and bar
        ["10,36 12,10", "12,10 40,8 74,2 88,12 80,48 76,100"],  # long serif, rounded corner
        ["14,12 50,10 84,6", "84,6 60,52 34,100", "22,48 56,48 88,50"],  # leaning, long bar
        ["12,22 14,6", "14,6 46,10 84,2", "84,2 60,46 50,100"],  # serif, hanging top
        ["22,10 56,12 78,2 72,40 54,100", "30,56 80,48"],  # slim, with a bar
        ["8,24 30,4 70,2 84,24 70,60 60,100"],  # round top
        ["6,20 20,10 46,14 92,4 72,50 58,100"],  # shallow wave
        ["22,12 52,10 78,4", "78,4 70,50 58,100"],  # narrow
        ["10,24 16,8 48,12 88,4 64,44 56,74 58,100"],  # wavy stem
    ],
    8: [
        ["78,14 50,0 22,18 46,46 80,70 56,100 20,82 44,50 76,28 78,14"],  # one path
        ["50,0 24,22 50,46 76,22 50,0", "50,46 18,74 50,100 82,74 50,46"],  # two circles
        ["86,12 52,0 24,20 50,46 78,74 48,100 20,80 48,50 88,20"],  # open at the top right
        ["50,2 28,20 52,48 72,76 48,100 26,78 50,48 74,22 50,2"],  # narrow
        ["70,8 40,0 16,20 44,42 84,66 66,98 22,90 32,60 64,36 74,14"],  # large lower loop
        ["80,22 54,0 16,16 40,50 68,74 50,100 28,80 52,52 80,22"],  # large upper loop
        ["92,8 60,0 26,12 34,40 60,62 56,92 32,98 28,76 56,48 96,14"],  # small lower loop, open top
        ["52,0 14,14 18,38 52,46 84,34 84,10 52,0", "52,46 24,64 34,98 66,98 74,64 52,46"],  # wide upper loop
        ["88,4 56,2 22,16 28,36 56,54 70,80 48,100 28,84 44,58 74,32 86,6"],  # sharp upper right corner
        ["60,0 36,10 38,30 58,50 60,82 42,100 28,84 36,58 64,34 76,12 60,0"],  # slim, leaning
        ["76,24 44,0 14,18 26,40 52,52 58,80 40,100 30,82 50,54 90,20"],  # slender lower loop
        ["50,4 16,14 14,38 48,46 82,36 84,12 50,4", "46,46 14,62 14,90 50,100 88,88 84,58 46,46"],  # wide
        ["70,26 66,4 32,6 30,32 58,54 76,78 56,100 26,90 34,64 62,38 86,8"],  # starts inside the upper loop
        ["84,6 52,2 30,16 44,40 70,66 62,94 36,98 26,78 44,56 70,40 90,10"],  # open top, tail
        ["64,14 50,2 34,16 44,42 64,70 54,98 34,94 34,72 56,44 70,22"],  # slim, open top
        ["70,6 36,4 20,24 44,48 72,74 54,100 26,86 40,60 92,18"],  # wide open top
    ],
    9: [
        ["80,14 44,0 12,24 30,50 66,42 82,12", "82,12 78,50 72,100"],  # straight stem
        ["80,16 48,0 16,22 34,48 72,38 80,14 78,60 62,94 18,96"],  # hooked stem
        ["74,18 46,4 18,26 34,50 66,40 78,10 74,48 58,100"],  # one path
        ["82,6 40,4 14,28 38,48 82,30", "82,6 80,50 78,100"],  # open loop
        ["60,2 24,12 16,40 48,50 76,24 60,2 78,30 72,70 46,100"],  # round head, bent stem
        ["84,20 56,0 24,14 20,40 50,50 84,20 66,62 36,100"],  # leaning
        ["86,10 48,0 10,20 8,46 40,54 80,28 88,8", "88,8 86,54 84,100"],  # wide head, upright stem
        ["90,6 54,0 18,14 12,38 44,46 82,26 88,12 70,56 40,100"],  # wide head, leaning stem
        ["58,0 22,10 14,38 42,52 74,36 80,10 58,0", "80,10 76,56 66,100"],  # closed circle and stem
        ["84,12 50,0 14,18 6,50 36,62 76,38 88,6", "88,6 86,54 90,100"],  # wide, deep head, short stem
        ["76,8 40,2 20,22 40,44 66,38 80,16", "78,6 70,50 44,96 16,90"],  # small head, hooked stem
        ["92,0 56,6 20,22 14,42 40,50 74,32 86,10 78,52 66,100"],  # head open at the top, one path
        ["84,8 50,0 20,14 14,36 36,48 66,36 82,8 80,50 74,100"],  # sharp upper corner
        ["76,10 46,0 12,22 10,52 36,64 66,48 80,14 78,56 66,100"],  # deep head, one path
        ["96,4 60,4 28,16 18,36 34,46 64,36 84,14", "84,14 72,54 56,100"],  # head drawn from the right
        ["84,16 54,0 18,14 20,42 52,50 82,24 86,60 64,94 24,98 8,84"],  # like a g
        ["70,14 50,0 30,14 38,34 62,28 72,8 66,54 52,100"],  # small head
        ["66,6 34,8 22,34 46,46 68,30 72,8", "72,8 62,54 52,100"],  # narrow
    ],
}


def _parse_stroke(text: str) -> np.ndarray:
    return np.array([point.split(",") for point in text.split()], dtype=np.float64) / 100


# digit -> its skeletons; a skeleton is a list of strokes; a stroke is a float64 array (n, 2) in the unit box.
SKELETONS = {
    digit: [[_parse_stroke(stroke) for stroke in skeleton] for skeleton in skeletons]
    for digit, skeletons in SKELETON_TABLE.items()
}


def draw_digits(labels: np.ndarray, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Draw one handwritten digit per label.

    labels: integers (N,) from 0 to 9. seed: an integer >= 0; image i depends on seed, i and labels[i] only.
    Returns images, uint8 (N, 28, 28), 0 background and 255 ink, and the factors, name -> float32 (N,): those
    of `draw_shapes` and "variant", the index of the skeleton in SKELETONS[label].
    Raises ValueError if labels are not a row of integers from 0 to 9, or the seed is no integer >= 0.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"labels has shape {labels.shape} and type {labels.dtype}: expected integers of shape (N,)"
        )
    outside = labels[(labels < 0) | (labels > 9)]
    if outside.size:
        raise ValueError(f"labels contains {outside[0]}: expected integers from 0 to 9")
    variants = np.array(
        [
            int(random_numbers(seed, i, stream=0).random() * len(SKELETONS[label]))
            for i, label in enumerate(labels.tolist())
        ],
        dtype=np.int64,
    )
    skeletons = [SKELETONS[label][variant] for label, variant in zip(labels.tolist(), variants, strict=True)]
    images, factors = draw_shapes(skeletons, seed)
    return images, factors | {"variant": variants.astype(np.float32)}


def balanced_labels(count: int, seed: int) -> np.ndarray:
    """Labels of a data set: int64 (count,), shuffled, the ten digits equally often as far as count allows."""
    # Sorting uniform numbers, for the same reason as in `_normal_numbers` of course_utils.strokes.
    order = np.argsort(random_numbers(seed, 0, stream=2).random(count), kind="stable")
    return (np.arange(count) % 10)[order]


def make_data() -> dict[str, np.ndarray]:
    """The arrays of the data file: {train,test}_images, {train,test}_labels and {train,test}_<factor>."""
    arrays: dict[str, np.ndarray] = {}
    for split, count, seed in (("train", TRAIN_COUNT, TRAIN_SEED), ("test", TEST_COUNT, TEST_SEED)):
        labels = balanced_labels(count, seed)
        images, factors = draw_digits(labels, seed)
        arrays |= {f"{split}_images": images, f"{split}_labels": labels}
        arrays |= {f"{split}_{name}": values for name, values in factors.items()}
    return arrays


def save_data(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Write the data file and beside it its SHA-256 (for `sha256sum -c`). Nothing half-written is left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    digest = hashlib.sha256(file.getvalue()).hexdigest()
    checksum_file = path.with_name(path.name + ".sha256")
    write_whole({path: file.getvalue(), checksum_file: f"{digest}  {path.name}\n".encode()})


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the data set `strokes` and write it with its SHA-256.")
    parser.parse_args()
    save_data(make_data(), STROKES_FILE)
    print(f"{STROKES_FILE.name}: {STROKES_FILE.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
