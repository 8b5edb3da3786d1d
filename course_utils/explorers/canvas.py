"""A canvas for pictures that PIL draws within a few milliseconds: letters and grey images on white."""

import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from course_utils.plots import BLACK, pil_font, to_png


class Canvas:
    """A white picture, and a pen for it. Places are in pixels from the upper left corner."""

    def __init__(self, width: int, height: int):
        self.picture = Image.new("RGB", (width, height), "white")
        self.pen = ImageDraw.Draw(self.picture)

    def write(
        self, left: float, top: float, text: str, anchor: str | None = None, colour: str = BLACK
    ) -> None:
        """Write a text, which may have several lines, at a place; `anchor` is PIL's, of a single line."""
        self.pen.text((left, top), text, fill=colour, font=pil_font(), anchor=anchor)

    def put(self, images: np.ndarray, left: int, top: int, side: int, columns: int, gap: int = 0) -> None:
        """Put grey images (N, 28, 28), uint8, row by row from a place on, each enlarged to `side` pixels."""
        for i, image in enumerate(images):
            tile = Image.fromarray(image).resize((side, side), Image.Resampling.NEAREST)
            row, column = divmod(i, columns)
            self.picture.paste(tile, (left + column * (side + gap), top + row * (side + gap)))


def drawn(figure: Figure) -> Image.Image:
    """A matplotlib figure as a picture."""
    return Image.open(io.BytesIO(to_png(figure))).convert("RGB")
