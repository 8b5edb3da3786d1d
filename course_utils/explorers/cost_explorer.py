"""What a training step costs on several processes, by the cost model of notebook 13."""

from collections.abc import Sequence

import ipywidgets
from matplotlib.figure import Figure

from course_utils.explorers.base import Explorer
from course_utils.plots import BLUE, GREY, ORANGE, plain_figure

PROCESSES = (1, 2, 4, 8, 16, 32)
BYTES_OF_A_NUMBER = 4
LATENCY_MS = 0.1  # what a message costs beside its bytes


def all_reduce_ms(numbers: float, processes: int, latency_ms: float, megabytes_per_second: float) -> float:
    """Milliseconds of a ring all-reduce of float32 numbers: 2 (P - 1) messages, each of 1 / P of the numbers."""
    message_ms = BYTES_OF_A_NUMBER * numbers / processes / megabytes_per_second / 1000
    return 2 * (processes - 1) * (latency_ms + message_ms)


class CostExplorer(Explorer):
    """Choose batch, model and network, and see the time of a step for 1 to 32 processes, in its three terms.

    `fixed_ms`: the part of a step that does not depend on the batch; `ms_per_image`: the computation for one image.
    Both are in milliseconds, as measured on one process.
    """

    def __init__(self, fixed_ms: float, ms_per_image: float):
        self.fixed_ms = fixed_ms
        self.ms_per_image = ms_per_image
        controls = {
            "batch": _choice("batch", [32, 64, 128, 256, 512, 1024, 4096], 128, "images"),
            "millions": _choice("model", [0.1, 1, 10, 100, 1000], 1, "million numbers"),
            "network": _choice("network", [10, 100, 1_000, 10_000, 100_000], 1_000, "MB/s"),
        }
        alt = "Bars of the time of a step for 1 to 32 processes: fixed part, computation, all-reduce."
        super().__init__(controls, alt, width=640, height=320)

    def terms(self, batch: int, millions: float, network: float) -> dict[str, list[float]]:
        """Milliseconds of each term of a step, by its name, for each number in PROCESSES."""
        compute = [batch * self.ms_per_image / processes for processes in PROCESSES]
        reduce = [all_reduce_ms(1e6 * millions, processes, LATENCY_MS, network) for processes in PROCESSES]
        return {
            "fixed part": [self.fixed_ms] * len(PROCESSES),
            "computation": compute,
            f"all-reduce, {LATENCY_MS} ms a message": reduce,
        }

    def draw(self, batch: int, millions: float, network: float) -> Figure:
        terms = self.terms(batch, millions, network)
        totals = [sum(parts) for parts in zip(*terms.values())]
        best = min(range(len(PROCESSES)), key=totals.__getitem__)
        figure = plain_figure(6.4, 3.2)
        axis = figure.add_axes((0.11, 0.17, 0.87, 0.71))
        places = range(len(PROCESSES))
        bottom = [0.0] * len(PROCESSES)
        for (name, parts), colour in zip(terms.items(), (GREY, BLUE, ORANGE)):
            axis.bar(places, parts, bottom=bottom, color=colour, label=name)
            bottom = [a + b for a, b in zip(bottom, parts)]
        axis.set_xticks(places, [str(processes) for processes in PROCESSES])
        axis.set_xlabel("processes")
        axis.set_ylabel("milliseconds for a step")
        times = f"{PROCESSES[best]} processes, {totals[0] / totals[best]:.1f} times as fast as one"
        axis.set_title(f"fastest: {times if best else 'one process'}")
        axis.set_ylim(0, 1.2 * max(totals))  # above the bars is room for the legend
        axis.legend(loc="upper center", ncols=len(terms), fontsize=10)
        return figure


def _choice(description: str, values: Sequence[float], value: float, unit: str) -> ipywidgets.SelectionSlider:
    options = [(f"{one:,} {unit}", one) for one in values]
    return ipywidgets.SelectionSlider(options=options, value=value, description=description)
