"""A playground of small networks: train one on points in the plane and watch what every hidden unit sees."""

import itertools
import math
from functools import cache

import ipywidgets
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.colors import to_rgb
from PIL import Image, ImageDraw
from torch import nn

from course_utils.environment import forked_random_numbers
from course_utils.explorers.base import PLAYING, Explorer
from course_utils.plots import BLACK, BLUE, DIVERGING, GREY, ORANGE, VERMILION, pil_font
from course_utils.toy_data import TOY_SETS, toy_points

ACTIVATIONS = {"ReLU": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "linear": nn.Identity}
LEARNING_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
MOST_LAYERS, MOST_UNITS = 3, 8
STEPS_PER_FRAME = 5
MILLISECONDS_PER_FRAME = 40
HELD_OUT_SEED = 1000

# The picture, in pixels: columns of thumbnails on the left, decision surface and loss curves on the right.
WIDTH, HEIGHT = 860, 470
THUMBNAIL, PITCH, TOP = 44, 54, 26
OUTPUT_LEFT, OUTPUT_SIDE = 590, 262
CURVES = (OUTPUT_LEFT, 345, OUTPUT_LEFT + OUTPUT_SIDE, 462)
PLANE = 3.0  # the plane is drawn from -PLANE to PLANE in both directions
COLOURS = (255 * DIVERGING(np.linspace(0, 1, 256))[:, :3]).astype(np.uint8)


class ToyNetwork(nn.Module):
    """An extractor of one to three hidden layers, and a head that turns the last one into two logits."""

    def __init__(self, units: tuple[int, ...], activation: str):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(before, after), ACTIVATIONS[activation]())
            for before, after in itertools.pairwise((2, *units))
        )
        self.head = nn.Linear(units[-1], 2)

    def responses(self, x: torch.Tensor) -> list[torch.Tensor]:
        """What the units of each hidden layer answer to points x (N, 2): one tensor (N, units) a layer."""
        responses = []
        for layer in self.layers:
            x = layer(x)
            responses.append(x)
        return responses

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.responses(x)[-1])


class Playground(Explorer):
    """Choose points and a network, then train, pause, step or reset, and watch every hidden unit.

    `data`, `noise`, `units` (of each hidden layer: one to three numbers from 1 to 8), `activation` and
    `learning_rate` are where the controls start. `train(steps)` trains without a browser. A change of the
    learning rate keeps what was learnt; any other change starts over.
    """

    def __init__(
        self,
        data: str = "circles",
        units: tuple[int, ...] = (4,),
        activation: str = "tanh",
        noise: float = 0.1,
        learning_rate: float = 0.03,
    ):
        if not 1 <= len(units) <= MOST_LAYERS or not all(1 <= count <= MOST_UNITS for count in units):
            raise ValueError(
                f"units must be one to {MOST_LAYERS} numbers from 1 to {MOST_UNITS}, one for each hidden "
                f"layer; got {units}"
            )
        self.controls = _make_controls(data, units, activation, noise, learning_rate)
        self.train_button = ipywidgets.ToggleButton(description="Train", icon="play")
        self.step_button = ipywidgets.Button(description="Step", icon="step-forward")
        self.reset_button = ipywidgets.Button(description="Reset", icon="refresh")
        self.train_button.observe(self._play_or_pause, names="value")
        self.step_button.on_click(lambda button: self.run_safely(lambda: self.train(1)))
        self.reset_button.on_click(lambda button: self.run_safely(self.reset_with_new_weights))
        self.weights_seed = 0
        self._start_over()
        alt = (
            "Playground: points of two classes in the plane, a small network that learns to tell them apart, "
            "what each of its hidden units answers over the plane, its decision surface and its loss curves."
        )
        super().__init__(self.controls, alt, WIDTH, HEIGHT)

    def train(self, steps: int) -> None:
        """Take so many optimiser steps, each on all training points, and draw what came of them."""
        for _ in range(steps):
            loss = F.cross_entropy(self.network(self.x), self.y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.step += 1
            if self.step % STEPS_PER_FRAME == 0:
                self._measure()
        if self.history[-1][0] != self.step:
            self._measure()
        self._redraw()

    def reset(self) -> None:
        """Start over with the network that the controls ask for, untrained."""
        self._start_over()
        self._redraw()

    def reset_with_new_weights(self) -> None:
        """Start over from other random weights: some starts learn faster than others."""
        self.weights_seed += 1
        self.reset()

    def draw(self, **values) -> Image.Image:
        """The network as it is now; the control values are already in it."""
        grid = _plane_points()
        with torch.no_grad():
            hidden = self.network.responses(grid)
            probability = self.network.head(hidden[-1]).softmax(dim=1)[:, 1]
        columns = [grid, *hidden]
        canvas = Image.new("RGB", (WIDTH, HEIGHT), "white")
        places = [_column_places(i, len(columns), column.shape[1]) for i, column in enumerate(columns)]
        _paste_weights(canvas, places, [layer[0].weight for layer in self.network.layers], self.network.head)
        for i, (column, corners) in enumerate(zip(columns, places, strict=True)):
            _paste_column(canvas, column, corners, f"layer {i}" if i else "input")
        _paste_surface(canvas, probability, self.markers)
        _write_status(canvas, self.step, self.accuracy)
        _draw_losses(canvas, self.history)
        # A picture of 256 colours is packed three times as fast as one of full colours.
        return canvas.quantize(256, method=Image.Quantize.FASTOCTREE)

    def arrange(self) -> ipywidgets.Widget:
        """Three short columns of controls, the buttons, and the picture."""
        c = self.controls
        # The player ticks in the browser; it needs a view for that, but the buttons are what the reader uses.
        c["play"].layout.display = "none"
        rows = [
            ipywidgets.HBox([c["data"], c["noise"]]),
            ipywidgets.HBox([c["activation"], c["learning_rate"]]),
            ipywidgets.HBox([c["layers"], *(c[f"units_{i}"] for i in range(1, MOST_LAYERS + 1))]),
            ipywidgets.HBox([self.train_button, self.step_button, self.reset_button, c["play"]]),
        ]
        return ipywidgets.VBox([*rows, self.message, self.picture])

    def _start_over(self) -> None:
        values = self.values()
        for i in range(1, MOST_LAYERS + 1):
            self.controls[f"units_{i}"].disabled = i > values["layers"]
        units = tuple(values[f"units_{i}"] for i in range(1, values["layers"] + 1))
        self.x, self.y = toy_points(values["data"], values["noise"])
        self.held_out_x, self.held_out_y = toy_points(values["data"], values["noise"], seed=HELD_OUT_SEED)
        # The notebook's own random numbers must not depend on what is tried here.
        with forked_random_numbers(self.weights_seed):
            self.network = ToyNetwork(units, values["activation"])
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=values["learning_rate"], fused=True)
        self.step = 0
        self.history: list[tuple[int, float, float]] = []  # (step, training loss, held-out loss)
        self.markers = _markers(self.x.numpy(), self.y.numpy())
        self._measure()

    @torch.no_grad()
    def _measure(self) -> None:
        logits, held_out_logits = self.network(self.x), self.network(self.held_out_x)
        train_loss = F.cross_entropy(logits, self.y).item()
        held_out_loss = F.cross_entropy(held_out_logits, self.held_out_y).item()
        self.history.append((self.step, train_loss, held_out_loss))
        # The shares of training and of held-out points that are classified rightly.
        self.accuracy = (
            (logits.argmax(dim=1) == self.y).float().mean().item(),
            (held_out_logits.argmax(dim=1) == self.held_out_y).float().mean().item(),
        )

    def _play_or_pause(self, change) -> None:
        self.controls["play"].set_trait(PLAYING, change.new)
        self.train_button.description = "Pause" if change.new else "Train"
        self.train_button.icon = "pause" if change.new else "play"

    def _control_changed(self, change) -> None:
        if change.owner is self.controls["play"]:
            self.run_safely(lambda: self.train(STEPS_PER_FRAME))
        elif change.owner is self.controls["learning_rate"]:
            self.optimizer.param_groups[0]["lr"] = change.new
        else:
            self.run_safely(self.reset)


def _make_controls(data, units, activation, noise, learning_rate) -> dict[str, ipywidgets.Widget]:
    def slider(description: str, value: int, most: int, width: str):
        return ipywidgets.IntSlider(
            description=description, value=value, min=1, max=most, layout=ipywidgets.Layout(width=width)
        )

    wide = ipywidgets.Layout(width="380px")
    controls = {
        "data": ipywidgets.Dropdown(description="points", options=list(TOY_SETS), value=data, layout=wide),
        "noise": ipywidgets.FloatSlider(
            description="noise", value=noise, min=0, max=0.6, step=0.05, layout=wide
        ),
        "activation": ipywidgets.Dropdown(
            description="activation", options=list(ACTIVATIONS), value=activation, layout=wide
        ),
        "learning_rate": ipywidgets.SelectionSlider(
            description="learn. rate", options=LEARNING_RATES, value=learning_rate, layout=wide
        ),
        "layers": slider("layers", len(units), MOST_LAYERS, "210px"),
    }
    for i in range(1, MOST_LAYERS + 1):
        value = units[i - 1] if i <= len(units) else 4
        controls[f"units_{i}"] = slider(f"units in {i}", value, MOST_UNITS, "210px")
    controls["play"] = ipywidgets.Play(min=0, max=10**9, interval=MILLISECONDS_PER_FRAME)
    return controls


@cache
def _plane_points() -> torch.Tensor:
    """The points of the plane that are looked at, float32 (THUMBNAIL^2, 2), row by row from the top left."""
    ticks = torch.linspace(-PLANE, PLANE, THUMBNAIL)
    y, x = torch.meshgrid(-ticks, ticks, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def _coloured(values: np.ndarray) -> np.ndarray:
    """Values in [-1, 1] as colours, uint8 (..., 3): blue for negative, white for 0, orange for positive."""
    return COLOURS[np.clip(127.5 * (values + 1), 0, 255).astype(np.uint8)]


def _column_places(column: int, columns: int, units: int) -> list[tuple[int, int]]:
    """The upper left corners of the thumbnails of one column, centred from top to bottom."""
    left = 8 + column * (OUTPUT_LEFT - 8) // columns
    first = TOP + (MOST_UNITS - units) * PITCH // 2
    return [(left, first + i * PITCH) for i in range(units)]


def _paste_weights(canvas, places, weights, head: nn.Linear) -> None:
    """A line for every weight: orange if positive, blue if negative, and the thicker the larger."""
    # What counts for the decision is how much more a unit gives to class 1 than to class 0.
    to_output = (head.weight[1] - head.weight[0]).unsqueeze(0)
    ends = [*places[1:], [(OUTPUT_LEFT, TOP + OUTPUT_SIDE // 2 - THUMBNAIL // 2)]]
    # Drawn at twice the size and reduced, since PIL's lines have hard edges.
    lines = Image.new("RGB", (2 * OUTPUT_LEFT, 2 * HEIGHT), "white")
    pen = ImageDraw.Draw(lines)
    for starts, stops, matrix in zip(places, ends, [*weights, to_output], strict=True):
        matrix = matrix.detach().numpy()
        largest = max(1.0, np.abs(matrix).max())
        for i, j in zip(*np.unravel_index(np.abs(matrix).argsort(axis=None), matrix.shape), strict=True):
            (x0, y0), (x1, y1) = starts[j], stops[i]
            corners = [2 * (x0 + THUMBNAIL), 2 * y0 + THUMBNAIL, 2 * x1, 2 * y1 + THUMBNAIL]
            strength = abs(matrix[i, j]) / largest
            pen.line(corners, fill=ORANGE if matrix[i, j] > 0 else BLUE, width=1 + round(7 * strength))
    canvas.paste(lines.reduce(2), (0, 0))


def _paste_column(canvas, column: torch.Tensor, corners, name: str) -> None:
    """The responses of one layer (N, units) as thumbnails, each scaled by its own largest absolute value."""
    pen = ImageDraw.Draw(canvas)
    pen.text((corners[0][0], 4), name, font=pil_font(), fill=BLACK)
    values = column.numpy() / np.maximum(np.abs(column.numpy()).max(axis=0), 1e-6)
    thumbnails = _coloured(values.T.reshape(-1, THUMBNAIL, THUMBNAIL))
    for thumbnail, (x, y) in zip(thumbnails, corners, strict=True):
        canvas.paste(Image.fromarray(thumbnail), (x, y))
        pen.rectangle((x - 1, y - 1, x + THUMBNAIL, y + THUMBNAIL), outline=GREY)


def _paste_surface(canvas, probability: torch.Tensor, markers: Image.Image) -> None:
    """The probability of class 1 over the plane, the line where it is one half, and the training points."""
    coarse = (2 * probability - 1).reshape(THUMBNAIL, THUMBNAIL).numpy()
    fine = np.asarray(Image.fromarray(coarse).resize((OUTPUT_SIDE, OUTPUT_SIDE), Image.Resampling.BILINEAR))
    colours = _coloured(0.85 * fine)
    says_one = fine > 0
    boundary = (says_one[1:, 1:] != says_one[:-1, 1:]) | (says_one[1:, 1:] != says_one[1:, :-1])
    colours[1:, 1:][boundary] = 0
    canvas.paste(Image.fromarray(colours), (OUTPUT_LEFT, TOP))
    canvas.paste(markers, (OUTPUT_LEFT, TOP), markers)
    pen = ImageDraw.Draw(canvas)
    pen.text((OUTPUT_LEFT, 4), "output: orange means class 1", font=pil_font(), fill=BLACK)
    pen.rectangle((OUTPUT_LEFT - 1, TOP - 1, OUTPUT_LEFT + OUTPUT_SIDE, TOP + OUTPUT_SIDE), outline=GREY)


def _markers(x: np.ndarray, y: np.ndarray) -> Image.Image:
    """The points as a transparent picture: filled circles for class 1, hollow squares for class 0."""
    scale = 4
    side = scale * OUTPUT_SIDE
    picture = Image.new("RGBA", (side, side), (255, 255, 255, 0))
    pen = ImageDraw.Draw(picture)
    for (across, up), label in zip(x, y, strict=True):
        centre_x, centre_y = side * (PLANE + across) / (2 * PLANE), side * (PLANE - up) / (2 * PLANE)
        r = 3.2 * scale
        box = (centre_x - r, centre_y - r, centre_x + r, centre_y + r)
        if label:
            pen.ellipse(box, fill=_darker(ORANGE), outline="white", width=scale)
        else:
            pen.rectangle(box, fill="white", outline=_darker(BLUE), width=int(1.6 * scale))
    return picture.reduce(scale)


def _darker(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(255 * 0.7 * part) for part in to_rgb(colour))
    return red, green, blue


def _write_status(canvas, step: int, accuracy: tuple[float, float]) -> None:
    pen = ImageDraw.Draw(canvas)
    y = TOP + OUTPUT_SIDE + 6
    pen.rectangle((OUTPUT_LEFT, y + 3, OUTPUT_LEFT + 8, y + 11), fill="white", outline=_darker(BLUE), width=2)
    pen.text((OUTPUT_LEFT + 14, y), "class 0", font=pil_font(), fill=BLACK)
    pen.ellipse((OUTPUT_LEFT + 76, y + 3, OUTPUT_LEFT + 84, y + 11), fill=_darker(ORANGE))
    pen.text((OUTPUT_LEFT + 90, y), "class 1", font=pil_font(), fill=BLACK)
    pen.text((OUTPUT_LEFT + OUTPUT_SIDE, y), f"step {step:,}", font=pil_font(), fill=BLACK, anchor="ra")
    text = f"accuracy: train {accuracy[0]:.0%}, held-out {accuracy[1]:.0%}"
    pen.text((OUTPUT_LEFT, y + 22), text, font=pil_font(), fill=BLACK)


def _draw_losses(canvas, history) -> None:
    """Training and held-out loss against the step; the grey line is the loss of guessing, ln 2."""
    left, top, right, bottom = CURVES
    pen = ImageDraw.Draw(canvas)
    pen.rectangle(CURVES, outline=GREY)
    # More points than pixels would only cost time.
    chosen = np.unique(np.linspace(0, len(history) - 1, 130).astype(int))
    steps, train, held_out = np.array([history[i] for i in chosen]).T
    x = left + (right - left) * steps / max(steps[-1], 1)

    def heights(losses):
        return bottom - (bottom - top) * np.clip(losses, 0, 1)

    guessing = heights(math.log(2))
    pen.line((left, guessing, right, guessing), fill=GREY)
    curves = (("train", train, BLACK), ("held-out", held_out, VERMILION))
    for row, (name, losses, colour) in enumerate(curves):
        pen.line(np.stack([x, heights(losses)], axis=1).flatten().tolist(), fill=colour, width=2)
        text = f"{name} loss {losses[-1]:.3f}"
        pen.text((right - 4, top + 3 + 17 * row), text, font=pil_font(), fill=colour, anchor="ra")
