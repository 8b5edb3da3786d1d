"""Run many jobs, on processes of this machine or on a Dask cluster, and lose none that has ended.

A job is a tuple of arguments, such as (model, seed), and gives a dict of texts and numbers. Each result is written to a
file at once, whole or not at all: a sweep that was killed goes on with the jobs that are missing, if it is started in
the same way. A worker that dies costs the jobs that it was running, which are run again.
"""

import argparse
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator

from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from course_utils.files import write_whole
from course_utils.settings import SWEEPS

# A job that ends its worker each time is given up; Dask has a limit of its own, `allowed-failures`.
ATTEMPTS = 4


def sweep(
    function: Callable[..., dict], jobs: list[tuple], version: str, workers: int = 1, dask: str = ""
) -> Iterator[tuple[tuple, dict]]:
    """Each job and the dict that `function(*job)` gives: first those of a sweep that was killed, then as jobs end.

    version: a checksum of all that the results depend on beside the jobs, so that a sweep goes on only where nothing
    has changed. workers: 1 runs the jobs in this process. dask: the address of a scheduler, such as
    "tcp://192.168.0.5:8786", whose workers have the course installed; `workers` does not matter then.

    Raises what a job raised, and TerminatedWorkerError (on Dask KilledWorker) for one that ends its worker each time.
    """
    folder = SWEEPS / _digest(function.__qualname__, jobs, version)
    folder.mkdir(parents=True, exist_ok=True)
    files = {job: folder / f"{_digest(job)}.json" for job in jobs}
    stored = [job for job in jobs if files[job].is_file()]
    for job in stored:
        yield job, json.loads(files[job].read_text(encoding="utf-8"))
    left = [job for job in jobs if job not in stored]
    for job, result in _on_dask(function, left, dask) if dask else _here(function, left, workers):
        write_whole({files[job]: json.dumps(result).encode()})
        yield job, result
    shutil.rmtree(folder)


def _digest(*what: object) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


def _here(function: Callable, jobs: list[tuple], workers: int) -> Iterator[tuple[tuple, dict]]:
    left = list(jobs)
    for attempt in range(1, ATTEMPTS + 1):
        # In batches, a job that has ended would wait for others.
        run = Parallel(n_jobs=workers, batch_size=1, return_as="generator_unordered")
        try:
            for job, result in run(delayed(_with_job)(function, job) for job in list(left)):
                left.remove(job)
                yield job, result
            return
        except TerminatedWorkerError:
            if attempt == ATTEMPTS:
                raise


def _with_job(function: Callable, job: tuple) -> tuple[tuple, dict]:
    return job, function(*job)


def _on_dask(function: Callable, jobs: list[tuple], address: str) -> Iterator[tuple[tuple, dict]]:
    # Not through joblib, which waits for ever where a job has ended as many workers as Dask allows.
    from dask.distributed import Client, as_completed

    with Client(address) as client:
        futures = {client.submit(function, *job, pure=False): job for job in jobs}
        for future, result in as_completed(futures, with_results=True):
            future.release()  # or it would be computed again if the worker that holds its result dies
            yield futures[future], result


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let a command choose where its jobs run: `workers` and `dask`, as `sweep` takes them."""
    parser.add_argument("--workers", type=int, default=1, help="processes of this machine (default: 1)")
    parser.add_argument(
        "--dask", default="", metavar="ADDRESS", help="a Dask scheduler's, to run on its workers"
    )
