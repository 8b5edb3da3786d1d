"""Figures with one palette and alt text.

Every function returns a matplotlib `Figure` made without pyplot, so that no figure stays open; `show(figure, alt)` puts
it into the notebook together with its description for readers who cannot see it. All look the same for every reader:
see `plain_figure`.
"""

import base64
import functools
import html
import io
import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import matplotlib
import matplotlib.style
import numpy as np
import torch
from IPython.display import display
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from PIL import Image, ImageDraw, ImageFont

from course_utils.data import check_whole

# Okabe and Ito (2008), "Color Universal Design": told apart by readers with any common colour blindness.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
SKY, VERMILION, YELLOW, BLACK, GREY = "#56B4E9", "#D55E00", "#F0E442", "#000000", "#BBBBBB"
BROWN = "#7A4A1E"
# Ten classes; figures that use them also write the class into the picture, since ten hues are too many.
PALETTE = [BLUE, ORANGE, GREEN, PINK, SKY, VERMILION, BROWN, BLACK, GREY, YELLOW]
# Blue for negative, orange for positive, white between: for decision surfaces and responses of units.
DIVERGING = LinearSegmentedColormap.from_list("blue_white_orange", [BLUE, "#FFFFFF", ORANGE])
# The font of all pictures: it comes with matplotlib.
FONT = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
# The height in pixels of the smallest letters of all pictures, 10 points of a figure, and of two lines below a tile.
LETTERS, CAPTION_HEIGHT = 14, 40
# The largest figure, in inches: no page shrinks it, and a slide enlarges it until its letters can be read far away.
WIDTH, HEIGHT = 8.25, 3.6
SMALLEST_SIDE, LARGEST_SIDE = 0.3, 2.1  # of an image's place in a grid, in inches
MARGIN = 0.03  # around an image in its place, in inches
WHITE_ON_BLACK = {"cmap": "gray", "vmin": 0, "vmax": 255, "interpolation": "nearest"}
BADGE = 21  # the diameter of a class's badge on a map, in points
# Holds the reader's settings of matplotlib from the making of a figure until a picture is drawn.
_default_style = ExitStack()


def to_png(picture: Figure | Image.Image | np.ndarray) -> bytes:
    """The PNG bytes of a matplotlib figure, a PIL image or a uint8 array (H, W) or (H, W, 3).

    It ends what `plain_figure` began: the reader's own settings of matplotlib are back.
    """
    with _default_style:
        if isinstance(picture, Figure):
            _default_style.enter_context(matplotlib.style.context("default"))
            return _figure_to_png(picture)
    buffer = io.BytesIO()
    image = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    image.save(buffer, format="png")
    return buffer.getvalue()


def _figure_to_png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph .* missing")
        try:
            figure.savefig(buffer, format="png")
        except UserWarning:
            _spell_out(figure)
            figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _spell_out(figure: Figure) -> None:
    """Replace every text of a figure by one that its font can show."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = [label.get_text() for label in axis.get_ticklabels()]
            # matplotlib writes the labels of an axis anew at each drawing, so they are set there.
            if any(spelt_out(label) != label for label in labels):
                axis.set_ticks(axis.get_ticklocs(), labels=[spelt_out(label) for label in labels])
    for text in figure.findobj(Text):
        text.set_text(spelt_out(text.get_text()))


def spelt_out(text: str) -> str:
    """The text with every character that the pictures' font lacks replaced by the end of its Unicode name.

    That is how syllables are read: the hiragana letter KI gives `ki`.
    """
    return "".join(
        c if c.isspace() or ord(c) in _drawable() else unicodedata.name(c, "?").split()[-1].lower()
        for c in text
    )


@functools.cache
def _drawable() -> frozenset[int]:
    return frozenset(FT2Font(str(FONT)).get_charmap())


def image_bundle(data: bytes, alt: str, kind: str = "png") -> dict[str, str]:
    """A picture's file, of the type image/`kind`, as Jupyter's mime bundle: an <img> with `alt`, and `alt` as text.

    JupyterLab shows an output of the type image/png or image/svg+xml without its alt text.
    """
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    image = f'<img alt="{html.escape(alt)}" src="{source}" style="max-width: 100%">'
    return {"text/html": image, "text/plain": alt}


def picture_bundle(picture: Figure | Image.Image | np.ndarray, alt: str) -> dict[str, str]:
    """A figure, a PIL image or a uint8 array as Jupyter's mime bundle, with its description."""
    return image_bundle(to_png(picture), alt)


def show(picture: Figure | Image.Image | np.ndarray, alt: str) -> None:
    """Display a picture below the cell. `alt` says in a sentence what there is to see."""
    if not alt.strip():
        raise ValueError("alt must be a sentence that says what the picture shows; got an empty text")
    display(picture_bundle(picture, alt), raw=True)


def plain_figure(width: float, height: float) -> Figure:
    """An empty figure of the given size in inches, in matplotlib's default style, whatever the reader's is.

    In a dark style, or with `text.usetex`, texts could not be read or drawn. matplotlib asks for its settings again
    with every text and line that a notebook adds; so the default ones hold until `to_png` or `show` draws a picture.
    Settings that are changed between the two are undone then.
    """
    _default_style.enter_context(matplotlib.style.context("default"))
    return Figure(figsize=(width, height), dpi=100)


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1, **keywords):
    """A figure of the given size in inches and its axes (one, or an array of them), laid out tightly."""
    figure = plain_figure(width, height)
    figure.set_layout_engine("constrained")
    return figure, figure.subplots(rows, columns, **keywords)


def as_grey(images: torch.Tensor | np.ndarray) -> np.ndarray:
    """Images (N, 28, 28) or (N, 1, 28, 28), uint8 or floats in [0, 1], as uint8 (N, 28, 28).

    Floats outside the range, as PCA or noise gives them, are clipped. Raises ValueError for another shape, for whole
    numbers other than uint8, for NaN, and for floats whose mean lies outside [-0.25, 1.25], as that of digits in
    [-1, 1] or [0, 255] does; brighter images in [-1, 1] go unnoticed, and lose what is below 0.
    """
    array = images.detach().cpu().numpy() if isinstance(images, torch.Tensor) else np.asarray(images)
    if array.ndim == 4 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 3:
        raise ValueError(f"images must have shape (N, H, W) or (N, 1, H, W); got {tuple(array.shape)}")
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "fb":
        raise ValueError(f"images must be uint8, or floats in [0, 1]; got {array.dtype}")
    # Images are mostly background, so their mean tells their range, and noise does not move it.
    if array.size and not abs(array.mean() - 0.5) <= 0.75:  # which NaN does not satisfy, either
        raise ValueError(
            f"images must be uint8, or floats in [0, 1]; got {array.dtype} from {array.min():.3g} to "
            f"{array.max():.3g}, {array.mean():.3g} on average"
        )
    return np.rint(255 * np.clip(array, 0, 1)).astype(np.uint8)


def draw_digit(axes, image: np.ndarray, title: str = "", colour: str = BLACK) -> AxesImage:
    """One grey image (H, W), uint8, without ticks: white ink on black, as the data are stored."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    if title:
        axes.set_title(title, fontsize=10, color=colour)
    return axes.imshow(image, **WHITE_ON_BLACK)


def image_grid(
    images: torch.Tensor | np.ndarray,
    columns: int = 10,
    captions: Iterable | None = None,
    row_names: Iterable | None = None,
    title: str = "",
) -> Figure:
    """A grid of images (N, 28, 28) or (N, 1, 28, 28), row by row, as large as a figure may be, or higher for many rows.

    `captions` stand above each image, `row_names` left of each row: texts or numbers. Raises ValueError as `as_grey`
    does, for no image, unless there are as many captions as images, and unless `columns` is a whole number from 1.
    """
    check_whole("columns", columns, 1)
    grey = as_grey(images)
    texts = _captions([""] * len(grey) if captions is None else captions, len(grey))
    names = [] if row_names is None else [f"{name}" for name in row_names]
    starts = range(0, len(grey), columns)
    letters = [_height_of(texts[start : start + columns]) for start in starts]
    top, left = 0.35 if title else 0.0, _width_of(names)
    above = top + sum(letters)
    side = min((WIDTH - left) / columns, max((HEIGHT - above) / len(starts), SMALLEST_SIDE), LARGEST_SIDE)
    width = max(left + side * columns, 0.1 * len(title))
    # Rounded, because matplotlib 3.9 makes 355 pixels of 3.5599999999999996 inches.
    height = round(above + side * len(starts), 9)
    # One pair of axes for all, in inches: one for each image would take most of the drawing time.
    figure = plain_figure(width, height)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    left += (width - left - side * columns) / 2
    y = top
    for row, start in enumerate(starts):
        y += letters[row]
        for i in range(start, min(start + columns, len(grey))):
            _place_digit(axes, grey[i], texts[i], left + side * (i - start), y, side)
        if row < len(names):
            axes.text(left - 0.05, y + side / 2, names[row], ha="right", va="center", fontsize=10)
        y += side
    if title:
        figure.suptitle(title, fontsize=12, y=1 - 0.07 / height)
    return figure


def _place_digit(axes, image: np.ndarray, text: str, x: float, y: float, side: float) -> None:
    """An image (H, W), uint8, in the square of `side` whose upper left corner is (x, y), and a text above it."""
    high, wide = (side - 2 * MARGIN) * np.array(image.shape) / max(image.shape)
    x += (side - wide) / 2
    y += (side - high) / 2
    axes.imshow(image, **WHITE_ON_BLACK, aspect="auto", extent=(x, x + wide, y + high, y))
    axes.text(x + wide / 2, y - 0.04, text, ha="center", va="bottom", fontsize=10)


def _captions(captions: Iterable, count: int) -> list[str]:
    """The captions of `count` images as texts: of labels, too, as a tensor or an array."""
    texts = [f"{caption}" for caption in captions]
    if count == 0:
        raise ValueError("images must hold at least one image; got none")
    if len(texts) != count:
        raise ValueError(f"captions must be as many as images; got {len(texts)} for {count} images")
    return texts


def _width_of(texts: Sequence[str]) -> float:
    """The width in inches of the longest line of texts in letters of 10 points."""
    return max((0.1 + 0.085 * len(line) for text in texts for line in text.split("\n")), default=0.0)


def _height_of(texts: Sequence[str]) -> float:
    """The height in inches of the highest of some texts in letters of 10 points; 0 if all are empty."""
    return max((0.08 + 0.165 * len(text.split("\n")) for text in texts if text), default=0.0)


def training_curves(
    history: dict[str, list[tuple[int, float]]],
    title: str = "",
    share_done: float = 1.0,
    pictures: torch.Tensor | None = None,
) -> Figure:
    """One panel per recorded quantity against the step, and optionally a panel of current images.

    `history` maps each name to its list of (step, value), as `TrainingRun.history` does.
    """
    panels = len(history) + (pictures is not None)
    # Fixed margins in inches instead of an automatic layout, which would take most of the drawing time.
    # One panel alone is wider, so that there is room for the title.
    width, height = WIDTH / 3 * max(panels, 1.5), 2.2
    figure = plain_figure(width, height)
    axes = figure.subplots(1, panels, squeeze=False)
    figure.subplots_adjust(
        left=0.6 / width,
        right=1 - 0.15 / width,
        bottom=0.46 / height,
        top=1 - 0.52 / height,
        wspace=0.75 / 2,
    )
    figure.suptitle(title, fontsize=11, y=1 - 0.08 / height)
    for axis, (name, entries), colour in zip(axes[0], history.items(), PALETTE * len(history)):
        draw_curve(axis, name, entries, colour)
    if pictures is not None:
        draw_mosaic(axes[0, -1], pictures)
        box = axes[0, -1].get_position(original=True)
        # Images have no numbers and no name of an axis below them, and can be so much larger.
        axes[0, -1].set_position((box.x0, 0.08 / height, box.width, box.y1 - 0.08 / height))
    # A thin bar along the top edge is the progress bar; it is full in the saved picture.
    for share, colour in ((1.0, "#DDDDDD"), (share_done, BLUE)):
        figure.add_artist(
            Rectangle((0, 0.98), share, 0.02, transform=figure.transFigure, color=colour, linewidth=0)
        )
    return figure


def draw_curve(axis, name: str, entries: list[tuple[int, float]], colour: str) -> None:
    """A recorded quantity against the step; many values as their mean and range over a hundredth of the run."""
    steps, values = (np.array(column) for column in zip(*entries))
    label = name.replace("_", " ")
    if len(values) > 100:
        # More points than pixels cost time and show nothing.
        parts = np.array_split(np.arange(len(values)), 100)
        middle = [steps[part].mean() for part in parts]
        low, high = [values[part].min() for part in parts], [values[part].max() for part in parts]
        axis.fill_between(middle, low, high, color=colour, alpha=0.25, linewidth=0)
        axis.plot(middle, [values[part].mean() for part in parts], color=colour, linewidth=1.8)
        # The first steps are far above the rest and would press the curve flat.
        bottom, top = values.min(), np.quantile(values, 0.98)
        if bottom < top:
            axis.set_ylim(bottom - 0.05 * (top - bottom), top + 0.05 * (top - bottom))
        axis.set_title(label, fontsize=10)
    else:
        axis.plot(steps, values, color=colour, linewidth=1.8, marker="o", markersize=3)
        axis.set_title(f"{label}: {values[-1]:.3g}", fontsize=10)
    axis.set_xlabel("step")
    axis.grid(color="#E5E5E5")
    axis.set_axisbelow(True)


def draw_mosaic(axis, images: torch.Tensor | np.ndarray) -> None:
    """Images side by side in one panel, as square as their number allows."""
    grey = as_grey(images)
    columns = int(np.ceil(np.sqrt(len(grey))))
    rows = -(-len(grey) // columns)
    height, width = grey.shape[1:]
    mosaic = np.zeros((rows * height, columns * width), dtype=np.uint8)
    for i, image in enumerate(grey):
        row, column = divmod(i, columns)
        mosaic[row * height : (row + 1) * height, column * width : (column + 1) * width] = image
    # A hundred images get less than a pixel for each of theirs, where taking the nearest one would break strokes.
    draw_digit(axis, mosaic, "now").set_interpolation("antialiased")


def draw_class_map(axis, points: np.ndarray, labels: np.ndarray) -> None:
    """Points (N, 2) coloured by class, each class's number at the middle (median) of its points.

    Numbers that would cover each other are moved apart; a line then leads from each to its middle.
    """
    classes = np.unique(labels)
    colours = [PALETTE[int(label) % len(PALETTE)] for label in classes]
    for label, colour in zip(classes, colours):
        own = points[labels == label]
        axis.scatter(own[:, 0], own[:, 1], s=5, color=colour, alpha=0.6, linewidths=0)
    middles = np.array([np.median(points[labels == label], axis=0) for label in classes])
    on_screen = _apart(axis.transData.transform(middles), BADGE * axis.figure.dpi / 72)
    places = axis.transData.inverted().transform(on_screen)
    for label, colour, middle, (x, y) in zip(classes, colours, middles, places):
        axis.plot([middle[0], x], [middle[1], y], color=colour, scalex=False, scaley=False)
        axis.text(
            x, y, str(label), fontsize=13, fontweight="bold", ha="center", va="center", color="black",
            bbox={"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": colour, "linewidth": 2},
        )  # fmt: skip


def _apart(points: np.ndarray, distance: float) -> np.ndarray:
    """The points (N, 2), where any two that are nearer than `distance` have pushed each other away."""
    for _ in range(100):
        between = points[:, None] - points  # (N, N, 2): from each point to each other one
        length = np.linalg.norm(between, axis=2) + 1e-9
        push = np.clip(distance - length, 0, None) / 2
        points = points + (between * (push / length)[:, :, None]).sum(axis=1)
    return points


@functools.cache
def pil_font(size: int = LETTERS) -> ImageFont.FreeTypeFont:
    """matplotlib's own font for pictures drawn with PIL, so that both kinds of pictures look alike."""
    return ImageFont.truetype(FONT, size)


def tiles(
    images: torch.Tensor | np.ndarray,
    captions: Iterable,
    wrong: Sequence[bool] | None = None,
    columns: int = 6,
    side: int = 84,
) -> Image.Image:
    """Images (N, 28, 28) or (N, 1, 28, 28) with captions of up to two lines, drawn fast with PIL for demos.

    `wrong` marks tiles by a frame and a cross, so that nobody needs to tell colours apart; `side` is the side
    of one image on the screen, in pixels. Raises ValueError as `image_grid` does.
    """
    check_whole("columns", columns, 1)
    grey = as_grey(images)
    texts = _captions(captions, len(grey))
    gap = 8
    rows = -(-len(grey) // columns)
    picture = Image.new("RGB", (columns * (side + gap), rows * (side + CAPTION_HEIGHT)), "white")
    pen = ImageDraw.Draw(picture)
    for i, (image, caption) in enumerate(zip(grey, texts)):
        left, top = (i % columns) * (side + gap) + gap // 2, (i // columns) * (side + CAPTION_HEIGHT) + 2
        picture.paste(Image.fromarray(image).resize((side, side), Image.Resampling.NEAREST), (left, top))
        is_wrong = wrong is not None and wrong[i]
        if is_wrong:
            _mark_as_wrong(pen, left, top, side)
        colour = VERMILION if is_wrong else BLACK
        text = spelt_out(caption)
        pen.multiline_text((left, top + side + 2), text, fill=colour, font=pil_font(), spacing=1)
    return picture


def _mark_as_wrong(pen: ImageDraw.ImageDraw, left: int, top: int, side: int) -> None:
    pen.rectangle((left, top, left + side - 1, top + side - 1), outline=VERMILION, width=3)
    right, size = left + side - 1, 18
    pen.rectangle((right - size, top, right, top + size), fill=VERMILION)
    inner = (right - size + 5, top + 5, right - 5, top + size - 5)
    pen.line(inner, fill="white", width=3)
    pen.line((inner[0], inner[3], inner[2], inner[1]), fill="white", width=3)
