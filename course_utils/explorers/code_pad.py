"""A pad to walk on in a code of two numbers: drag the point over the map, and see what the decoder makes of it."""

from collections.abc import Callable, Sequence

import ipywidgets
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw
from wigglystuff import ChartPuck

from course_utils.data import check_labels
from course_utils.explorers.base import Explorer, evaluate
from course_utils.judges import ToProbabilities, probabilities
from course_utils.plots import BLACK, GREY, VERMILION, as_grey, draw_class_map, pil_font, plain_figure, to_png
from course_utils.settings import DIGITS

MAP_WIDTH, MAP_HEIGHT = 500, 460
WIDTH, HEIGHT = 250, 420
SIDE = 224  # of the decoded image on the screen, in pixels
PUCK = 8  # radius, in pixels


class CodePad(Explorer):
    """The map of many codes with a point to drag over it, and beside it the image that the point decodes to.

    It serves every model whose code has two numbers, an autoencoder as well as a VAE:

    - `decode` takes z, float32 (1, 2) on the CPU, and returns pixels (1, 1, 28, 28) in [0, 1]. For an autoencoder
      that is `model.decode`; a decoder that returns logits needs a sigmoid around it. It is called without
      gradients, for every move of the point, so it should take a few milliseconds at most. Networks and their
      methods are put into eval mode; a function around one with BatchNorm must see to that itself.
    - `points` (N, 2) are the codes on the map, made beforehand: of an autoencoder `model.encode(x)`, of a VAE the
      means mu. `labels` (N,) are whole numbers that choose their colour.
    - `images`, uint8 (N, 28, 28), are optional: with them, the image whose code is nearest to the point is shown.
    - `judge` is optional: what `load_judge` returns, or a function from pixels (1, 1, 28, 28) to class probabilities
      (1, C). With it, the pad says which class the judge sees in the decoded image, and how sure it is.
    - `classes` are the names of the labels, `axis_names` those of the two numbers, `start` the first place of the
      point (default: the first code), `title` the heading of the map.
    - `limits` ((left, right), (bottom, top)) are the edges of the map; by default it holds all points.

    Drag the point or click on the map; two sliders do the same from the keyboard. A test sets
    `pad.controls["z1"].value`, or `pad.puck.x` and `pad.puck.y` (lists of one), as a drag does.

    Raises ValueError if points are not (N, 2), labels not one of the classes for each, or images not as many.
    """

    def __init__(
        self,
        decode: Callable[[torch.Tensor], torch.Tensor],
        points: torch.Tensor | np.ndarray,
        labels: torch.Tensor | np.ndarray,
        images: torch.Tensor | np.ndarray | None = None,
        judge: ToProbabilities | None = None,
        classes: Sequence[str] = DIGITS,
        axis_names: tuple[str, str] = ("z1", "z2"),
        start: tuple[float, float] | None = None,
        limits: tuple[tuple[float, float], tuple[float, float]] | None = None,
        title: str = "",
    ):
        self.points, self.labels = _as_array(points), _as_array(labels)
        if self.points.ndim != 2 or self.points.shape[1] != 2 or len(self.points) == 0:
            raise ValueError(
                f"points must have shape (N, 2), one code of two numbers a row; got {self.points.shape}"
            )
        check_labels(torch.as_tensor(self.labels), len(self.points), len(classes))
        if images is not None and len(images) != len(self.points):
            raise ValueError(f"images must be one for each point; got {len(images)} for {len(self.points)}")
        self.decode, self.judge, self.classes, self.axis_names = decode, judge, classes, axis_names
        self.images = None if images is None else as_grey(images)
        self.limits = limits or _around(self.points)
        z1, z2 = start if start is not None else self.points[0].tolist()
        figure = self._draw_map(title or f"{len(self.points):,} codes, coloured by class")
        self.puck = ChartPuck(figure, x=[z1], y=[z2], puck_radius=PUCK, puck_color=VERMILION)
        controls = {
            name: _slider(axis_name, value, *edges)
            for name, axis_name, value, edges in zip(("z1", "z2"), axis_names, (z1, z2), self.limits)
        }
        alt = (
            "Left: a map of codes of two numbers, coloured by class, with a point to drag. "
            "Right: the image that this point decodes to."
        )
        super().__init__(controls, alt, WIDTH, HEIGHT)
        self.puck.observe(self._puck_moved, names=["x", "y"])

    def arrange(self) -> ipywidgets.Widget:
        """The map above its sliders on the left, the decoded image on the right."""
        rigid = ipywidgets.Layout(flex="0 0 auto")
        left = ipywidgets.VBox([self.puck, *self.controls.values()], layout=rigid)
        return ipywidgets.HBox([left, ipywidgets.VBox([self.message, self.picture])])

    def draw(self, z1: float, z2: float) -> Image.Image:
        """The decoded image of a code, with what the judge says of it and the nearest point of the map."""
        pixels = evaluate(self.decode, torch.tensor([[z1, z2]], dtype=torch.float32))
        # Grey, since a picture in colours takes twice as long to encode.
        picture = Image.new("L", (WIDTH, HEIGHT), "white")
        pen = ImageDraw.Draw(picture)
        pen.text((4, 2), f"decoded from ({z1:.2f}, {z2:.2f})", fill=BLACK, font=pil_font())
        _paste(picture, as_grey(pixels)[0], (4, 22), SIDE)
        if self.judge is not None:
            sureness, label = probabilities(self.judge, pixels)[0].max(dim=0)
            text = f"the judge sees: {self.classes[label]}\nand is {100 * sureness.item():.0f} % sure"
            pen.multiline_text((4, 252), text, fill=BLACK, font=pil_font())
        nearest, distance = self.nearest(z1, z2)
        text = f"nearest code: {distance:.2f} away\nclass {self.classes[self.labels[nearest]]}"
        pen.multiline_text((4, 304), text, fill=BLACK, font=pil_font())
        if self.images is not None:
            _paste(picture, self.images[nearest], (WIDTH - 94, 326), 84)
        return picture

    def nearest(self, z1: float, z2: float) -> tuple[int, float]:
        """The index of the point that is nearest to (z1, z2), and its Euclidean distance."""
        squares = ((self.points - (z1, z2)) ** 2).sum(axis=1)
        nearest = int(squares.argmin())
        return nearest, float(np.sqrt(squares[nearest]))

    def still(self) -> bytes:
        """The PNG bytes of map, point and decoded image as one picture."""
        (z1, z2), (left, right), (bottom, top) = self.values().values(), *self.limits
        picture = Image.new("RGB", (MAP_WIDTH + WIDTH, MAP_HEIGHT), "white")
        picture.paste(self._map, (0, 0))
        x0, y0, x1, y1 = self.puck.axes_pixel_bounds
        x = x0 + (z1 - left) / (right - left) * (x1 - x0)
        y = y1 - (z2 - bottom) / (top - bottom) * (y1 - y0)
        pen = ImageDraw.Draw(picture)
        pen.ellipse((x - PUCK, y - PUCK, x + PUCK, y + PUCK), fill=VERMILION, outline="white", width=2)
        picture.paste(self.draw(z1, z2), (MAP_WIDTH, 20))
        return to_png(picture)

    def _draw_map(self, title: str) -> Figure:
        figure = plain_figure(MAP_WIDTH / 100, MAP_HEIGHT / 100)
        # ChartPuck asks a figure where its axes are, so they must not move when it is drawn.
        axis = figure.add_axes((0.15, 0.12, 0.83, 0.81))
        axis.set(
            xlim=self.limits[0], ylim=self.limits[1], xlabel=self.axis_names[0], ylabel=self.axis_names[1]
        )
        draw_class_map(axis, self.points, self.labels)
        axis.grid(color=GREY, alpha=0.3)
        axis.set_axisbelow(True)
        axis.set_title(title, fontsize=10)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        self._map = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
        return figure

    def _puck_moved(self, change) -> None:
        """Take over both coordinates of the point, and draw once."""
        place = {"z1": self.puck.x[0], "z2": self.puck.y[0]}
        # A drag changes x and y, and is announced twice.
        if place == self.values():
            return
        with self.without_drawing():
            for name, value in place.items():
                self.controls[name].value = value
        self.update()

    def _control_changed(self, change) -> None:
        if self._may_draw:
            values = self.values()
            self.puck.x, self.puck.y = [values["z1"]], [values["z2"]]
            self.update()


def _as_array(values: torch.Tensor | np.ndarray) -> np.ndarray:
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def _around(points: np.ndarray) -> tuple[tuple[float, float], tuple[float, float]]:
    """The edges of a map that holds all points with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = np.maximum(0.06 * (high - low), 1e-3)
    (left, bottom), (right, top) = (low - margin).tolist(), (high + margin).tolist()
    return (left, right), (bottom, top)


def _slider(name: str, value: float, low: float, high: float) -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(
        value, min=low, max=high, step=(high - low) / 200, description=name,
        layout=ipywidgets.Layout(width=f"{MAP_WIDTH - 20}px"), style={"description_width": "70px"},
    )  # fmt: skip


def _paste(picture: Image.Image, image: np.ndarray, place: tuple[int, int], side: int) -> None:
    picture.paste(Image.fromarray(image).resize((side, side), Image.Resampling.NEAREST), place)
