"""What judges reconstructions and samples: a classifier that has nothing to do with the models it judges."""

import os
import time

import torch
import torch.nn.functional as F

from course_utils import checkpoints
from course_utils.data import ImageData, load_images, minibatches, to_pixels
from course_utils.models import DigitClassifier

IMAGES_SEEN = 240_000
PEAK_RATE = 6e-3


def load_judge(dataset: str | None = None) -> DigitClassifier:
    """The independent classifier: pixels (B, 1, 28, 28) in [0, 1] to logits (B, 10), in eval mode on the CPU.

    `dataset` defaults to COURSE_DATASET, else `strokes`, whose classifier ships with the course. For another data
    set it is trained at the first call, which takes about a minute and needs the data, and kept for the next one.
    Raises ValueError for an unknown data set, DataError if its images cannot be had, CheckpointError if the file of
    a trained classifier is damaged or cannot be written.
    """
    dataset = dataset or os.environ.get("COURSE_DATASET") or "strokes"
    if not checkpoints.is_trained("classifier", dataset):
        data = load_images(dataset)
        print(f"Training the classifier for {dataset}, once: about a minute.")
        keep_judge(data, folder=checkpoints.OWN)
    return checkpoints.load_trained("classifier", dataset)


def keep_judge(data: ImageData, folder, seed: int = 0) -> None:
    """Train the classifier of a data set, measure it on the test images, and save it in `folder`, half precision."""
    begin = time.perf_counter()
    model, steps = train_judge(data.train_images, data.train_labels, seed)
    seconds = round(time.perf_counter() - begin, 1)
    model.half()
    metrics = {"accuracy": accuracy(model.float(), data.test_images, data.test_labels)}
    checkpoints.save_trained(
        "classifier", model.half(), dataset=data.name, settings={}, seed=seed, steps=steps, seconds=seconds,
        metrics=metrics, folder=folder,
    )  # fmt: skip


def train_judge(
    images: torch.Tensor, labels: torch.Tensor, seed: int = 0, images_seen: int | None = None
) -> tuple[DigitClassifier, int]:
    """A classifier trained on uint8 images (N, 28, 28) with labels (N,), in eval mode, and its number of steps.

    It sees about `images_seen` images (default: IMAGES_SEEN); every batch is shifted by at most one pixel. The
    random numbers of the caller are left alone.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = DigitClassifier().to(images.device, memory_format=torch.channels_last)
        epochs = max(1, round((images_seen or IMAGES_SEEN) / len(images)))
        batches = minibatches(images, labels, batch_size=256, epochs=epochs, seed=seed)
        optimizer = torch.optim.Adam(model.parameters(), lr=PEAK_RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=len(batches))
        for x, y in batches:
            shift = torch.randint(-1, 2, (2,)).tolist()
            loss = F.cross_entropy(model(x.roll(shift, dims=(2, 3))), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval(), len(batches)


@torch.no_grad()
def accuracy(model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of uint8 images (N, 28, 28) that a model in eval mode puts into their class (N,)."""
    guesses = torch.cat([model(to_pixels(part)).argmax(dim=1) for part in images.split(1000)])
    return (guesses == labels).float().mean().item()
