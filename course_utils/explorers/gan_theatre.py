"""The training theatre of a GAN on the line: data, generator, discriminator and the best discriminator, live."""

import math

import ipywidgets
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from torch import nn

from course_utils.environment import forked_random_numbers
from course_utils.explorers.base import PLAYING, Explorer
from course_utils.plots import BLACK, BLUE, GREEN, GREY, ORANGE, plain_figure

# The data densities: (weight, mean, standard deviation) of each bump.
DATA = {
    "one bump": ((1.0, 1.0, 0.6),),
    "two bumps": ((0.5, -1.5, 0.4), (0.5, 1.5, 0.4)),
    "far away": ((1.0, 4.0, 0.4),),
}
GENERATORS = ("a line, W z + b", "a small network")
LOSSES = ("non-saturating", "saturating")
BATCH = 128
STEPS_PER_FRAME = 4
MILLISECONDS_PER_FRAME = 80
RATES = (0.0, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
PENALTIES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
BETAS = (0.5, 0.99)

FARTHEST_X = 6.0
X = np.linspace(-FARTHEST_X, FARTHEST_X, 241)  # the middles of the bins of the generator's density
FRAME_HEIGHT = 1.5  # room for the legend above the curves
LEAST_MASS = 1e-3  # below this density, p / (p + q) compares nothing with nothing
# Equally probable values of z, finely spaced: their images under G show where its mass goes.
Z = torch.special.ndtri((torch.arange(20_000) + 0.5) / 20_000)[:, None]
ARROWS = slice(500, None, 1_000)
STEPS_ACROSS = (200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
WIDTH, HEIGHT = 900, 400


class GanTheatre(Explorer):
    """Two players on the line: play, step or reset, and watch both densities and D move.

    The controls choose the data, the generator, its loss, both learning rates (0 holds a player still), how many
    steps D takes before each step of G, and the penalty on a steep D. `train(steps)` trains without a browser. A
    change of data or generator starts over; any other change keeps what was learnt.
    """

    def __init__(self):
        self.controls = _make_controls()
        self.play_button = ipywidgets.ToggleButton(description="Play", icon="play")
        self.step_button = ipywidgets.Button(description="Step", icon="step-forward")
        self.reset_button = ipywidgets.Button(description="Reset", icon="refresh")
        self.play_button.observe(self._play_or_pause, names="value")
        self.step_button.on_click(lambda button: self.run_safely(lambda: self.train(1)))
        self.reset_button.on_click(lambda button: self.run_safely(self.reset))
        self.stage = _Stage()
        self._start_over()
        alt = (
            "Left: the density of the data, that of the generator, D as it was learnt and the best D, over x, with "
            "lines below that show where G sends z. Right: D's loss and the mean of D on data and on fakes."
        )
        super().__init__(self.controls, alt, WIDTH, HEIGHT)

    def train(self, steps: int) -> None:
        """Let both players take so many steps, and draw where they stand then."""
        for _ in range(steps):
            self._step_of_both(self.values())
        self._redraw()

    def reset(self) -> None:
        """Start over with untrained players, with the data and the generator that the controls ask for."""
        self._start_over()
        self._redraw()

    @torch.no_grad()
    def curves(self) -> dict[str, np.ndarray]:
        """The four curves over `X`: densities `p` (data) and `q` (generator), `D` as learnt, and `best` = p / (p + q).

        `best` is not a number where both densities are practically 0.
        """
        p = mixture_density(X, self.data)
        if isinstance(
            self.G, nn.Linear
        ):  # a straight line makes a normal distribution of a normal distribution
            q = mixture_density(X, ((1.0, self.G.bias.item(), max(abs(self.G.weight.item()), 1e-3)),))
        else:
            q = pushed_density(self.G(Z)[:, 0].numpy())
        best = np.divide(p, p + q, out=np.full_like(p, np.nan), where=p + q > LEAST_MASS)
        at = torch.from_numpy(X).float()[:, None]
        return {"p": p, "q": q, "D": torch.sigmoid(self.D(at)).numpy(), "best": best}

    def draw(self, **values) -> Image.Image:
        """The players as they stand now; the control values are already in them."""
        with torch.no_grad():
            landing = self.G(Z[ARROWS])[:, 0].numpy()
        return self.stage.render(self.curves(), landing, self.history)

    def arrange(self) -> ipywidgets.Widget:
        """Three rows of controls, the buttons, and the picture."""
        c = self.controls
        # The player ticks in the browser; it needs a view for that, but the buttons are what the reader uses.
        c["play"].layout.display = "none"
        rows = [
            ipywidgets.HBox([c["data"], c["generator"], c["loss"]]),
            ipywidgets.HBox([c["rate_of_d"], c["rate_of_g"]]),
            ipywidgets.HBox([c["steps_of_d"], c["penalty"]]),
            ipywidgets.HBox([self.play_button, self.step_button, self.reset_button, c["play"]]),
        ]
        return ipywidgets.VBox([*rows, self.message, self.picture])

    def _start_over(self) -> None:
        values = self.values()
        self.data = DATA[values["data"]]
        # The notebook's own random numbers must not depend on what is tried here.
        with forked_random_numbers():
            self.G = _make_generator(values["generator"])
            self.D = nn.Sequential(
                nn.Linear(1, 64),
                nn.LeakyReLU(0.2),
                nn.Linear(64, 64),
                nn.LeakyReLU(0.2),
                nn.Linear(64, 1),
                nn.Flatten(0),
            )
        self.random = torch.Generator().manual_seed(0)
        self.optimizer_d = torch.optim.Adam(self.D.parameters(), betas=BETAS)
        self.optimizer_g = torch.optim.Adam(self.G.parameters(), betas=BETAS)
        self.step = 0
        # (step, D's loss, mean of D on data, mean of D on fakes)
        self.history: list[tuple[int, float, float, float]] = []

    def _step_of_both(self, values: dict) -> None:
        self.optimizer_d.param_groups[0]["lr"] = values["rate_of_d"]
        self.optimizer_g.param_groups[0]["lr"] = values["rate_of_g"]
        for _ in range(values["steps_of_d"]):
            x = sample_data(self.data, BATCH, self.random)
            with torch.no_grad():
                fake = self.G(torch.randn(BATCH, 1, generator=self.random))
            both = torch.cat([x, fake])
            logits, fake_logits = self.D(both).split(BATCH)
            loss_d = F.softplus(-logits).mean() + F.softplus(fake_logits).mean()
            nearby = both + 0.1 * torch.randn(both.shape, generator=self.random)
            slope = (self.D(nearby) - torch.cat([logits, fake_logits])) / 0.1
            self.optimizer_d.zero_grad()
            (loss_d + values["penalty"] * slope.square().mean()).backward()
            self.optimizer_d.step()
        seen = [mean.sigmoid().mean().item() for mean in (logits.detach(), fake_logits.detach())]
        logits = self.D(self.G(torch.randn(BATCH, 1, generator=self.random)))
        saturating = values["loss"] == "saturating"
        loss_g = (-F.softplus(logits) if saturating else F.softplus(-logits)).mean()
        self.optimizer_g.zero_grad()
        loss_g.backward()
        self.optimizer_g.step()
        self.step += 1
        self.history.append((self.step, loss_d.item(), *seen))

    def _play_or_pause(self, change) -> None:
        self.controls["play"].set_trait(PLAYING, change.new)
        self.play_button.description = "Pause" if change.new else "Play"
        self.play_button.icon = "pause" if change.new else "play"

    def _control_changed(self, change) -> None:
        if change.owner is self.controls["play"]:
            self.run_safely(lambda: self.train(STEPS_PER_FRAME))
        elif change.owner in (self.controls["data"], self.controls["generator"]):
            self.run_safely(self.reset)


def mixture_density(x: np.ndarray, bumps) -> np.ndarray:
    """The density at x of a mixture of bumps (weight, mean, standard deviation)."""
    return sum(
        weight * np.exp(-0.5 * ((x - mean) / width) ** 2) / (width * math.sqrt(2 * math.pi))
        for weight, mean, width in bumps
    )


def sample_data(bumps, n: int, random: torch.Generator) -> torch.Tensor:
    """n draws (n, 1) from a mixture of bumps."""
    weights, means, widths = (torch.tensor(column) for column in zip(*bumps, strict=True))
    which = torch.multinomial(weights, n, replacement=True, generator=random)
    return (means[which] + widths[which] * torch.randn(n, generator=random))[:, None]


def pushed_density(landing: np.ndarray) -> np.ndarray:
    """The density over `X` of equally probable points: their histogram, in bins around `X`."""
    step = X[1] - X[0]
    counts, _ = np.histogram(landing, bins=len(X), range=(X[0] - step / 2, X[-1] + step / 2))
    return counts / (len(landing) * step)


def _make_generator(kind: str) -> nn.Module:
    if kind == GENERATORS[0]:
        line = nn.Linear(1, 1)
        nn.init.ones_(line.weight)
        nn.init.constant_(line.bias, -1.0)
        return line
    return nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))


def _make_controls() -> dict[str, ipywidgets.Widget]:
    wide = {"layout": ipywidgets.Layout(width="290px"), "style": {"description_width": "110px"}}
    return {
        "data": ipywidgets.Dropdown(options=list(DATA), description="data", **wide),
        "generator": ipywidgets.Dropdown(options=GENERATORS, description="generator", **wide),
        "loss": ipywidgets.Dropdown(options=LOSSES, description="G's loss", **wide),
        "rate_of_d": ipywidgets.SelectionSlider(
            options=RATES, value=0.01, description="D's learning rate", **wide
        ),
        "rate_of_g": ipywidgets.SelectionSlider(
            options=RATES, value=0.005, description="G's learning rate", **wide
        ),
        "steps_of_d": ipywidgets.IntSlider(1, min=1, max=10, description="D's steps per G's", **wide),
        "penalty": ipywidgets.SelectionSlider(options=PENALTIES, value=0.0, description="penalty", **wide),
        "play": ipywidgets.Play(min=0, max=10**9, interval=MILLISECONDS_PER_FRAME),
    }


class _Stage:
    """The figure. What never moves is drawn once and kept as a background: drawing all takes ten times as long."""

    def __init__(self):
        self.figure = plain_figure(WIDTH / 100, HEIGHT / 100)
        self.canvas = FigureCanvasAgg(self.figure)
        self.moving: list = []
        self._set_up_densities(
            self.figure.add_axes((0.055, 0.33, 0.53, 0.59)), self.figure.add_axes((0.055, 0.12, 0.53, 0.19))
        )
        self._set_up_history(
            self.figure.add_axes((0.64, 0.57, 0.335, 0.35)), self.figure.add_axes((0.64, 0.12, 0.335, 0.33))
        )
        self.background = None
        self.steps_across = 0

    def _set_up_densities(self, axis, below) -> None:
        (p,) = axis.plot([], [], color=BLACK, linestyle=":", linewidth=2.5, label="data p(x)")
        (q,) = axis.plot([], [], color=GREEN, linewidth=2, label="generator q(x)")
        (best,) = axis.plot([], [], color=ORANGE, linestyle="--", linewidth=2.5, label="best D = p / (p + q)")
        (learnt,) = axis.plot([], [], color=BLUE, linewidth=2, label="D as learnt")
        self.curves = {"p": p, "q": q, "best": best, "D": learnt}
        self.note = axis.text(5.8, 1.13, "", ha="right", fontsize=9, color=GREEN)
        axis.axhline(0.5, color=GREY, linewidth=1)
        axis.set(xlim=(-FARTHEST_X, FARTHEST_X), ylim=(0, FRAME_HEIGHT), ylabel="density; D")
        axis.set_title("two densities, and D between them", fontsize=10)
        axis.legend(loc="upper left", fontsize=8.5, frameon=False, ncols=2)
        axis.tick_params(labelsize=8, labelbottom=False)
        below.set(
            xlim=(-FARTHEST_X, FARTHEST_X), ylim=(0, 1), yticks=(), xlabel="x above, z below: where G sends z"
        )
        below.tick_params(labelsize=8)
        self.starts = Z[ARROWS][:, 0].numpy()
        below.plot(self.starts, 0 * self.starts + 0.03, color=BLACK, marker="o", markersize=2.5, linestyle="")
        # One broken line is drawn much faster than twenty lines.
        (self.arrows,) = below.plot([], [], color=GREEN, linewidth=1)
        self.arrow_heights = np.tile([0.03, 0.97, np.nan], len(self.starts))
        self.moving += [*self.curves.values(), self.note, self.arrows]

    def _set_up_history(self, loss, means) -> None:
        loss.axhline(2 * math.log(2), color=ORANGE, linestyle="--", linewidth=1.5)
        loss.text(
            0.99,
            2 * math.log(2) + 0.04,
            "2 log 2",
            transform=loss.get_yaxis_transform(),
            ha="right",
            fontsize=8,
        )
        (self.loss,) = loss.plot([], [], color=BLUE, linewidth=1.3)
        loss.set(ylim=(0, 1.9))
        loss.set_title("loss of D", fontsize=10)
        means.axhline(0.5, color=ORANGE, linestyle="--", linewidth=1.5)
        (self.real,) = means.plot([], [], color=BLACK, linewidth=1.3, label="D(x)")
        (self.fake,) = means.plot([], [], color=GREEN, linewidth=1.3, label="D(G(z))")
        means.set(ylim=(0, 1), xlabel="step")
        means.set_title("mean of D", fontsize=10)
        means.legend(loc="upper right", fontsize=8, frameon=False, ncols=2)
        for axis in (loss, means):
            axis.tick_params(labelsize=8)
        self.history_axes = (loss, means)
        self.moving += [self.loss, self.real, self.fake]

    def render(self, curves: dict[str, np.ndarray], landing: np.ndarray, history: list[tuple]) -> Image.Image:
        for name, line in self.curves.items():
            line.set_data(X, curves[name])
        self.note.set_text("q is taller than this frame" if curves["q"].max() > FRAME_HEIGHT else "")
        ends = np.stack([self.starts, landing, np.full_like(landing, np.nan)], axis=1)
        self.arrows.set_data(ends.flatten(), self.arrow_heights)
        columns = np.zeros((4, 0))
        if history:
            # More points than pixels would only cost time.
            chosen = np.unique(np.linspace(0, len(history) - 1, 300).astype(int))
            columns = np.array([history[i] for i in chosen]).T
        for line, values in zip((self.loss, self.real, self.fake), columns[1:], strict=True):
            line.set_data(columns[0], values)
        self._draw_background_if_needed(history[-1][0] if history else 0)
        self.canvas.restore_region(self.background)
        for artist in self.moving:
            artist.axes.draw_artist(artist)
        pixels = np.asarray(self.canvas.buffer_rgba())[:, :, :3]
        # A picture of 256 colours is packed three times as fast as one of full colours.
        return Image.fromarray(pixels.copy()).quantize(256, method=Image.Quantize.FASTOCTREE)

    def _draw_background_if_needed(self, step: int) -> None:
        across = next((steps for steps in STEPS_ACROSS if step <= steps), step)
        if self.background is not None and across == self.steps_across:
            return
        for axis in self.history_axes:
            axis.set_xlim(0, across)
        for artist in self.moving:
            artist.set_animated(True)  # such artists are left out of the background
        self.canvas.draw()
        self.background = self.canvas.copy_from_bbox(self.figure.bbox)
        self.steps_across = across
