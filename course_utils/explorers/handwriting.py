"""One style, every class: turn the style with sliders, or draw an image and get all classes in your handwriting."""

from collections.abc import Callable, Sequence

import ipywidgets
import torch
from PIL import Image, ImageDraw

from course_utils.data import to_pixels
from course_utils.drawings import prepare_drawing
from course_utils.explorers.base import DrawingExplorer, Explorer, evaluate
from course_utils.plots import BLUE, CAPTION_HEIGHT, as_grey, pil_font, tiles
from course_utils.settings import DIGITS

WIDTH, HEIGHT = 700, 290
LARGE, SMALL, COLUMNS = 196, 84, 5
LEFT_OF_TILES = LARGE + 34
AS_READ = -1  # the choice "as the judge reads it"

# decode(z, y): latents (B, n) and int64 labels (B,) to pixels (B, 1, 28, 28) in [0, 1].
Decode = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class StyleExplorer(Explorer):
    """A class drop-down and style sliders: one z, shown in the chosen class and in all of them.

    `decode(z, y)` takes latents (B, n) and labels (B,) and returns pixels (B, 1, 28, 28) in [0, 1]. `codes` (N, n) are
    the means mu of images: the slider "start" chooses the one to start from, and each style slider moves away from it
    along one of their principal directions (PCA of `codes`), in standard deviations. Sliders drawn: `directions`, or n
    if that is fewer. `classes` are the names of the labels. A test sets `demo.controls["style 1"].value`.

    Raises ValueError if codes are not (N, n) with at least two rows.
    """

    def __init__(
        self, decode: Decode, codes: torch.Tensor, classes: Sequence[str] = DIGITS, directions: int = 4
    ):
        if codes.ndim != 2 or len(codes) < 2:
            raise ValueError(f"codes must be (N, n) with at least two rows; got shape {tuple(codes.shape)}")
        self.decode, self.codes, self.classes = decode, codes.detach(), classes
        centred = self.codes - self.codes.mean(dim=0)
        _, singular, rows = torch.linalg.svd(centred, full_matrices=False)
        deviations = singular / (len(codes) - 1) ** 0.5
        # One step of a slider is one standard deviation of the codes along its direction.
        self.steps = (deviations[:, None] * rows)[:directions]
        wide = {"layout": ipywidgets.Layout(width="330px"), "style": {"description_width": "70px"}}
        controls = {
            "class": _class_dropdown("class", [], classes, wide),
            "start": ipywidgets.IntSlider(max=len(codes) - 1, description="start", **wide),
        }
        for i in range(1, len(self.steps) + 1):
            controls[f"style {i}"] = ipywidgets.FloatSlider(
                0.0, min=-3, max=3, step=0.1, description=f"style {i}", **wide
            )
        alt = "One style: the chosen class large at the left, all classes with the same z at the right."
        super().__init__(controls, alt, WIDTH, HEIGHT)

    def draw(self, start: int, **values) -> Image.Image:
        """The picture for a class, a code to start from, and an amount for each style slider."""
        label = values.pop("class")
        amounts = torch.tensor([values[f"style {i + 1}"] for i in range(len(self.steps))])
        z = self.codes[start] + amounts.to(self.codes) @ self.steps
        images = all_classes(self.decode, z, len(self.classes))
        picture, pen = _large_and_small(images[label], images, self.classes)
        pen.text((4, 4), f"class {self.classes[label]}", fill="black", font=pil_font())
        pen.text((LEFT_OF_TILES, 4), "the same z in every class", fill="black", font=pil_font())
        return picture

    def arrange(self) -> ipywidgets.Widget:
        """Class and start in a row, two style sliders in each row below, then the picture."""
        controls = list(self.controls.values())
        rows = [ipywidgets.HBox(controls[i : i + 2]) for i in range(0, len(controls), 2)]
        return ipywidgets.VBox([*rows, self.message, self.picture])


class HandwritingPad(DrawingExplorer):
    """Draw an image, and get every class in its style: z is encoded from it, and decoded with each label.

    `encode(x, y)` takes pixels (B, 1, 28, 28) in [0, 1] and labels (B,) and returns mu and log_var (B, n);
    `decode(z, y)` returns pixels in [0, 1]. `classify(x)` gives class scores (B, K): by default they say as which
    class the drawing is encoded, and the drop-down "drawn as" says it otherwise. `examples` are uint8 images
    (E, 28, 28) to choose instead of drawing. The drawing is prepared as the data are, see
    `drawings.prepare_drawing`.
    """

    def __init__(
        self,
        encode: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
        decode: Decode,
        classify: Callable[[torch.Tensor], torch.Tensor],
        examples: torch.Tensor,
        classes: Sequence[str] = DIGITS,
    ):
        self.encode, self.decode, self.classify, self.classes = encode, decode, classify, classes
        wide = {"layout": ipywidgets.Layout(width="290px"), "style": {"description_width": "85px"}}
        choices = [("what the judge reads", AS_READ)]
        controls = {"drawn_as": _class_dropdown("drawn as", choices, classes, wide)}
        alt = "The image that the model sees, large at the left; at the right all classes in its style."
        super().__init__(examples, controls, alt, WIDTH, HEIGHT)

    def draw(self, source: str, example: int, drawn_as: int) -> Image.Image:
        image = torch.from_numpy(prepare_drawing(self.original(source, example)))
        if not image.any():
            return self.nothing_drawn()
        x = to_pixels(image[None])
        label = self.read(x) if drawn_as == AS_READ else drawn_as
        picture, pen = _large_and_small(image, self.in_every_class(x, label), self.classes)
        pen.text((4, 4), f"what the model sees, as {self.classes[label]}", fill="black", font=pil_font())
        pen.text((LEFT_OF_TILES, 4), "every class in this handwriting", fill="black", font=pil_font())
        _frame(pen, label)
        return picture

    def read(self, x: torch.Tensor) -> int:
        """The class with the highest score for pixels (1, 1, 28, 28)."""
        return evaluate(self.classify, x).argmax(dim=1).item()

    def in_every_class(self, x: torch.Tensor, label: int) -> torch.Tensor:
        """Pixels (K, 1, 28, 28): the style of x (1, 1, 28, 28), an image of class `label`, in every class."""
        mu, _ = evaluate(self.encode, x, torch.tensor([label]))
        return all_classes(self.decode, mu[0], len(self.classes))


def all_classes(decode: Decode, z: torch.Tensor, classes: int) -> torch.Tensor:
    """One z (n,) decoded with every label, (classes, 1, 28, 28)."""
    return evaluate(decode, z.expand(classes, -1), torch.arange(classes, device=z.device))


def _class_dropdown(description: str, first: list, classes: Sequence[str], wide: dict) -> ipywidgets.Dropdown:
    options = [*first, *((name, i) for i, name in enumerate(classes))]
    return ipywidgets.Dropdown(options=options, value=options[0][1], description=description, **wide)


def _large_and_small(
    large: torch.Tensor, images: torch.Tensor, classes: Sequence[str]
) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """One image large at the left, all images with their class names at the right; and the pen to write on it."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    grey = Image.fromarray(as_grey(large.reshape(1, 28, 28))[0])
    picture.paste(grey.resize((LARGE, LARGE), Image.Resampling.NEAREST), (4, 26))
    picture.paste(tiles(images, list(classes), columns=COLUMNS, side=SMALL), (LEFT_OF_TILES - 4, 24))
    return picture, ImageDraw.Draw(picture)


def _frame(pen: ImageDraw.ImageDraw, label: int) -> None:
    """A frame around the tile of the class that was drawn."""
    row, column = divmod(label, COLUMNS)
    left, top = LEFT_OF_TILES - 4 + column * (SMALL + 8) + 4, 24 + row * (SMALL + CAPTION_HEIGHT) + 2
    pen.rectangle((left - 3, top - 3, left + SMALL + 2, top + SMALL + 2), outline=BLUE, width=3)
