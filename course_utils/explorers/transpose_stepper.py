"""Step through a transpose convolution: one input pixel at a time lights up the outputs that it touches."""

from functools import cache

import ipywidgets
import numpy as np
import traitlets
from PIL import Image, ImageDraw

from course_utils.explorers.base import Explorer
from course_utils.plots import BLACK, GREY, ORANGE, VERMILION, pil_font

INPUT = np.arange(1, 10).reshape(3, 3)
# Without any symmetry, so that a turned or mirrored kernel would show. Without a zero, so that a zero in the
# sum means that no pixel has reached that place.
LARGEST_KERNEL = np.array([[1, 2, 3, 1], [3, 1, 1, 2], [1, 2, 2, 1], [2, 1, 3, 1]])
MOST_STRIDE, MOST_PADDING, MOST_OUTPUT_PADDING = 3, 3, 2
MILLISECONDS_PER_PIXEL = 900

# The picture, in pixels: three small grids on the left, the sum and the output beside them.
CELL = 32
LEFT, SUM_LEFT, OUTPUT_LEFT, TOP = 10, 170, 574, 30
WIDTH, HEIGHT = OUTPUT_LEFT + 12 * CELL + 12, TOP + 12 * CELL + 62
LIT, DONE, CUT = "#F7CE7C", "#D9ECF7", "#E8E8E8"  # the current pixel, earlier pixels, cut off


class TransposeStepper(Explorer):
    """The transpose convolution of a 3 x 3 input with a kernel of small whole numbers, pixel by pixel.

    Sliders set kernel size, stride, padding and output padding. `position` counts the input pixels row by
    row; the play button, or the arrow keys on the slider, step through them.
    """

    def __init__(
        self,
        kernel_size: int = 3,
        stride: int = 2,
        padding: int = 0,
        output_padding: int = 0,
        position: int = 1,
    ):
        wide = {"style": {"description_width": "105px"}, "layout": ipywidgets.Layout(width="360px")}
        last = INPUT.size
        controls = {
            "kernel_size": ipywidgets.IntSlider(
                kernel_size, 1, len(LARGEST_KERNEL), description="kernel size", **wide
            ),
            "stride": ipywidgets.IntSlider(stride, 1, MOST_STRIDE, description="stride", **wide),
            "padding": ipywidgets.IntSlider(padding, 0, MOST_PADDING, description="padding", **wide),
            "output_padding": ipywidgets.IntSlider(
                output_padding, 0, MOST_OUTPUT_PADDING, description="output padding", **wide
            ),
            "position": ipywidgets.IntSlider(position, 1, last, description="input pixel", **wide),
        }
        self.play = ipywidgets.Play(
            value=position, min=1, max=last, interval=MILLISECONDS_PER_PIXEL, show_repeat=False
        )
        traitlets.link((self.play, "value"), (controls["position"], "value"))
        alt = (
            "Transpose convolution step by step: an input of 3 x 3 pixels, a kernel, what the chosen input "
            "pixel contributes, the sum of all contributions so far and the final output: grids of numbers."
        )
        super().__init__(controls, alt, WIDTH, HEIGHT)

    def arrange(self) -> ipywidgets.Widget:
        """Two columns of sliders, the position with its play button below them, and the picture."""
        c = self.controls
        rows = [
            ipywidgets.HBox([c["kernel_size"], c["padding"]]),
            ipywidgets.HBox([c["stride"], c["output_padding"]]),
            ipywidgets.HBox([c["position"], self.play]),
        ]
        return ipywidgets.VBox([*rows, self.message, self.picture])

    def draw(
        self, kernel_size: int, stride: int, padding: int, output_padding: int, position: int
    ) -> Image.Image:
        """The step at input pixel `position` (1 to 9, row by row)."""
        kernel = LARGEST_KERNEL[:kernel_size, :kernel_size]
        sums = _sums(kernel, stride, output_padding)
        side = len(sums[0])
        row, column = divmod(position - 1, len(INPUT))
        lit = np.zeros((side, side), dtype=bool)
        lit[row * stride : row * stride + kernel_size, column * stride : column * stride + kernel_size] = True
        kept = np.zeros((side, side), dtype=bool)
        kept[padding : side - padding, padding : side - padding] = True

        canvas = Image.new("RGB", (WIDTH, HEIGHT), "white")
        pen = ImageDraw.Draw(canvas)
        _draw_left_column(canvas, kernel, row, column, position)
        _draw_sum(canvas, sums[position], sums[position - 1], lit, kept)
        problem = _problem(side - 2 * padding, stride, padding, output_padding)
        if problem:
            _write_problem(pen, problem)
        else:
            _draw_output(canvas, sums[-1], lit, padding)
        _write_size(pen, kernel_size, stride, padding, output_padding)
        # A picture of 256 colours is packed three times as fast as one of full colours.
        return canvas.quantize(256, method=Image.Quantize.FASTOCTREE)


def _sums(kernel: np.ndarray, stride: int, output_padding: int) -> list[np.ndarray]:
    """The outputs before cropping after 0, 1, ... 9 input pixels."""
    k = len(kernel)
    side = (len(INPUT) - 1) * stride + k + output_padding
    sums = [np.zeros((side, side), dtype=int)]
    for (i, j), value in np.ndenumerate(INPUT):
        total = sums[-1].copy()
        total[i * stride : i * stride + k, j * stride : j * stride + k] += value * kernel
        sums.append(total)
    return sums


def _problem(size: int, stride: int, padding: int, output_padding: int) -> str:
    """Why there is no output at these settings, and what to do; empty if there is one."""
    if size < 1:
        return (
            f"Nothing is left: padding {padding} cuts away\nall rows and columns. Choose a smaller\npadding."
        )
    if output_padding >= stride:
        return (
            f"Output padding {output_padding} does not fit stride {stride}:\n"
            "it must be smaller than the stride;\nfrom there on, one more input pixel\nwould fit."
        )
    return ""


def _draw_left_column(canvas, kernel: np.ndarray, row: int, column: int, position: int) -> None:
    """The input with its current pixel, the kernel, and the product of the two."""
    pen = ImageDraw.Draw(canvas)
    current = np.zeros(INPUT.shape, dtype=bool)
    current[row, column] = True
    colours = np.where(np.arange(INPUT.size).reshape(INPUT.shape) < position - 1, DONE, "white")
    colours[current] = LIT
    _paste_grid(canvas, LEFT, TOP, INPUT, colours, current)
    pen.text((LEFT, TOP - 22), "input", font=pil_font(), fill=BLACK)
    top = TOP + len(INPUT) * CELL + 32
    pen.text((LEFT, top - 22), "kernel", font=pil_font(), fill=BLACK)
    _paste_grid(canvas, LEFT, top, kernel, np.full(kernel.shape, "white"))
    top += len(LARGEST_KERNEL) * CELL + 32
    value = INPUT[row, column]
    pen.text((LEFT, top - 22), f"{value} × kernel", font=pil_font(), fill=BLACK)
    _paste_grid(
        canvas, LEFT, top, value * kernel, np.full(kernel.shape, LIT), np.ones(kernel.shape, dtype=bool)
    )


def _draw_sum(canvas, total, before, lit: np.ndarray, kept: np.ndarray) -> None:
    """The sum so far over all positions; what padding will cut off is grey, the rest has a frame."""
    pen = ImageDraw.Draw(canvas)
    colours = np.where(before != 0, DONE, "white")
    colours[~kept] = CUT
    colours[lit] = LIT
    pen.text((SUM_LEFT, TOP - 22), "sum so far", font=pil_font(), fill=BLACK)
    _paste_grid(canvas, SUM_LEFT, TOP, total, colours, lit)
    if kept.any() and not kept.all():
        rows = np.flatnonzero(kept.any(axis=1))
        first, last = rows[0] * CELL, (rows[-1] + 1) * CELL
        frame = (SUM_LEFT + first, TOP + first, SUM_LEFT + last, TOP + last)
        pen.rectangle(frame, outline=VERMILION, width=3)


def _draw_output(canvas, total: np.ndarray, lit: np.ndarray, padding: int) -> None:
    """What remains of the complete sum when `padding` rows and columns are cut from every side."""
    inside = slice(padding, len(total) - padding)
    output, lit = total[inside, inside], lit[inside, inside]
    title = f"final output, {len(output)} × {len(output)}"
    ImageDraw.Draw(canvas).text((OUTPUT_LEFT, TOP - 22), title, font=pil_font(), fill=BLACK)
    _paste_grid(canvas, OUTPUT_LEFT, TOP, output, np.where(lit, LIT, "white"), lit)


def _paste_grid(canvas, left: int, top: int, values, colours, lit=None) -> None:
    """Numbers in cells; where `lit` is true the frame is thick, so that colour is not the only sign."""
    lit = np.zeros(values.shape, dtype=bool) if lit is None else lit
    # Thick frames come last, or their neighbours would cover them.
    for thick in (False, True):
        for i, j in np.argwhere(lit == thick):
            cell = _cell(int(values[i, j]), str(colours[i, j]), thick)
            canvas.paste(cell, (left + j * CELL, top + i * CELL))


@cache
def _cell(value: int, colour: str, thick: bool) -> Image.Image:
    # Kept, because drawing hundreds of numbers is most of the time that a picture takes.
    cell = Image.new("RGB", (CELL + 1, CELL + 1), colour)
    pen = ImageDraw.Draw(cell)
    pen.rectangle((0, 0, CELL, CELL), outline=ORANGE if thick else GREY, width=2 if thick else 1)
    pen.text((CELL // 2 + 1, CELL // 2), str(value), font=pil_font(), fill=BLACK, anchor="mm")
    return cell


def _write_problem(pen, text: str) -> None:
    pen.text((OUTPUT_LEFT, TOP - 22), "final output: none", font=pil_font(), fill=BLACK)
    pen.multiline_text((OUTPUT_LEFT, TOP + 6), text, font=pil_font(), fill=VERMILION, spacing=6)


def _write_size(pen, kernel_size: int, stride: int, padding: int, output_padding: int) -> None:
    """The size of the output, term by term, and the legend."""
    n = len(INPUT)
    size = (n - 1) * stride + kernel_size + output_padding - 2 * padding
    text = (
        f"side = ({n} - 1) × stride {stride} + kernel {kernel_size} + output padding {output_padding} "
        f"- 2 × padding {padding} = {size}"
    )
    pen.text((SUM_LEFT, HEIGHT - 50), text, font=pil_font(), fill=BLACK)
    x = SUM_LEFT
    for colour, name in ((LIT, "this input pixel"), (DONE, "earlier pixels"), (CUT, "cut off by padding")):
        pen.rectangle((x, HEIGHT - 24, x + 14, HEIGHT - 10), fill=colour, outline=GREY)
        pen.text((x + 21, HEIGHT - 26), name, font=pil_font(), fill=BLACK)
        x += 170
