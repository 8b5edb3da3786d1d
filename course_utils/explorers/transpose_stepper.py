"""Step through a transpose convolution: one input pixel at a time lights up the outputs that it touches."""

from course_utils.explorers.web_demo import WebDemo, stored_still


class TransposeStepper(WebDemo):
    """The transpose convolution of a 3 x 3 input with a kernel of small whole numbers, pixel by pixel.

    The arguments are where the sliders start. `position` counts the input pixels from 1 to 9, row by row.
    """

    module = "transpose_stepper"

    def __init__(
        self,
        kernel_size: int = 3,
        stride: int = 2,
        padding: int = 0,
        output_padding: int = 0,
        position: int = 1,
    ):
        values = {
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "output_padding": output_padding,
            "position": position,
        }
        alt = (
            "Transpose convolution step by step: an input of 3 x 3 pixels, a kernel, what the chosen input "
            "pixel contributes, the sum of all contributions so far and the final output: grids of numbers."
        )
        super().__init__(values, {}, {}, stored_still(self.module), alt)
