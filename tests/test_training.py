"""The aid around the visible training loop: history, clean stop, divergence, cost of the live picture."""

import signal

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset

from course_utils import plots, training
from course_utils.environment import prepare
from course_utils.training import TrainingRun


class Notebook:
    """Stands in for the front end: keeps what was displayed and updated."""

    def __init__(self):
        self.shown = []

    def display(self, data, raw, display_id):
        self.shown.append(data)
        return self

    def update(self, data, raw):
        self.shown.append(data)


@pytest.fixture
def notebook(monkeypatch):
    front_end = Notebook()
    monkeypatch.setattr(training, "get_ipython", lambda: front_end)
    monkeypatch.setattr(training, "display", front_end.display)
    return front_end


@pytest.fixture
def clock(monkeypatch):
    """A clock that only moves when a test moves it."""

    class Clock:
        now = 0.0

    monkeypatch.setattr(training.time, "perf_counter", lambda: Clock.now)
    return Clock


def test_history_holds_steps_and_values():
    run = TrainingRun([10.0, 20.0, 30.0])
    for x in run:
        run.record(loss=torch.tensor(x))
        if run.step == 2:
            run.record(accuracy=0.5)
    assert run.history == {"loss": [(1, 10.0), (2, 20.0), (3, 30.0)], "accuracy": [(2, 0.5)]}
    assert run.latest("loss", last=2) == 25.0
    assert not run.stopped


def test_interrupt_ends_the_loop_after_the_current_step(capsys):
    run = TrainingRun(range(10))
    finished = []
    for x in run:
        if x == 3:
            signal.raise_signal(signal.SIGINT)
        run.record(loss=float(x))
        finished.append(x)
    assert finished == [0, 1, 2, 3]
    assert run.stopped and run.step == 4
    assert run.history["loss"][-1] == (4, 3.0)
    assert "Stopped after step 4 of 10. The model and its history are kept" in capsys.readouterr().out


def test_second_interrupt_breaks_a_step_that_hangs():
    run = TrainingRun(range(10))
    with pytest.raises(KeyboardInterrupt):
        for _ in run:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
    assert run.step == 1


@pytest.mark.parametrize("end", ["finished", "break", "error", "interrupt"])
def test_the_interrupt_button_works_as_before_after_the_loop(end):
    before = signal.getsignal(signal.SIGINT)
    run = TrainingRun(range(3))
    try:
        for _ in run:
            if end == "break":
                break
            if end == "error":
                raise ZeroDivisionError
            if end == "interrupt":
                signal.raise_signal(signal.SIGINT)
    except ZeroDivisionError:
        pass
    assert signal.getsignal(signal.SIGINT) is before


def test_looping_again_trains_on():
    run = TrainingRun(range(2))
    for _ in range(2):
        for x in run:
            run.record(loss=float(x))
    assert [step for step, _ in run.history["loss"]] == [1, 2, 3, 4]
    assert run.total == 4


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_with_a_sentence_that_names_the_step(bad):
    run = TrainingRun(range(5))
    with pytest.raises(FloatingPointError, match=rf"loss is {bad} at step 3 of 5.*learning rate"):
        for x in run:
            run.record(loss=torch.tensor(bad if x == 2 else 1.0))
    assert run.history["loss"] == [(1, 1.0), (2, 1.0)]


def test_a_loss_with_its_graph_is_recorded_without_a_warning(recwarn):
    run = TrainingRun(range(1))
    for _ in run:
        run.record(loss=torch.ones((), requires_grad=True) * 2)
    assert run.history["loss"] == [(1, 2.0)] and not recwarn.list


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (torch.zeros(128), r"got shape \(128,\): average or sum it first"),
        (np.zeros((2, 3)), r"got shape \(2, 3\): average or sum it first"),
        (None, "got None"),
        ([0.5], r"got \[0.5\]"),
        ("0.5", "got '0.5'"),
        (1 + 2j, r"got \(1\+2j\)"),
        (torch.tensor(1 + 2j), r"got \(1\+2j\)"),
    ],
)
def test_what_is_not_one_real_number_is_refused_in_a_sentence(value, got):
    run = TrainingRun(range(5))
    with pytest.raises(ValueError, match=rf"^loss must be a single (real )?number; {got}"):
        run.record(loss=value)
    assert run.history == {}


@pytest.mark.parametrize(
    "value", [3, np.float32(3), np.array([3.0]), np.array(3), torch.tensor([[3]]), torch.tensor(3.0).half()]
)
def test_one_number_of_any_kind_is_recorded_as_a_float(value, recwarn):
    run = TrainingRun(range(5))
    run.record(loss=value)
    assert run.history["loss"] == [(0, 3.0)] and type(run.history["loss"][0][1]) is float
    assert not recwarn.list


def test_the_latest_of_a_misspelt_name_names_what_was_recorded():
    run = TrainingRun(range(1))
    run.record(loss=1.0, accuracy=0.5)
    with pytest.raises(ValueError, match=r"one of what was recorded, \['loss', 'accuracy'\]; got 'los'"):
        run.latest("los")


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(3))


@pytest.mark.parametrize(
    "batches", [(x for x in range(3)), DataLoader(Stream())], ids=["generator", "stream"]
)
def test_minibatches_without_a_length_are_refused(batches):
    with pytest.raises(
        ValueError, match=rf"batches must have a length.*got {type(batches).__name__} without one"
    ):
        TrainingRun(batches)


def test_pictures_cost_at_most_three_hundredths_of_the_time(notebook, clock, monkeypatch):
    def slow_figure(*arguments):
        clock.now += 3.0
        return plots.new_figure(1, 1)[0]

    monkeypatch.setattr(plots, "training_curves", slow_figure)
    run = TrainingRun(range(2000))
    # Trained twice: the pictures of the first loop leave those of the second one their share.
    for _ in range(2):
        before = len(notebook.shown)
        for _ in run:
            clock.now += 0.2
            run.record(loss=1.0)
        # The last picture, which is drawn after the loop, included.
        assert 0.015 * 400 < 3.0 * (len(notebook.shown) - before) <= 0.03 * 400


def test_pictures_are_at_least_half_a_second_apart_and_the_last_has_no_times(notebook, clock):
    run = TrainingRun(range(100), title="Toy")
    for _ in run:
        clock.now += 0.03
        run.record(loss=1.0)
    # Three seconds in steps of 0.03: a picture every 17 steps, five in all, and the last one.
    assert len(notebook.shown) == 6
    assert notebook.shown[-1]["text/plain"] == "Toy: step 100 of 100. Curves of loss against the step."
    assert "data:image/png;base64," in notebook.shown[-1]["text/html"]


def test_a_training_that_diverges_is_told_although_its_pictures_are_no_numbers(notebook):
    run = TrainingRun(range(3), pictures=lambda: torch.full((4, 1, 28, 28), torch.inf))
    with pytest.raises(FloatingPointError, match="loss is nan at step 2 of 3"):
        for step in run:
            run.record(loss=torch.nan if step else 1.0)
    assert len(notebook.shown) == 1


def test_drawing_does_not_change_the_random_numbers_of_the_training(notebook, clock):
    def losses(pictures):
        prepare(seed=0)
        run = TrainingRun(range(20), pictures=pictures)
        for _ in run:
            clock.now += 1.0
            run.record(loss=torch.rand(()) + np.random.rand())
        return run.history["loss"]

    with_pictures = losses(lambda: torch.rand(4, 1, 28, 28) * np.random.rand())
    assert len(notebook.shown) > 10
    assert with_pictures == losses(None)
