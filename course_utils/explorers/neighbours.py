"""Images and their nearest neighbours, in the space of pixels or in any other one."""

from collections.abc import Callable, Sequence

import ipywidgets
import torch
from PIL import Image

from course_utils.data import check_labels, to_pixels
from course_utils.explorers.base import ANY_CLASS, Explorer, evaluate, of_class
from course_utils.explorers.canvas import Canvas
from course_utils.plots import tiles
from course_utils.settings import DIGITS

MOST_NEIGHBOURS = 12
COLUMNS = 6


class NeighboursExplorer(Explorer):
    """Choose a query image and see its k nearest images of a gallery, in pixel space and in feature space.

    Arguments: `queries`, `gallery`: uint8 images (Q, 28, 28) and (G, 28, 28) on the same device;
    `query_labels`, `gallery_labels`: int64 (Q,) and (G,); `embed`, a function from pixels (N, 1, 28, 28) in
    [0, 1] to features (N, ...), one row for each image (it is called without gradients, at most 1,000
    images at a time); `classes`, their names; `space_name`, what the space of `embed` is called.

    A neighbour whose class is not that of the query is marked by a frame and a cross.
    """

    def __init__(
        self,
        queries: torch.Tensor,
        query_labels: torch.Tensor,
        gallery: torch.Tensor,
        gallery_labels: torch.Tensor,
        embed: Callable[[torch.Tensor], torch.Tensor],
        classes: Sequence[str] = DIGITS,
        space_name: str = "features",
    ):
        check_labels(query_labels, len(queries), len(classes), "query_labels")
        check_labels(gallery_labels, len(gallery), len(classes), "gallery_labels")
        if len(queries) == 0 or len(gallery) < MOST_NEIGHBOURS:
            raise ValueError(
                f"queries must hold at least 1 image and gallery at least {MOST_NEIGHBOURS}; "
                f"got {len(queries)} and {len(gallery)}"
            )
        self.queries, self.query_labels = queries, query_labels.cpu()
        self.gallery, self.gallery_labels = gallery, gallery_labels.cpu()
        self.classes = classes
        self.embeddings = {"pixels": lambda pixels: pixels, space_name: embed}
        self.gallery_rows = {name: rows_of(gallery, embed) for name, embed in self.embeddings.items()}
        controls = {
            "query_class": ipywidgets.Dropdown(options=[ANY_CLASS, *classes], description="query class"),
            "query": ipywidgets.IntSlider(description="query"),
            "k": ipywidgets.IntSlider(MOST_NEIGHBOURS, min=1, max=MOST_NEIGHBOURS, description="neighbours"),
            "space": ipywidgets.ToggleButtons(
                options=list(self.embeddings), description="space", style={"button_width": "130px"}
            ),
        }
        alt = "A query image and the images nearest to it, each with its class and its distance."
        super().__init__(controls, alt, width=680, height=256, control_width=440)

    def largest(self, query_class: str, **others) -> dict[str, int]:
        return {"query": max(len(of_class(self.query_labels, self.classes, query_class)) - 1, 0)}

    def nearest(self, query: int, space: str, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Distances (k,) and gallery indices (k,) of the images nearest to query number `query`."""
        row = rows_of(self.queries[query : query + 1], self.embeddings[space])
        distances, indices = (self.gallery_rows[space] - row).norm(dim=1).topk(k, largest=False)
        return distances.cpu(), indices.cpu()

    def draw(self, query_class: str, query: int, k: int, space: str) -> Image.Image:
        candidates = of_class(self.query_labels, self.classes, query_class)
        canvas = Canvas(*self.size)
        if len(candidates) == 0:
            canvas.write(10, 10, f"No query is of class {query_class}.")
            return canvas.picture
        number = int(candidates[query])
        own_class = self.query_labels[number].item()
        distances, indices = self.nearest(number, space, k)
        labels = self.gallery_labels[indices].tolist()
        wrong = [label != own_class for label in labels]
        captions = [f"{self.classes[i]}\n{distance:.2f}" for i, distance in zip(labels, distances.tolist())]
        canvas.write(4, 4, "query")
        own = tiles(self.queries[number : number + 1], [self.classes[own_class]], columns=1, side=104)
        canvas.picture.paste(own, (0, 22))
        same = f"of its class: {k - sum(wrong)} of the {k} nearest by {space} (class, distance)"
        canvas.write(128, 4, same)
        neighbours = self.gallery[indices.to(self.gallery.device)]
        canvas.picture.paste(tiles(neighbours, captions, wrong, COLUMNS, side=76), (124, 22))
        return canvas.picture


def rows_of(images: torch.Tensor, embed: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """The embeddings (N, D) of uint8 images (N, 28, 28), flattened, computed 1,000 images at a time."""
    return torch.cat([evaluate(embed, to_pixels(part)).flatten(1) for part in images.split(1000)])
