"""The drawings of the lessons: one function for each, which shows it below the cell that calls it."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure

from course_utils.plots import BLUE, GREEN, HEIGHT, ORANGE, SKY, WIDTH, new_figure
from course_utils.schematics import INK, Schematic

CELL = 0.65  # side of a cell of a grid, in units of half an inch


def grids_in_a_row(
    grids: Sequence[torch.Tensor],
    titles: Sequence[str],
    alt: str,
    marked: Sequence[Mapping[tuple[int, int], str]] = (),
) -> None:
    """Matrices of numbers side by side; `marked` gives cells (row, column) of each of them a colour."""
    # A title needs about a quarter of a unit for each letter.
    widths = [max(CELL * grid.shape[1], 0.24 * len(title)) for grid, title in zip(grids, titles, strict=True)]
    height = CELL * max(len(grid) for grid in grids)
    drawing = Schematic(sum(widths) + 0.7 * (len(grids) + 1), height + 1.2)
    left = 0.7
    for i, (grid, title, width) in enumerate(zip(grids, titles, widths, strict=True)):
        drawing.grid(
            left + width / 2, height / 2 + 0.2, grid, CELL, marked[i] if marked else None, title=title
        )
        left += width + 0.7
    drawing.show(alt)


def gather_and_scatter(x: torch.Tensor, w: torch.Tensor, h: torch.Tensor) -> None:
    """A convolution of x (4, 4) gathers a patch into h[0, 1]; its transpose scatters h[0, 1] over the same places."""
    places = {(i, j): ORANGE for i in range(3) for j in range(1, 4)}
    written = F.pad(h[0, 1] * w, (1, 0, 0, 1))
    drawing = Schematic(18, 5)
    image = drawing.grid(1.8, 2.4, x, CELL, places, title="x")
    gathered = drawing.grid(6.4, 2.4, h, CELL, {(0, 1): ORANGE}, title="h")
    drawing.arrow(image.right, gathered.left, "gather")
    drawing.text(4.1, 0.4, "convolution: times w, added up", size=13)
    small = drawing.grid(11, 2.4, h, CELL, {(0, 1): SKY}, title="h")
    large = drawing.grid(15.6, 2.4, written, CELL, dict.fromkeys(places, SKY), title="added to the output")
    drawing.arrow(small.right, large.left, "scatter")
    drawing.text(13.3, 0.4, "transpose convolution: 7 times w", size=13)
    drawing.show(
        "On the left nine marked cells of a 4 by 4 image lead to one cell of a 2 by 2 map. On the right an arrow leads "
        "from that cell to the same nine cells, which hold seven times the kernel."
    )


def zeros_in_between(spread: torch.Tensor, turned: torch.Tensor, x: torch.Tensor) -> None:
    """A window of a map with zeros in between (7, 7), the turned kernel (3, 3), and the output (5, 5) of it."""
    window = {(i, j): ORANGE for i in range(2, 5) for j in range(2, 5)}
    drawing = Schematic(16.6, 6.2)
    zeros = drawing.grid(3.9, 2.7, spread, CELL, window, title="h with zeros in between and around")
    kernel = drawing.grid(9.2, 2.7, turned, CELL, title="w turned")
    result = drawing.grid(14.4, 2.7, x, CELL, {(2, 2): ORANGE}, title="output")
    drawing.text((zeros.right[0] + kernel.left[0]) / 2, 2.7, "∗", size=20)
    drawing.text((kernel.right[0] + result.left[0]) / 2, 2.7, "=", size=20)
    drawing.show(
        "A 7 by 7 grid with the four numbers of h, zeros between and around them, and a marked window of 3 by 3; the "
        "kernel turned by half a turn; the 5 by 5 output with the marked number that this window gives."
    )


def two_channels(x: torch.Tensor, w: torch.Tensor, maps: torch.Tensor) -> None:
    """A convolution of x (2, 5, 5) with w (2, 3, 3): the map of each channel, maps (2, 3, 3), and their sum."""
    patch = {(i, j): ORANGE for i in range(3) for j in range(3)}
    drawing = Schematic(18.4, 9)
    for c, y in ((0, 6.4), (1, 2)):
        image = drawing.grid(2.2, y, x[c], CELL, patch, title=f"image, channel {c}")
        kernel = drawing.grid(7, y, w[c], CELL, title=f"kernel, channel {c}")
        result = drawing.grid(11.6, y, maps[c], CELL, {(0, 0): SKY}, title=f"map {c}")
        drawing.text((image.right[0] + kernel.left[0]) / 2, y, "∗", size=20)
        drawing.text((kernel.right[0] + result.left[0]) / 2, y, "=", size=20)
        drawing.arrow(result.right, (15.4, 4.2 + 0.4 * (1 - 2 * c)))
    drawing.grid(16.6, 4.2, maps.sum(dim=0), CELL, {(0, 0): SKY}, title="result")
    drawing.text(14, 4.2, "+", size=20)
    drawing.show(
        "Each of the two channels of an image meets a kernel of its own, which gives two maps of 3 by 3. Added up, "
        "they are the one result. The patch at the upper left, and the number that comes from it, are marked."
    )


def field_of_one_unit() -> None:
    """In one dimension: a unit behind a kernel of 3, a pooling of 2 and a kernel of 3, and all that it sees."""
    layers = [
        ("pixels", 12, 2, 8),
        ("after a kernel of 3", 10, 2, 6),
        ("after pooling by 2", 5, 1, 3),
        ("after a kernel of 3", 3, 1, 1),
    ]
    drawing = Schematic(14.8, 7)
    row = []
    for level, (name, units, first, count) in enumerate(layers):
        step = CELL * (2 if level > 1 else 1)
        left = 5.9 + CELL * (level > 0) + CELL * 2 * (level > 2) + CELL / 2 * (level > 1)
        y = 0.8 + 1.8 * level
        drawing.text(2.4, y, name)
        for i in range(units):
            seen = first <= i < first + count
            drawing.grid(left + step * i, y, torch.tensor([[i]]), CELL, {(0, 0): ORANGE} if seen else {})
        row.append((left + step * first, left + step * (first + count - 1), y))
    for (left, right, y), (low_left, low_right, low) in zip(row[1:], row[:-1], strict=True):
        drawing.axes.plot(
            [left - CELL / 2, low_left - CELL / 2], [y - CELL / 2, low + CELL / 2], color="#222222"
        )
        drawing.axes.plot(
            [right + CELL / 2, low_right + CELL / 2], [y - CELL / 2, low + CELL / 2], color="#222222"
        )
    drawing.show(
        "Four rows of cells: one unit at the top rests on three, these on six, and these on eight pixels at the bottom."
    )


def convolutional_autoencoder(code_size: int) -> None:
    """The maps of notebook 05's autoencoder as boxes: as high as the maps' side, the wider the more channels."""
    maps = [
        (0.8, 28, "1 x 28 x 28"),
        (1, 14, "16 x 14 x 14"),
        (1.2, 7, "32 x 7 x 7"),
        (0.8, 5, f"{code_size}"),
    ]
    drawing = Schematic(20.4, 6.6)
    x, places = 1.2, []
    for number, (width, side, shape) in enumerate([*maps, *maps[-2::-1]]):
        name = {0: "$x$", 3: "$z$", 6: r"$\hat{x}$"}.get(number, "")
        places.append(drawing.box(x, 3.8, name, width, 0.17 * side, ORANGE if number == 3 else SKY))
        drawing.text(x, 3.8 - 0.085 * side - 0.5, shape)
        x += 3
    steps = ["conv", "conv", "linear", "linear", "transpose\nconv", "transpose\nconv"]
    for (start, end), step in zip(pairwise(places), steps, strict=True):
        drawing.arrow(start.right, end.left)
        drawing.text((start.right[0] + end.left[0]) / 2, 4.5, step)
    drawing.text(4.2, 0.35, "encoder", size=15)
    drawing.text(16.2, 0.35, "decoder", size=15)
    drawing.show(
        "Boxes from left to right: the image, two smaller maps with more channels, a narrow code of "
        f"{code_size} numbers, and the same sizes back to the image."
    )


def autoencoder(pixels: int, hidden_size: int, code_size: int) -> None:
    """Notebook 03's autoencoder: an encoder that narrows to the code, and a decoder that widens to the image again."""
    drawing = Schematic(18.4, 5.6)
    image = drawing.box(1.3, 3, "$x$", 1.4, 4.4, ORANGE)
    encoder = drawing.box(5.3, 3, f"encoder\n{pixels} → {hidden_size:,} → {code_size}", 4.6, 4.4, taper=0.4)
    code = drawing.box(9.2, 3, "$z$", 1.2, 1.5, ORANGE)
    decoder = drawing.box(
        13.1, 3, f"decoder\n{code_size} → {hidden_size:,} → {pixels}", 4.6, 4.4, taper=1 / 0.4
    )
    result = drawing.box(17.1, 3, r"$\hat{x}$", 1.4, 4.4, ORANGE)
    for start, end in pairwise((image, encoder, code, decoder, result)):
        drawing.arrow(start.right, end.left)
    for place, text in (
        (image, f"{pixels} pixels"),
        (code, f"{code_size} numbers"),
        (result, f"{pixels} pixels"),
    ):
        drawing.text(place.middle[0], 0.35, text)
    drawing.show(
        f"From left to right: an image of {pixels} pixels, an encoder that narrows, a code of {code_size} numbers, a "
        f"decoder that widens, and the reconstruction of {pixels} pixels."
    )


def error_against_code_size(sizes: Sequence[int], errors: Mapping[str, Sequence[float]]) -> Figure:
    """Held-out squared errors of several methods (name -> one error for each code size) against the code size."""
    figure, axis = new_figure(7, HEIGHT)
    for (name, values), marker, colour in zip(errors.items(), "os^", (ORANGE, BLUE, GREEN), strict=False):
        axis.plot(sizes, values, marker=marker, color=colour, label=name)
    axis.set_xscale("log", base=2)
    axis.set_xticks(sizes, labels=sizes)
    axis.set_ylim(bottom=0)
    axis.set_xlabel("code size (numbers)", fontsize=12)
    axis.set_ylabel("squared error per held-out image", fontsize=12)
    axis.legend(fontsize=12)
    axis.grid(color="#E5E5E5")
    return figure


def extractor_and_head(inputs: str, features: str, outputs: str) -> None:
    """A network in two modules: x, an extractor that turns it into as many features f, and a head with the logits."""
    drawing = Schematic(18.4, 3.2)
    x = drawing.box(1.2, 1.9, "$x$", 1.4, 1.6, ORANGE)
    extractor = drawing.box(5.1, 1.9, "extractor\nbends the space", 4.6, 1.6)
    f = drawing.box(8.9, 1.9, "$f$", 1.4, 1.6, ORANGE)
    head = drawing.box(12.4, 1.9, "head\none linear layer", 4, 1.6)
    logits = drawing.box(16.7, 1.9, "logits", 2, 1.6, ORANGE)
    for start, end in pairwise((x, extractor, f, head, logits)):
        drawing.arrow(start.right, end.left)
    for place, text in ((x, inputs), (f, features), (logits, outputs)):
        drawing.text(place.middle[0], 0.4, text)
    drawing.show(f"From left to right: {inputs}, an extractor, {features}, a linear head, and {outputs}.")


def generative_model() -> None:
    """The graphical model of a VAE: z -> x with theta, the encoder's way back with phi, once for each of N images."""
    drawing = Schematic(15.4, 7.4)
    drawing.frame(7.7, 3.6, 5.4, 6.4, "N images")
    z = drawing.node(7.7, 5.4, "$z$")
    drawing.node(7.7, 2.2, "$x$", observed=True)
    theta = drawing.node(2.6, 3.8, r"$\theta$", radius=0.65)
    phi = drawing.node(12.8, 3.8, r"$\phi$", radius=0.65)
    drawing.arrow((7.35, 4.68), (7.35, 2.92))
    drawing.arrow((8.05, 2.92), (8.05, 4.68), dashed=True)
    drawing.arrow(theta.right, (6.95, 2.45))
    drawing.arrow(phi.left, (8.45, 5.15), dashed=True)
    drawing.text(2.6, 2.5, "decoder", size=13)
    drawing.text(12.8, 2.5, "encoder", size=13)
    drawing.text(2.6, 1.7, r"$p_\theta(x|z)$", size=14)
    drawing.text(12.8, 1.7, r"$q_\phi(z|x)$", size=14)
    drawing.text(2.6, 5.4, "prior $p(z)$", size=14)
    drawing.arrow((4, 5.4), z.left)
    drawing.show(
        "A solid arrow leads from the latent z to the observed x: the decoder with its parameters theta. A dashed one "
        "leads back from x to z: the encoder with its parameters phi. Both stand in a frame that is repeated N times."
    )


def jensens_curve() -> Figure:
    """The logarithm bends downwards: for w = 0.25 and 1.75, the mean of the logarithms lies below that of w."""
    figure, axis = new_figure(7, HEIGHT)
    w = torch.linspace(0.12, 2.2, 200)
    ends, mean = torch.tensor([0.25, 1.75]), 1.0
    axis.plot(w, w.log(), color=BLUE, linewidth=2.5, label="log w")
    axis.plot(ends, ends.log(), color=ORANGE, marker="o", linewidth=2, label="chord")
    axis.plot([mean, mean], [ends.log().mean(), 0], color=GREEN, linewidth=4, label="what the bound loses")
    axis.plot(mean, 0, "o", color=BLUE)
    axis.plot(mean, ends.log().mean(), "o", color=ORANGE)
    axis.text(0.62, 0.15, "log of the mean", fontsize=12, color=BLUE)
    axis.text(1.03, ends.log().mean() - 0.2, "mean of the logs", fontsize=12, color=INK)
    axis.set_xlabel("w", fontsize=12)
    axis.set_ylabel("logarithm", fontsize=12)
    axis.set_title("The logarithm of the mean is above the mean of the logarithms", fontsize=12)
    axis.legend(fontsize=12, loc="lower right")
    return figure


def gradient_paths() -> None:
    """A sample inside the graph stops the gradient; drawn as mu + sigma * epsilon it lets the gradient through."""
    drawing = Schematic(19.6, 7.8)
    for left, title in ((0, "z is drawn: no way back"), (10, "z is computed: the gradient passes")):
        drawing.text(left + 4.8, 7.2, title, size=14)
    for left, computed in ((0, False), (10, True)):
        mu = drawing.box(left + 1.2, 5, r"$\mu$", 1.6, 1.4)
        sigma = drawing.box(left + 1.2, 2.6, r"$\sigma$", 1.6, 1.4)
        f = drawing.box(left + 8.3, 3.8, "$f(z)$", 2, 1.6, ORANGE)
        if computed:
            z = drawing.box(left + 4.8, 3.8, r"$\mu + \sigma\,\epsilon$", 2.6, 1.6)
            epsilon = drawing.node(left + 4.8, 0.9, r"$\epsilon$")
            drawing.arrow(epsilon.top, z.bottom)
            drawing.text(left + 7.2, 0.9, r"$\epsilon \sim N(0, I)$", size=13)
        else:
            z = drawing.node(left + 4.8, 3.8, "$z$")
            drawing.text(left + 4.8, 2.3, r"$z \sim N(\mu, \sigma^2)$", size=13)
        for start in (mu, sigma):
            drawing.arrow(start.right, z.left)
        drawing.arrow(z.right, f.left)
        drawing.arrow(f.top, z.top, bend=-0.35, dashed=True)
        if computed:
            drawing.arrow(z.top, mu.top, bend=-0.35, dashed=True)
            drawing.arrow(z.bottom, sigma.bottom, bend=0.35, dashed=True)
        else:
            drawing.text(left + 3.6, 5, "✗", size=20)
    drawing.show(
        "Left: z is a random node between mu, sigma and f, and the dashed arrow of the gradient ends at it. Right: z "
        "is computed from mu, sigma and the random epsilon, and the dashed arrow goes on to mu and to sigma."
    )


def data_parallel() -> None:
    """Notebook 13's data parallel step: two processes with the same weights share a batch, and average gradients."""
    drawing = Schematic(20.4, 7.6)
    batch = drawing.box(1.5, 3.8, "batch\n$B$ images", 2.4, 4.4, ORANGE)
    mean = drawing.box(14, 3.8, "all-reduce:\nmean of both", 3, 3, GREEN)
    for y, rank in ((5.8, 0), (1.8, 1)):
        part = drawing.box(4.9, y, f"part {rank}\n$B/2$ images", 2.8, 1.6, ORANGE)
        model = drawing.box(8.3, y, f"model,\nprocess {rank}", 2.4, 1.6)
        gradient = drawing.box(10.9, y, f"$g_{rank}$", 1.2, 1.4, ORANGE)
        step = drawing.box(18.2, y, "the same step,\nthe same weights", 3.8, 1.6)
        drawing.arrow((batch.right[0], 3.8 + (y - 3.8) / 2), part.left)
        drawing.arrow(part.right, model.left)
        drawing.arrow(model.right, gradient.left)
        drawing.arrow(gradient.right, (mean.left[0], 3.8 + (y - 3.8) / 3))
        drawing.arrow((mean.right[0], 3.8 + (y - 3.8) / 3), step.left)
    drawing.show(
        "A batch is cut into two parts. Each of two processes has the same model and computes its gradient. "
        "The all-reduce hands the mean of both gradients to both processes, which take the same step."
    )


def density_maps(
    maps: Mapping[str, torch.Tensor],
    centres: Sequence[torch.Tensor],
    points: Mapping[str, Sequence[float]],
    extent: Sequence[float],
) -> Figure:
    """Densities on a grid of the plane (rows from below) by the square root, so that thin places show, and points.

    `centres` are those of each density's components, (K, 2); the last ones are so many that they make a line.
    """
    figure, axes = new_figure(WIDTH, 3.4, 1, len(maps), sharey=True)
    label = {"fontsize": 14, "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}}
    for axis, (title, density), dots in zip(axes, maps.items(), centres, strict=True):
        axis.imshow(density.sqrt(), origin="lower", extent=extent, cmap="Blues", aspect="auto")
        axis.plot(*centres[-1].T, color=ORANGE, linewidth=1)
        if dots is not centres[-1]:
            axis.plot(*dots.T, "o", color=ORANGE, markersize=6)
        for name, (across, up) in points.items():
            axis.plot(across, up, "x", color=INK, markersize=9, markeredgewidth=2.5)
            axis.text(across - 0.2, up - 0.3, name, ha="right", va="top", **label)
        axis.set_title(title, fontsize=13)
        axis.set_xlabel("$x_1$", fontsize=13)
        axis.set(xlim=extent[:2], ylim=extent[2:])
    axes[0].set_ylabel("$x_2$", fontsize=13)
    return figure


def conditional_gan() -> None:
    """Notebook 11's two players: G draws an image for noise and a label, D judges pairs of an image and a label."""
    drawing = Schematic(19.4, 7.4)
    noise = drawing.box(1.2, 6.3, "$z$", 1.6, 1.2, ORANGE)
    asked = drawing.box(1.2, 4.7, r"$y_{\mathrm{fake}}$", 1.6, 1.2, ORANGE)
    generator = drawing.box(4.5, 5.5, "G", 2.8, 2.6, taper=1 / 0.45)
    fake_pair = drawing.frame(9.8, 5.2, 5.6, 3, "fake pair")
    fake = drawing.box(8.7, 5.6, r"$G(z, y_{\mathrm{fake}})$", 2.8, 1.4, ORANGE)
    drawing.box(11.5, 5.6, r"$y_{\mathrm{fake}}$", 1.6, 1.4, ORANGE)
    real_pair = drawing.frame(9.8, 1.8, 5.6, 3, "real pair")
    drawing.box(8.7, 2.2, "$x$", 2.8, 1.4, ORANGE)
    drawing.box(11.5, 2.2, "$y$", 1.6, 1.4, ORANGE)
    discriminator = drawing.box(14.9, 3.5, "D", 2.8, 2.6, taper=0.45)
    logit = drawing.box(18, 3.5, "logit", 1.8, 1.4, ORANGE)
    drawing.arrow(noise.right, (generator.left[0], 5.8))
    drawing.arrow(asked.right, (generator.left[0], 5.2))
    drawing.arrow(generator.right, fake.left)
    drawing.arrow(fake_pair.right, (discriminator.left[0], 4))
    drawing.arrow(real_pair.right, (discriminator.left[0], 3))
    drawing.arrow(discriminator.right, logit.left)
    drawing.text(17.9, 2, "real, and\nof this class?")
    drawing.show(
        "Noise z and a label y_fake enter G, which draws an image. That image and y_fake are the fake pair, a training "
        "image x and its label y the real pair. D gives each pair one logit."
    )


def conditional_vae(latent_size: int, num_classes: int) -> None:
    """Notebook 09's model: the graphical model with z and y, and the label y as an input of both networks."""
    drawing = Schematic(20.4, 7.4)
    drawing.frame(2.7, 4, 4.8, 5.8, "N images")
    z = drawing.node(1.5, 5.6, "$z$")
    y = drawing.node(3.9, 5.6, "$y$", observed=True)
    x = drawing.node(2.7, 2.9, "$x$", observed=True)
    for node, side in ((z, -0.55), (y, 0.55)):
        drawing.arrow(node.bottom, (x.middle[0] + side, x.middle[1] + 0.6))
    drawing.text(2.7, 0.5, r"$p(z)\, p(x|z, y)$", size=15)
    image = drawing.box(6.5, 4.6, "$x$", 1.4, 3.8, ORANGE)
    encoder = drawing.box(9.6, 4.6, "encoder\n$q(z|x, y)$", 3.2, 3.8, taper=0.45)
    latent = drawing.box(12.7, 4.6, "$z$", 1.2, 1.7, ORANGE)
    decoder = drawing.box(15.8, 4.6, "decoder\n$p(x|z, y)$", 3.2, 3.8, taper=1 / 0.45)
    logits = drawing.box(19.1, 4.6, "logits", 1.6, 3.8, ORANGE)
    label = drawing.box(12.7, 1.4, "one-hot of $y$", 3, 1.2, GREEN)
    for start, end in pairwise((image, encoder, latent, decoder, logits)):
        drawing.arrow(start.right, end.left)
    drawing.arrow(label.left, (9.6, 3.2))
    drawing.arrow(label.right, (15.8, 3.2))
    for place, text in ((image, "784 pixels"), (latent, f"{latent_size} latents"), (logits, "784 logits")):
        drawing.text(place.middle[0], 6.9, text)
    drawing.text(12.7, 0.4, f"{num_classes} numbers")
    drawing.show(
        "Left: arrows lead from the latent z and from the observed label y to the observed image x. Right: the image "
        "passes through an encoder to z and through a decoder to the logits; the one-hot of y enters both networks."
    )


def two_players() -> None:
    """Notebook 10's two players: G draws an image from noise, D gives an image the probability of being real."""
    drawing = Schematic(19.4, 7.8)
    noise = drawing.box(1.2, 4.4, "$z$", 1.6, 1.4, ORANGE)
    generator = drawing.box(4.6, 4.4, "G", 2.8, 2.6, taper=1 / 0.45)
    fake = drawing.box(9, 4.4, "$G(z)$\nfake", 2.4, 1.8, ORANGE)
    real = drawing.box(9, 1.2, "$x$\nreal", 2.4, 1.8, ORANGE)
    discriminator = drawing.box(13.6, 2.8, "D", 2.8, 2.6, taper=0.45)
    verdict = drawing.box(17.8, 2.8, "$D$", 1.8, 1.4, ORANGE)
    drawing.arrow(noise.right, generator.left)
    drawing.arrow(generator.right, fake.left)
    drawing.arrow(fake.right, (discriminator.left[0], 3.3))
    drawing.arrow(real.right, (discriminator.left[0], 2.3))
    drawing.arrow(discriminator.right, verdict.left)
    drawing.text(17.8, 1.4, "probability\nof real")
    drawing.arrow(discriminator.top, generator.top, bend=-0.28, dashed=True)
    drawing.text(9, 6.9, "gradient for G")
    drawing.show(
        "Noise z enters G, which draws a fake. D is shown this fake or a real image x, and gives the probability that "
        "it is real. A dashed arrow leads from D back to G: the gradient by which G learns."
    )


def variational_autoencoder(latent_size: int) -> None:
    """Notebook 08's model: the encoder gives mu and log_var, noise makes z of them, the decoder gives logits."""
    drawing = Schematic(20.4, 6.6)
    image = drawing.box(1.2, 3.8, "$x$", 1.4, 4, ORANGE)
    encoder = drawing.box(4.3, 3.8, "encoder\n$q(z|x)$", 3, 4, taper=0.6)
    mu = drawing.box(7.6, 4.8, r"$\mu$", 1.8, 1.2, ORANGE)
    log_var = drawing.box(7.6, 2.8, r"$\log \sigma^2$", 1.8, 1.2, ORANGE)
    z = drawing.box(11.7, 3.8, r"$z = \mu + \sigma \odot \epsilon$", 3.6, 1.2, ORANGE)
    decoder = drawing.box(16, 3.8, "decoder\n$p(x|z)$", 3, 4, taper=1 / 0.6)
    logits = drawing.box(19.2, 3.8, "logits", 1.6, 4, ORANGE)
    drawing.text(11.7, 1.1, r"noise $\epsilon \sim \mathcal{N}(0, I)$")
    drawing.arrow(image.right, encoder.left)
    drawing.arrow((encoder.right[0], 4.4), mu.left)
    drawing.arrow((encoder.right[0], 3.2), log_var.left)
    drawing.arrow(mu.right, (z.left[0], 4.1))
    drawing.arrow(log_var.right, (z.left[0], 3.5))
    drawing.arrow((11.7, 1.5), z.bottom)
    drawing.arrow(z.right, decoder.left)
    drawing.arrow(decoder.right, logits.left)
    for place, text in ((image, "784 pixels"), (mu, f"{latent_size} numbers each"), (logits, "784 logits")):
        drawing.text(place.middle[0], 6.2, text)
    drawing.show(
        "From left to right: the image, an encoder with the two outputs mu and log sigma squared, the latents z that "
        "they and noise give, a decoder, and a logit for each pixel."
    )
