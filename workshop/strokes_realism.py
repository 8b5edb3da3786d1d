"""How close is `strokes` to real handwriting? A small CNN learns one data set and reads the other's test set.

python -m workshop.strokes_realism                  prints, as tables, the accuracy in percent for each digit and for
                                                    all of them: mean over the seeds, and lowest to highest
python -m workshop.strokes_realism --picture FILE   only draws the samples that data/README.md shows
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.data import load_images, to_pixels

STEPS = 500  # the same for both data sets: 6.4 epochs of strokes, 2.1 epochs of MNIST
BATCH_SIZE = 256
LEARNING_RATE = 3e-3


def build_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),  # (N, 32, 14, 14)
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),  # (N, 64, 7, 7)
        nn.Dropout(0.25), nn.Flatten(),
        nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    )  # fmt: skip


def train(images, labels, seed):
    torch.manual_seed(seed)
    model = build_cnn()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=LEARNING_RATE, total_steps=STEPS)
    order = torch.cat([torch.randperm(len(images)) for _ in range(STEPS * BATCH_SIZE // len(images) + 1)])
    for batch in order[: STEPS * BATCH_SIZE].split(BATCH_SIZE):
        loss = F.cross_entropy(model(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


@torch.no_grad()
def accuracy(model, images, labels):
    """Percent of images read correctly: float64 (11,), the ten digits and, last, all images."""
    predicted = torch.cat([model(part).argmax(dim=1) for part in images.split(1000)])
    correct = (predicted == labels).double()
    per_digit = [correct[labels == digit].mean() for digit in range(10)]
    return 100 * torch.stack([*per_digit, correct.mean()])


def print_table(title, results):
    """results: one `accuracy` per seed."""
    results = torch.stack(results)
    print(f"\n{title}, seeds 0 to {len(results) - 1}\n\n| digit | mean | lowest to highest |\n|---|---|---|")
    for name, column in zip([*range(10), "all"], results.T, strict=True):
        print(f"| {name} | {column.mean():.1f} | {column.min():.1f} to {column.max():.1f} |")
    print("all, seed by seed:", ", ".join(f"{value:.2f}" for value in results[:, -1]), flush=True)


def save_picture(path):
    """Draw the first 16 train images of each digit, one row per digit."""
    data = load_images("strokes")
    rows = [torch.cat([*data.train_images[data.train_labels == digit][:16]], dim=1) for digit in range(10)]
    figure, axes = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    axes.imshow(torch.cat(rows), cmap="gray")
    axes.set_yticks([28 * digit + 14 for digit in range(10)], list("0123456789"))
    axes.set_xticks([])
    axes.set_ylabel("digit")
    axes.set_title("strokes: the first 16 train images of each digit")
    figure.savefig(path, dpi=90)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--picture", type=Path, help="only draw samples into this file")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.picture:
        save_picture(arguments.picture)
        return

    data_sets = {"strokes": load_images("strokes"), "MNIST": load_images("mnist")}
    for train_name, learnt in data_sets.items():
        pixels = to_pixels(learnt.train_images)
        models = [train(pixels, learnt.train_labels, seed) for seed in range(arguments.seeds)]
        for test_name, read in data_sets.items():
            results = [accuracy(model, to_pixels(read.test_images), read.test_labels) for model in models]
            print_table(f"Trained on {train_name} (train), reads {test_name} (test)", results)


if __name__ == "__main__":
    main()
