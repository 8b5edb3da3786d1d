"""Speed, as ratios of things that run side by side, and quality at equal time: `python -m workshop.bench` (make bench).

python -m workshop.bench                   everything, about half an hour
python -m workshop.bench steps growth      some parts

The variants of a line do the same work. Their runs take turns, so that a busy machine slows all of them, and what
counts is the median of the ratios to the first variant; seconds only show the size of things. What is printed is also
written to a file, with the machine, the versions and the date. The data set is that of COURSE_DATASET, else strokes.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from importlib.metadata import version
from unittest import mock

import nbformat
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from course_utils import models, training
from course_utils.data import ImageData, load_images, minibatches, to_pixels
from course_utils.environment import prepare
from course_utils.settings import NOTEBOOKS, PROJECT
from course_utils.training import TrainingRun
from workshop import classic_vae, equal_time, frames

FILE = PROJECT / "bench.txt"
RUNS = 7
BATCH_SIZE = 128


def say(line: str) -> None:
    """Print a line, and add it to the file."""
    print(line, flush=True)
    with FILE.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def compare(title: str, variants: Mapping[str, Callable[[], object]], runs: int = RUNS) -> None:
    """Run the variants in turn, `runs` times each, and say their medians as ratios to the first one."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for run in range(runs + 1):
        for name, function in variants.items():
            begin = time.perf_counter()
            function()
            # The first round only warms up caches and allocators.
            if run > 0:
                seconds[name].append(time.perf_counter() - begin)
    say_ratios(title, seconds)


def say_ratios(title: str, seconds: Mapping[str, list[float]]) -> None:
    """Say the median of each variant's seconds, and that of their ratios to those of the first one."""
    first = next(iter(seconds))
    say(f"\n{title} ({len(seconds[first])} runs each; ratio, seconds)")
    for name, own in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(own, seconds[first]))
        say(f"  {ratio:6.2f}  {statistics.median(own):8.4f}  {name}")


class FrontEnd:
    """Stands in for a notebook, so that the live picture is really drawn."""

    def display(self, *arguments, **keywords):
        return self

    update = display


def new_classifier() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10)
    )


def train(batches, run: TrainingRun | None = None) -> None:
    network = new_classifier()
    optimizer = torch.optim.Adam(network.parameters())
    for x, y in run or batches:
        loss = F.cross_entropy(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if run:
            run.record(loss=loss)


def aid(data: ImageData) -> None:
    """What the loop of the notebooks costs beyond the bare loop."""

    # Of about ten seconds, as the shorter trainings of the notebooks are.
    def batches():
        return minibatches(data.train_images, data.train_labels, batch_size=BATCH_SIZE, epochs=20)

    with mock.patch.multiple(training, get_ipython=FrontEnd, display=FrontEnd().display):
        compare(
            "Twenty epochs of an MLP: the loop of the notebooks against the bare loop",
            {
                "bare loop": lambda: train(batches()),
                "with TrainingRun: history, live picture, clean stop": lambda: train(
                    batches(), TrainingRun(batches())
                ),
            },
            runs=3,
        )


def loading(data: ImageData) -> None:
    """Where minibatches come from, and what it takes to load the data."""
    pixels = to_pixels(data.train_images)
    pairs = list(zip(pixels, data.train_labels))
    compare(
        "One epoch of an MLP: where minibatches come from",
        {
            "DataLoader over single examples": lambda: train(DataLoader(pairs, BATCH_SIZE, shuffle=True)),
            "DataLoader over a TensorDataset": lambda: train(
                DataLoader(TensorDataset(pixels, data.train_labels), BATCH_SIZE, True)
            ),
            "minibatches of resident uint8 tensors": lambda: train(
                minibatches(data.train_images, data.train_labels, batch_size=BATCH_SIZE, epochs=1)
            ),
        },
    )
    compare("Loading and verifying", {data.name: lambda: load_images(data.name)})


def vae(data: ImageData) -> None:
    """The classic VAE the usual way and the course's way: an epoch, and the way to the same loss."""
    compare("One epoch of the classic VAE, 784-400-20", classic_vae.epochs_side_by_side(data), runs=3)
    say("\nThe classic VAE's loss after ten usual epochs, 5 seeds (ratio of seconds; loss, nats per image)")
    ratios = []
    for seed in range(5):
        usual, usual_loss = classic_vae.timed(classic_vae.usual_training, data, seed)
        fast, fast_loss = classic_vae.timed(classic_vae.fast_training, data, seed)
        ratios.append(fast / usual)
        say(
            f"  {fast / usual:6.3f}  seed {seed}: {fast_loss:.2f} in {fast:.1f} s, {usual_loss:.2f} in {usual:.1f} s"
        )
    say(f"  {statistics.median(ratios):6.3f}  median")


def step_of(model: nn.Module, *arguments: torch.Tensor) -> Callable[[], None]:
    """One step of training a model towards random numbers: forward, backward, fused Adam."""
    target = torch.rand_like(model(*arguments))
    optimizer = torch.optim.Adam(model.parameters(), fused=True)

    def step():
        optimizer.zero_grad()
        (model(*arguments) - target).square().mean().backward()
        optimizer.step()

    return step


def products_of(model: nn.Module, *arguments: torch.Tensor) -> Callable[[], None]:
    """The matrix products and convolutions of such a step alone, forward and backward, on inputs of the same sizes."""
    sizes = []
    kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    layers = [layer for layer in model.modules() if isinstance(layer, kinds)]
    hooks = [layer.register_forward_hook(lambda layer, given, _: sizes.append(given[0])) for layer in layers]
    model(*arguments)
    for hook in hooks:
        hook.remove()
    inputs = [x.detach().requires_grad_(number > 0) for number, x in enumerate(sizes)]

    def products():
        for layer, x in zip(layers, inputs):
            y = layer(x)
            y.backward(y.detach())

    return products


class WholeVAE(models.VAE):
    """The VAE of notebook 08 as one function of x."""

    def forward(self, x):
        mu, log_var = self.encode(x)
        return self.decode(mu + torch.exp(0.5 * log_var) * torch.randn_like(mu))


def steps(data: ImageData) -> None:
    """A step of each model against its bare products."""
    x, y = to_pixels(data.train_images[:64]), data.train_labels[:64]
    z = torch.randn(64, 16)
    for name, model, arguments in [
        ("03 MLPAutoencoder", models.MLPAutoencoder(30), (x,)),
        ("05 ConvAutoencoder", models.ConvAutoencoder(16), (x,)),
        ("08 VAE", WholeVAE(16), (x,)),
        ("10 Generator", models.Generator(16), (z,)),
        ("10 Discriminator", models.Discriminator(), (x,)),
        ("11 ConditionalGenerator", models.ConditionalGenerator(16, 10), (z, y)),
        ("11 ConditionalDiscriminator", models.ConditionalDiscriminator(10), (x, y)),
    ]:
        variants = {
            "products alone": products_of(model, *arguments),
            "forward, backward, fused Adam": step_of(model, *arguments),
        }
        repeat = {key: repeated(one, times=20) for key, one in variants.items()}
        compare(f"20 steps of 64 images: {name}", repeat)


def repeated(function: Callable[[], None], times: int) -> Callable[[], None]:
    def repeat():
        for _ in range(times):
            function()

    return repeat


def imports(data: ImageData) -> None:
    """What a notebook imports beyond PyTorch, in fresh processes."""
    codes = {"PyTorch alone": "import torch"}
    for notebook in ("07_vae_notation_and_elbo", "10_gan"):
        codes[f"all imports of {notebook}"] = imports_of(notebook)
    processes = {
        name: partial(subprocess.run, [sys.executable, "-c", code], check=True)
        for name, code in codes.items()
    }
    compare("Imports, each in a process of its own", processes)


def imports_of(notebook: str) -> str:
    """The cell of a notebook that imports what it needs."""
    cells = nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells
    return next(cell.source for cell in cells if cell.cell_type == "code" and "import torch" in cell.source)


GROWTH = """
import resource, sys, time, torch
from course_utils.data import load_images, minibatches
from course_utils.environment import prepare
from course_utils.models import MLPAutoencoder
prepare()
images, code_size = int(sys.argv[1]), int(sys.argv[2])
train = load_images().train_images
train = train.repeat(-(-images // len(train)), 1, 1)[:images]
model = MLPAutoencoder(code_size)
optimizer = torch.optim.Adam(model.parameters(), fused=True)
begin = time.perf_counter()
for x in minibatches(train, batch_size=128, epochs=1):
    loss = (model(x) - x).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
unit = 1 if sys.platform == "darwin" else 1024
print(time.perf_counter() - begin, unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


MEMORY = """
import sys, time, torch
from course_utils.environment import prepare
from course_utils.models import Discriminator, Generator
if sys.argv[1] == "kept":
    prepare()
G, D = Generator(64), Discriminator()
begin = time.perf_counter()
with torch.no_grad():
    for _ in range(5):
        D(G(torch.randn(4000, 64)))
print(time.perf_counter() - begin)
"""


def memory(data: ImageData) -> None:
    """What `prepare` saves by keeping the memory that tensors leave."""
    ways = {
        "freed memory goes back to the system": "returned",
        "freed memory is kept, as prepare() sets it": "kept",
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(RUNS):
        for name, way in ways.items():
            command = [sys.executable, "-c", MEMORY, way]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            seconds[name].append(float(output))
    say_ratios("20,000 images drawn by G and judged by D of notebook 10, 4,000 at a time", seconds)


def growth(data: ImageData) -> None:
    """An epoch of the autoencoder of notebook 03 as images and code size grow: seconds and memory."""
    say("\nAn epoch of the autoencoder of notebook 03 (seconds for 1,000 images, median of 3; peak memory)")
    for images, code_size in [(5_000, 32), (20_000, 32), (60_000, 32), (20_000, 2), (20_000, 128)]:
        command = [sys.executable, "-c", GROWTH, str(images), str(code_size)]
        runs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(3)]
        seconds = statistics.median(float(run.split()[0]) for run in runs)
        peak = max(float(run.split()[1]) for run in runs)
        say(
            f"  {1000 * seconds / images:6.3f} s  {peak / 1e9:5.2f} GB  {images:,} images, code size {code_size}"
        )


def demos(data: ImageData) -> None:
    """How soon the demos in the page follow the hand: see workshop.frames."""
    say(f"\n{frames.table()}")


def recipes(data: ImageData) -> None:
    """Quality at equal time, the course's recipes beside public ones, for one seed: see workshop.equal_time."""
    say("")
    for line in equal_time.lines(data):
        say(line)


PARTS = {part.__name__: part for part in (loading, aid, vae, steps, memory, imports, growth, demos, recipes)}


def machine() -> str:
    """The machine, the versions and the date, in a line."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "matplotlib"))
    cores, threads = os.cpu_count(), torch.get_num_threads()
    return (
        f"{date.today()}, {platform.system()} {platform.machine()}, {cores} cores, {threads} thread(s), "
        f"Python {platform.python_version()}, {versions}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=f"of {', '.join(PARTS)}; default: all")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"parts must be some of {', '.join(PARTS)}; got {', '.join(sorted(unknown))}")
    prepare()
    data = load_images()
    FILE.unlink(missing_ok=True)
    say(f"{machine()}, data: {data.name}")
    for name in arguments.parts:
        PARTS[name](data)


if __name__ == "__main__":
    main()
