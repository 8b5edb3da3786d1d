"""Speed of the helpers, as ratios of things run side by side: `python -m workshop.bench` (make bench).

Every line compares variants of the same work. The runs are interleaved, so that a busy machine slows all of
them, and the medians of several runs are compared; absolute times are only there to show the size of things.
"""

import statistics
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from course_utils import training
from course_utils.data import load_images, minibatches
from course_utils.training import TrainingRun

RUNS = 7
BATCH_SIZE = 128


def compare(title: str, variants: dict[str, Callable[[], object]], runs: int = RUNS) -> None:
    """Run the variants in turn, `runs` times each, and print their medians as ratios to the first one."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for run in range(runs + 1):
        for name, function in variants.items():
            begin = time.perf_counter()
            function()
            # The first round only warms up caches and allocators.
            if run > 0:
                seconds[name].append(time.perf_counter() - begin)
    first = next(iter(seconds))
    print(f"\n{title} ({runs} runs each, interleaved; ratio of paired runs, median)")
    for name, own in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(own, seconds[first]))
        print(f"  {ratio:6.2f}  {name}  ({statistics.median(own):.3f} s)")


class FrontEnd:
    """Stands in for a notebook, so that the live picture is really drawn."""

    def display(self, *arguments, **keywords):
        return self

    update = display


def new_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10)
    )


def train(batches, run: TrainingRun | None = None) -> None:
    network = new_network()
    optimizer = torch.optim.Adam(network.parameters())
    for x, y in run or batches:
        loss = F.cross_entropy(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if run:
            run.record(loss=loss)


def cost_of_the_training_aid(data) -> None:
    training.get_ipython = FrontEnd
    training.display = FrontEnd().display

    def batches():
        return minibatches(data.train_images, data.train_labels, batch_size=BATCH_SIZE, epochs=5)

    compare(
        "Five epochs of an MLP: the loop of the notebooks against the bare loop",
        {
            "bare loop": lambda: train(batches()),
            "with TrainingRun: history, live picture, clean stop": lambda: train(
                batches(), TrainingRun(batches())
            ),
        },
    )


def minibatches_against_a_data_loader(data) -> None:
    def resident():
        train(minibatches(data.train_images, data.train_labels, batch_size=BATCH_SIZE, epochs=1))

    pixels = [
        (image.unsqueeze(0).float() / 255, label)
        for image, label in zip(data.train_images, data.train_labels)
    ]
    compare(
        "One epoch of an MLP: where minibatches come from",
        {
            "DataLoader over single examples": lambda: train(DataLoader(pixels, BATCH_SIZE, shuffle=True)),
            "DataLoader over a TensorDataset": lambda: train(
                DataLoader(
                    TensorDataset(data.train_images.unsqueeze(1) / 255, data.train_labels), BATCH_SIZE, True
                )
            ),
            "minibatches of resident uint8 tensors": resident,
        },
    )


def loading() -> None:
    compare("Loading and verifying", {"strokes": lambda: load_images("strokes")})


if __name__ == "__main__":
    strokes = load_images("strokes")
    loading()
    minibatches_against_a_data_loader(strokes)
    cost_of_the_training_aid(strokes)
