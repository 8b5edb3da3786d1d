"""Draw a picture, see what a network makes of it, and which images of the data set lie nearest to it."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import nn

from course_utils.data import check_labels, check_whole, to_pixels
from course_utils.explorers.base import evaluate
from course_utils.explorers.web_demo import WebDemo
from course_utils.plots import image_grid
from course_utils.settings import DIGITS

NEIGHBOURS = 6


class DrawingPad(WebDemo):
    """A pad to draw on, the network's answer to the drawing, and the nearest images in feature space.

    `network` is a classifier of two nn.Sequentials, which the page runs in eval mode: `extractor`, from pixels
    (N, 1, 28, 28) in [0, 1] to features (N, n), and `head`, from features to class scores (N, C) before the softmax.
    The neighbours are sought among `gallery`, uint8 images (G, 28, 28), with their `gallery_labels`, int64 (G,).
    `examples`, uint8 images (E, 28, 28), can be chosen instead of drawing, `example` at the start; `classes` are the C
    names. Raises ValueError for fewer than 6 images in the gallery, for labels that do not fit, for no example, and for
    an `example` that is not there.

    The drawing reaches the network as the data do, see `prepare_drawing`. Sliders shift and turn it first;
    with the box "centre" unticked, the network gets it where it stands.
    """

    module = "drawing_pad"

    def __init__(
        self,
        network: nn.Module,
        gallery: torch.Tensor,
        gallery_labels: torch.Tensor,
        examples: torch.Tensor,
        classes: Sequence[str] = DIGITS,
        example: int = 0,
    ):
        if len(gallery) < NEIGHBOURS:
            raise ValueError(f"gallery must hold at least {NEIGHBOURS} images; got {len(gallery)}")
        check_labels(gallery_labels, len(gallery), len(classes), "gallery_labels")
        if len(examples) == 0:
            raise ValueError("examples must hold at least one image; got none")
        check_whole("example", example, 0, len(examples) - 1)
        parts = [evaluate(network.extractor, to_pixels(part)) for part in gallery.split(1000)]
        # Half of the bytes; a distance changes by less than the two digits that are shown.
        features = torch.cat(parts).half()
        tensors = {
            "gallery": gallery,
            "features": features,
            "labels": gallery_labels.cpu().to(torch.uint8),
            "examples": examples,
        }
        networks = {"extractor": network.extractor, "head": nn.Sequential(network.head, nn.Softmax(dim=1))}
        alt = (
            "An image, what the network answers, and the six nearest training images in feature space with their "
            "classes and distances. On a pad you can draw your own."
        )
        super().__init__(
            {"classes": list(classes), "example": example},
            tensors,
            networks,
            lambda: _still(network, tensors, example, classes),
            alt,
        )


def _still(network: nn.Module, tensors: dict, example: int, classes: Sequence[str]) -> Figure:
    """An example, the network's answer, and its neighbours."""
    image = tensors["examples"][example : example + 1]
    row = evaluate(network.extractor, to_pixels(image).to(tensors["features"].device))
    probability, label = evaluate(network.head, row).softmax(dim=1)[0].max(dim=0)
    distances, indices = (tensors["features"].float() - row).norm(dim=1).topk(NEIGHBOURS, largest=False)
    labels = tensors["labels"][indices.cpu()].tolist()
    captions = [f"{classes[k]}, {distance:.2f}" for k, distance in zip(labels, distances.tolist())]
    title = f"{classes[label]}, probability {100 * probability:.0f} %; and its nearest training images: class, distance"
    shown = torch.cat([image, tensors["gallery"][indices]])
    return image_grid(shown, columns=1 + NEIGHBOURS, captions=["the image", *captions], title=title)
