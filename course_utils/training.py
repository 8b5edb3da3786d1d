"""What a visible training loop needs around it: progress, a live picture, a history and a clean stop.

The loop itself (forward, loss, zero_grad, backward, step) stands in the notebook. `TrainingRun` wraps the
minibatches that the loop runs over, and records what the loop hands it.
"""

import math
import numbers
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from IPython import get_ipython
from IPython.display import display

from course_utils import plots
from course_utils.environment import forked_random_numbers

SECONDS_BETWEEN_PICTURES = 0.5
# Of the time that the training itself takes; `make bench` measures what the history adds.
SHARE_OF_TIME_FOR_PICTURES = 0.03


class TrainingRun:
    """Minibatches that draw the progress of the loop over them.

    >>> run = TrainingRun(minibatches(images, labels, batch_size=128, epochs=5))
    >>> for x, y in run:
    ...     loss = F.cross_entropy(model(x), y)
    ...     optimizer.zero_grad()
    ...     loss.backward()
    ...     optimizer.step()
    ...     run.record(loss=loss)

    Pressing stop (the interrupt button) ends the loop after the current step: model, optimizer and history
    are kept, and the notebook goes on. Pressing it again interrupts at once. Looping over the run once more
    trains on, and adds to the same history.

    Arguments: `batches`, an iterable with a length; `pictures`, a function without arguments that returns
    images (N, 1, 28, 28) in [0, 1], called at most twice a second without gradients and with random numbers of its
    own, the same at each call; `title`, the heading of the live picture.

    Attributes: `step` (the current step, from 1 on), `total` (steps of the whole run), `history` (name -> list
    of (step, value)), `stopped` (True if the run was interrupted), `seconds` (wall-clock time of the loop),
    `cpu_seconds` (processor time of the loop, summed over threads).
    """

    def __init__(self, batches, title: str = "Training", pictures: Callable[[], torch.Tensor] | None = None):
        try:
            self.total = len(batches)
        except TypeError:  # also of a DataLoader whose data set has no length
            raise ValueError(
                f"batches must have a length, so that progress can be shown; got {type(batches).__name__} without one: "
                "use minibatches(...), a list, or a DataLoader of a data set with a length"
            ) from None
        self.batches = batches
        self.title = title
        self.pictures = pictures
        self.step = 0
        self.history: dict[str, list[tuple[int, float]]] = {}
        self.stopped = False
        self.seconds = 0.0
        self.cpu_seconds = 0.0
        self._display = None
        self._last_drawn = 0.0
        self._seconds_last_picture = 0.0

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator:
        self._start = self._last_drawn = time.perf_counter()
        self._seconds_drawing = 0.0
        cpu_start = time.process_time()
        self.total = self.step + len(self.batches)
        self.stopped = False
        try:
            with self._interrupt_ends_the_loop():
                for batch in self.batches:
                    self.step += 1
                    yield batch
                    self._draw_if_due()
                    if self.stopped:
                        break
        finally:
            # Also reached when the loop's body raises or breaks: what was learnt so far stays visible.
            self.seconds += time.perf_counter() - self._start
            self.cpu_seconds += time.process_time() - cpu_start
            # No times here: the saved notebook must be the same after every run.
            self._draw(f"{'stopped after step' if self.stopped else 'step'} {self.step} of {self.total}")
        if self.stopped:
            print(
                f"Stopped after step {self.step} of {self.total}. The model and its history are kept: "
                "the next cells run with what was learnt so far."
            )

    def record(self, **values: float | torch.Tensor | np.ndarray) -> None:
        """Add named values to the history, at this step: a real number each, or a tensor or array of one.

        Raises FloatingPointError if a value is not finite, ValueError if it is not a single real number.
        """
        for name, value in values.items():
            number = _single_number(name, value)
            if not math.isfinite(number):
                raise FloatingPointError(
                    f"{name} is {number} at step {self.step} of {self.total}, so training cannot go on: the usual "
                    "causes are a learning rate that is too high, or the logarithm or quotient of a zero"
                )
            self.history.setdefault(name, []).append((self.step, number))

    def latest(self, name: str, last: int = 50) -> float:
        """The mean of the last few recorded values of `name`: a loss without the noise of single batches.

        Raises ValueError if nothing of that name was recorded.
        """
        if name not in self.history:
            raise ValueError(f"name must be one of what was recorded, {list(self.history)}; got {name!r}")
        values = [value for _, value in self.history[name][-last:]]
        return sum(values) / len(values)

    @contextmanager
    def _interrupt_ends_the_loop(self):
        # Signals can only be handled in the main thread, which is where a kernel runs its cells.
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop_after_this_step(signal_number, frame):
            if self.stopped:
                raise KeyboardInterrupt
            self.stopped = True

        before = signal.signal(signal.SIGINT, stop_after_this_step)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _draw_if_due(self) -> None:
        now = time.perf_counter()
        # Two more will be drawn, each as slowly as the last one: the one that is due, and the one after the loop.
        seconds = self._seconds_drawing + 2 * self._seconds_last_picture
        training = now - self._start - self._seconds_drawing
        affordable = seconds <= SHARE_OF_TIME_FOR_PICTURES * training
        if affordable and now - self._last_drawn >= SECONDS_BETWEEN_PICTURES:
            self._draw(f"step {self.step} of {self.total}")

    def _draw(self, status: str) -> None:
        if get_ipython() is None or not self.history:
            return
        begin = time.perf_counter()
        title = f"{self.title}: {status}"
        share_done = self.step / self.total
        figure = plots.training_curves(self.history, title, share_done, self._current_pictures())
        alt = f"{title}. Curves of {', '.join(self.history)} against the step."
        bundle = plots.picture_bundle(figure, alt)
        if self._display is None:
            self._display = display(bundle, raw=True, display_id=True)
        else:
            self._display.update(bundle, raw=True)
        self._last_drawn = time.perf_counter()
        self._seconds_last_picture = self._last_drawn - begin
        self._seconds_drawing += self._seconds_last_picture

    def _current_pictures(self) -> torch.Tensor | None:
        if self.pictures is None:
            return None
        # When a picture is drawn depends on the clock; forking keeps the training's random numbers independent.
        with torch.no_grad(), forked_random_numbers():
            pictures = self.pictures()
        # Of a training that has diverged there is nothing to see; `record` says why.
        return pictures if torch.as_tensor(pictures).isfinite().all() else None


def _single_number(name: str, value: float | torch.Tensor | np.ndarray) -> float:
    if isinstance(value, torch.Tensor | np.ndarray):
        if math.prod(value.shape) != 1:
            raise ValueError(
                f"{name} must be a single number; got shape {tuple(value.shape)}: average or sum it first"
            )
        value = value.item()
    if not isinstance(value, numbers.Real):
        raise ValueError(f"{name} must be a single real number; got {value!r}")
    return float(value)
