"""How each metric of a manifest is measured again, from a model and a data set, on its held-out images.

A metric that draws random numbers seeds them itself, and leaves those of the caller alone.
"""

import torch

from course_utils.data import ImageData, to_pixels
from course_utils.judges import accuracy


@torch.no_grad()
def squared_error(model: torch.nn.Module, data: ImageData) -> float:
    """The squared error per image: summed over pixels, averaged over the test images."""
    parts = [to_pixels(part) for part in data.test_images.split(1000)]
    return sum((x - model(x)).square().sum().item() for x in parts) / len(data.test_images)


def accuracy_of(model: torch.nn.Module, data: ImageData) -> float:
    """The share of the test images that a classifier puts into their class."""
    return accuracy(model, data.test_images, data.test_labels)


METRICS = {"squared_error": squared_error, "accuracy": accuracy_of}
