"""A sweep gives the serial result, on processes and on Dask; it outlives its workers, and goes on after a kill."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from workshop import sweep as sweeps
from workshop.sweep import sweep

# Run as a script, because workers must be able to read the jobs' function. `runs` tells how often each job was begun.
SCRIPT = """
import contextlib, json, os, pathlib, sys, time
from workshop import sweep as sweeps

folder, seconds = pathlib.Path(sys.argv[1]), float(sys.argv[2])
sweeps.SWEEPS = folder / "sweeps"


def square(number, dies):
    with (folder / "runs").open("a") as runs:
        runs.write(f"{number}\\n")
    time.sleep(seconds)
    if dies == "once" and (folder / "runs").read_text().split().count(str(number)) == 1 or dies == "always":
        os.kill(os.getpid(), 9)
    return {"square": number**2}


def cluster(kind):
    if kind != "dask":
        return contextlib.nullcontext()
    from dask.distributed import LocalCluster

    return LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)


if __name__ == "__main__":
    jobs = [(number, dies) for number, dies in enumerate(sys.argv[4].split(","))]
    with cluster(sys.argv[3]) as dask:
        where = {"dask": dask.scheduler_address} if dask else {"workers": 2}
        found = dict(sweeps.sweep(square, jobs, "", **where))
    print(json.dumps([found[job]["square"] for job in jobs]))
"""


@pytest.fixture
def start(tmp_path):
    """Starts a sweep of squares over 0, 1, ...: jobs that live, or die "once" or "always"; ends what it started."""
    script = tmp_path / "squares.py"
    script.write_text(SCRIPT)
    started = []

    def start_one(*lives, kind="processes", seconds=0.0):
        command = [sys.executable, str(script), str(tmp_path), str(seconds), kind, ",".join(lives)]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, start_new_session=True, **streams))
        return started[-1]

    yield start_one
    for process in started:
        end(process)


def end(process):
    """End a process with all that it started, as a machine does that is switched off."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def runs(tmp_path) -> Counter:
    return Counter((tmp_path / "runs").read_text().split())


needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="ends a group of processes by a signal")


@needs_signals
@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_a_worker_that_dies_costs_no_result(kind, start, tmp_path):
    if kind == "dask":
        pytest.importorskip("distributed")
    process = start("lives", "once", "lives", "lives", kind=kind, seconds=0.1)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert json.loads(out) == [0, 1, 4, 9]
    assert runs(tmp_path)["1"] >= 2
    assert list((tmp_path / "sweeps").iterdir()) == []


@needs_signals
def test_a_sweep_that_was_killed_goes_on_and_repeats_no_finished_job(start, tmp_path):
    lives = ["lives"] * 6
    killed = start(*lives, seconds=1.0)
    deadline = time.monotonic() + 60
    while len(stored := list(tmp_path.glob("sweeps/*/*.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    end(killed)
    stored = list(tmp_path.glob("sweeps/*/*.json"))
    assert 2 <= len(stored) < 6
    finished = {str(int(json.loads(path.read_text())["square"] ** 0.5)) for path in stored}
    out, errors = start(*lives, seconds=1.0).communicate(timeout=120)
    assert json.loads(out) == [0, 1, 4, 9, 16, 25], errors
    assert all(runs(tmp_path)[job] == 1 for job in finished)


@needs_signals
@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_a_job_that_ends_every_worker_is_given_up(kind, start, tmp_path):
    if kind == "dask":
        pytest.importorskip("distributed")
    process = start("lives", "always", kind=kind, seconds=0.5)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert {"processes": "TerminatedWorkerError", "dask": "KilledWorker"}[kind] in errors
    assert runs(tmp_path)["1"] == sweeps.ATTEMPTS
    # Dask's scheduler computes again what a dead worker has held, as long as somebody wants it.
    if kind == "dask":
        assert runs(tmp_path)["0"] == 1


def test_what_a_job_raises_ends_the_sweep_and_costs_no_finished_job(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeps, "SWEEPS", tmp_path)
    calls = []

    def reciprocal(number):
        calls.append(number)
        return {"value": 1 / (number - wrong)}

    jobs = [(1,), (2,), (3,)]
    wrong = 2
    with pytest.raises(ZeroDivisionError):
        dict(sweep(reciprocal, jobs, "cells"))
    wrong = 0
    assert dict(sweep(reciprocal, jobs, "cells")) == {
        (1,): {"value": -1},
        (2,): {"value": 0.5},
        (3,): {"value": 1 / 3},
    }
    assert calls == [1, 2, 2, 3]


def test_results_of_other_cells_are_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeps, "SWEEPS", tmp_path)
    first = sweep(lambda number: {"cells": "old"}, [(1,), (2,)], "old cells")
    assert next(first) == ((1,), {"cells": "old"})
    first.close()
    assert dict(sweep(lambda number: {"cells": "new"}, [(1,), (2,)], "new cells"))[(1,)] == {"cells": "new"}


def test_a_sweep_that_ended_is_run_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeps, "SWEEPS", tmp_path)
    calls = []
    for _ in range(2):
        list(sweep(lambda number: calls.append(number) or {}, [(1,)], "cells"))
    assert calls == [1, 1]
