"""The ELBO laboratory: move q by hand, and see ELBO and gap add up to log p(x), in a model solved exactly."""

import ipywidgets
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Ellipse
from PIL import Image

from course_utils.explorers.base import Explorer
from course_utils.plots import BLACK, BLUE, GREEN, GREY, ORANGE, SKY, VERMILION, plain_figure
from course_utils.probability import LinearGaussian, gaussian_kl

# x = W z + noise, with one observed number x and one or two latents.
MODELS = {
    "one latent": [[1.2]],
    "two latents, both used": [[1.0, 0.7]],
    "two latents, one used": [[1.2, 0.0]],
}
SIGMA = 0.6
WIDTH, HEIGHT = 880, 350
FARTHEST_Z = 4.0
TALLEST_DENSITY = 1.35
GRID = np.linspace(-FARTHEST_Z, FARTHEST_Z, 401)
# The axis of the bars takes the first of these that holds them all, so that it rarely changes in a drag.
SCALES = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
# What each row of the bars shows: (name of the measure, label, colour).
ROWS = (
    ("reconstruction", "E$_q$[log p(x|z)]", SKY),
    ("kl", "− KL(q ‖ p(z))", ORANGE),
    ("elbo", "= ELBO", GREEN),
    ("gap", "+ gap KL(q ‖ p(z|x))", VERMILION),
    ("log_p_x", "= log p(x)", BLUE),
)


class ElboLaboratory(Explorer):
    """Sliders for x and for the means and widths of q; curves of q, prior and posterior; bars of the ELBO.

    The width of q is its standard deviation. `measures(**values)` gives the numbers behind the bars without
    drawing; `jump_to_best_q()` and `jump_to_prior()` are the two buttons.
    """

    def __init__(self):
        self.models = {name: LinearGaussian(_double(W), _double([0.0]), SIGMA) for name, W in MODELS.items()}
        self.panels = {1: _OneLatentPanel(), 2: _TwoLatentsPanel()}
        self.best_button = ipywidgets.Button(description="Jump to the best q")
        self.prior_button = ipywidgets.Button(description="Jump to the prior")
        self.best_button.on_click(lambda button: self.run_safely(self.jump_to_best_q))
        self.prior_button.on_click(lambda button: self.run_safely(self.jump_to_prior))
        controls = {
            "model": ipywidgets.Dropdown(options=list(MODELS), description="model", **_style()),
            "x": ipywidgets.FloatSlider(1.5, min=-4, max=4, step=0.05, description="x", **_style()),
            "mean_1": _mean_slider("mean of q"),
            "width_1": _width_slider("width of q"),
            "mean_2": _mean_slider("mean, latent 2"),
            "width_2": _width_slider("width, latent 2"),
        }
        alt = (
            "Left: prior, posterior and q as curves over z. Right: bars in nats, where the reconstruction "
            "term minus the KL gives the ELBO, and the ELBO plus the gap gives log p(x)."
        )
        super().__init__(controls, alt, WIDTH, HEIGHT)
        self._show_controls_of_the_model()

    def measures(self, model: str, x: float, **of_q: float) -> dict[str, float]:
        """reconstruction, kl, elbo, gap and log_p_x in nats, each from its own exact formula.

        `of_q` holds mean_1, width_1, mean_2 and width_2, as the sliders do.
        """
        solved = self.models[model]
        means, widths = _of_latents(of_q, solved.n)
        x, mu, log_var = _double([[x]]), _double([means]), 2 * _double([widths]).log()
        exact = {
            "reconstruction": solved.expected_log_likelihood(x, mu, log_var),
            "kl": gaussian_kl(mu, log_var),
            "elbo": solved.elbo(x, mu, log_var),
            "gap": solved.kl_to_posterior(x, mu, log_var),
            "log_p_x": solved.log_marginal(x),
        }
        return {name: value.item() for name, value in exact.items()}

    def draw(self, model: str, x: float, **of_q: float) -> Image.Image:
        """The picture for a model, an observed x and a q."""
        solved = self.models[model]
        panel = self.panels[solved.n]
        panel.move_latents(solved.posterior(_double([[x]])), *_of_latents(of_q, solved.n), solved.W[0], x)
        panel.bars.move(self.measures(model, x, **of_q))
        return panel.render()

    def jump_to_best_q(self) -> None:
        """Move q to where the ELBO is highest: the posterior, or as near as a q without correlation can come.

        That is at the mean of the posterior, with the inverse of the diagonal of its precision as variances:
        Bishop (2006), "Pattern Recognition and Machine Learning", section 10.1.2.
        """
        values = self.values()
        solved = self.models[values["model"]]
        mean = solved.posterior(_double([[values["x"]]])).loc[0]
        self._move_q(mean.tolist(), solved.precision.diagonal().rsqrt().tolist())

    def jump_to_prior(self) -> None:
        """Move q to the prior, where its KL is 0."""
        n = self.models[self.values()["model"]].n
        self._move_q([0.0] * n, [1.0] * n)

    def arrange(self) -> ipywidgets.Widget:
        """Model and x in a row, the sliders of each latent in a row, the buttons, and the picture below."""
        c = self.controls
        rows = [
            ipywidgets.HBox([c["model"], c["x"]]),
            ipywidgets.HBox([c["mean_1"], c["width_1"]]),
            ipywidgets.HBox([c["mean_2"], c["width_2"]]),
            ipywidgets.HBox([self.best_button, self.prior_button]),
        ]
        return ipywidgets.VBox([*rows, self.message, self.picture])

    def _move_q(self, means: list[float], widths: list[float]) -> None:
        """Set several sliders, and draw once."""
        with self.without_drawing():
            for i, (mean, width) in enumerate(zip(means, widths, strict=True), start=1):
                self.controls[f"mean_{i}"].value = mean
                self.controls[f"width_{i}"].value = width
        self._redraw()

    def _control_changed(self, change) -> None:
        self._show_controls_of_the_model()
        super()._control_changed(change)

    def _show_controls_of_the_model(self) -> None:
        display = None if self.models[self.controls["model"].value].n == 2 else "none"
        for name in ("mean_2", "width_2"):
            self.controls[name].layout.display = display


def _style() -> dict:
    return {"style": {"description_width": "100px"}, "layout": ipywidgets.Layout(width="420px")}


def _mean_slider(description: str) -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(0.0, min=-3, max=3, step=0.01, description=description, **_style())


def _width_slider(description: str) -> ipywidgets.FloatLogSlider:
    return ipywidgets.FloatLogSlider(
        10**-0.1,
        base=10,
        min=-1.3,
        max=0.5,
        step=0.01,
        readout_format=".2f",
        description=description,
        **_style(),
    )


def _double(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _of_latents(of_q: dict[str, float], n: int) -> tuple[list[float], list[float]]:
    """The means and the widths of the n latents in use."""
    means = [of_q[f"mean_{i}"] for i in range(1, n + 1)]
    widths = [of_q[f"width_{i}"] for i in range(1, n + 1)]
    return means, widths


class _Bars:
    """The measures as a cascade: each bar starts where the last one ended, and every sum is a full bar."""

    def __init__(self, axis):
        self.axis = axis
        places, colours = range(len(ROWS)), [colour for _, _, colour in ROWS]
        self.bars = axis.barh(places, [1.0] * len(ROWS), height=0.62, color=colours)
        self.numbers = [axis.text(0, place, "", va="center", fontsize=11) for place in places]
        self.target = axis.axvline(0, color=BLACK, linewidth=1, linestyle=(0, (4, 3)))
        self.moving = [*self.bars, *self.numbers, self.target]
        axis.set_title("what adds up to log p(x)", fontsize=12)
        axis.set_yticks(places, [label for _, label, _ in ROWS], fontsize=11)
        axis.invert_yaxis()
        axis.axvline(0, color=GREY, linewidth=1)
        axis.set_xlabel("nats", fontsize=11)
        axis.tick_params(axis="x", labelsize=10)
        axis.tick_params(axis="y", length=0)
        for side in ("top", "right", "left"):
            axis.spines[side].set_visible(False)

    def move(self, measures: dict[str, float]) -> None:
        reconstruction, elbo, log_p_x = (measures[name] for name in ("reconstruction", "elbo", "log_p_x"))
        starts = {"kl": reconstruction, "gap": elbo}
        lengths = {**measures, "kl": -measures["kl"]}
        for bar, number, (name, _, _) in zip(self.bars, self.numbers, ROWS, strict=True):
            bar.set_x(starts.get(name, 0.0))
            bar.set_width(lengths[name])
            number.set_text(_signed(lengths[name]))
        self.target.set_xdata([log_p_x, log_p_x])
        self._choose_scale(lowest=min(reconstruction, elbo, log_p_x))

    def _choose_scale(self, lowest: float) -> None:
        scale = next((scale for scale in SCALES if -lowest <= 0.97 * scale), -lowest)
        self.axis.set_xlim(-scale, 0.26 * scale)
        for number in self.numbers:
            number.set_x(0.03 * scale)


class _Panel:
    """A figure with the latents on the left and the bars on the right.

    What never moves is drawn once and kept as a background: drawing everything takes ten times as long.
    """

    def __init__(self):
        self.figure = plain_figure(WIDTH / 100, HEIGHT / 100)
        self.canvas = FigureCanvasAgg(self.figure)
        self.axis = self.figure.add_axes((0.06, 0.14, 0.37, 0.76))
        self.axis.set_xlim(-FARTHEST_Z, FARTHEST_Z)
        self.axis.tick_params(labelsize=10)
        self.bars = _Bars(self.figure.add_axes((0.645, 0.14, 0.345, 0.76)))
        self.moving = []
        self.drawn_scale = None

    def move_latents(self, posterior, means, widths, w, x) -> None:
        """Draw the true posterior, q with these means and widths, and where W z = x."""
        raise NotImplementedError

    def render(self) -> Image.Image:
        moving = [*self.moving, *self.bars.moving]
        scale = self.bars.axis.get_xlim()
        if scale != self.drawn_scale:
            for artist in moving:
                artist.set_animated(True)  # such artists are left out of the background
            self.canvas.draw()
            self.background = self.canvas.copy_from_bbox(self.figure.bbox)
            self.drawn_scale = scale
        self.canvas.restore_region(self.background)
        for artist in moving:
            artist.axes.draw_artist(artist)
        pixels = np.asarray(self.canvas.buffer_rgba())[:, :, :3]
        # A picture of 256 colours is packed three times as fast as one of full colours.
        return Image.fromarray(pixels.copy()).quantize(256, method=Image.Quantize.FASTOCTREE)


class _OneLatentPanel(_Panel):
    """Densities over one latent z."""

    def __init__(self):
        super().__init__()
        axis = self.axis
        axis.plot(GRID, _density(GRID, 0, 1), color=BLACK, linestyle="--", linewidth=1.5, label="prior p(z)")
        (self.posterior,) = axis.plot([], [], color=BLUE, linewidth=5, alpha=0.45, label="posterior p(z|x)")
        (self.q,) = axis.plot([], [], color=VERMILION, linewidth=2, label="q(z|x)")
        self.note = axis.text(3.8, 0.97, "", ha="right", fontsize=10.5, color=VERMILION)
        self.moving = [self.posterior, self.q, self.note]
        axis.set_ylim(0, TALLEST_DENSITY)
        axis.set_xlabel("z")
        axis.set_ylabel("density")
        axis.legend(loc="upper left", fontsize=10.5, frameon=False)
        axis.set_title("q against the true posterior", fontsize=12)

    def move_latents(self, posterior, means, widths, w, x) -> None:
        self.posterior.set_data(GRID, _density(GRID, posterior.loc.item(), posterior.stddev.item()))
        # A narrow q would slip between the points of the fixed grid.
        near = np.union1d(GRID, means[0] + widths[0] * np.linspace(-4, 4, 81))
        self.q.set_data(near, _density(near, means[0], widths[0]))
        taller = _density(means[0], means[0], widths[0]) > TALLEST_DENSITY
        self.note.set_text("q is taller than this frame" if taller else "")


class _TwoLatentsPanel(_Panel):
    """Ellipses of one and two standard deviations over two latents."""

    def __init__(self):
        super().__init__()
        axis = self.axis
        prior = [Ellipse((0, 0), 2 * r, 2 * r, fill=False, ls="--", lw=1.2, ec=BLACK) for r in (1, 2)]
        self.posterior = [Ellipse((0, 0), 1, 1, color=BLUE, alpha=0.25, lw=0) for _ in range(2)]
        self.q = [Ellipse((0, 0), 1, 1, fill=False, ec=VERMILION, lw=2) for _ in range(2)]
        for ellipse in (*prior, *self.posterior, *self.q):
            axis.add_patch(ellipse)
        (self.exact,) = axis.plot([], [], color=BLACK, linestyle=":", linewidth=1.5)
        self.moving = [*self.posterior, self.exact, *self.q]
        axis.set_ylim(-FARTHEST_Z, FARTHEST_Z)
        # The square stands at the left, and leaves room for the legend.
        axis.set_aspect("equal", anchor="W")
        axis.set_xlabel("z, latent 1")
        axis.set_ylabel("z, latent 2")
        shown = {"p(z)": prior[0], "p(z|x)": self.posterior[0], "q(z|x)": self.q[0], "W z = x": self.exact}
        style = {"fontsize": 10.5, "frameon": False, "handlelength": 1.6}
        axis.legend(shown.values(), shown.keys(), loc="upper left", bbox_to_anchor=(1, 1), **style)
        axis.set_title("one and two standard deviations", fontsize=12)

    def move_latents(self, posterior, means, widths, w, x) -> None:
        variances, directions = torch.linalg.eigh(posterior.covariance_matrix[0])
        angle = torch.rad2deg(torch.atan2(directions[1, 0], directions[0, 0])).item()
        for radius, ellipse in zip((1, 2), self.posterior, strict=True):
            ellipse.set(center=posterior.loc[0].tolist(), angle=angle)
            ellipse.width, ellipse.height = (2 * radius * variances.sqrt()).tolist()
        for radius, ellipse in zip((1, 2), self.q, strict=True):
            ellipse.set(center=means)
            ellipse.width, ellipse.height = (2 * radius * width for width in widths)
        # The line of all z with W z = x, from beyond one end of the frame to beyond the other.
        foot, along = w * x / w.square().sum(), torch.stack([-w[1], w[0]]) / w.norm()
        ends = torch.stack([foot - 12 * along, foot + 12 * along])
        self.exact.set_data(ends[:, 0].tolist(), ends[:, 1].tolist())


def _density(z, mean: float, width: float):
    return np.exp(-0.5 * ((z - mean) / width) ** 2) / (width * np.sqrt(2 * np.pi))


def _signed(value: float) -> str:
    """Three decimals with a sign; a gap of -1e-17 is a gap of +0.000."""
    return f"{round(value, 3) + 0.0:+.3f}".replace("-", "−")
