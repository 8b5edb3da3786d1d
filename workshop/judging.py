"""Judge answers that nobody has read, each in a process of its own that cannot outlive its time.

`python -m workshop.judging SECONDS` reads a job a line (see `Job`) and answers each with a line; `workshop.grade` runs
it, under bubblewrap where it can. Exercises and the names that an answer may use come from the course's own notebooks,
and only definitions of the student's cells are run. What a verdict cannot show, `look_at` names for a person.
"""

import ast
import builtins
import contextlib
import gc
import json
import math
import os
import random
import resource
import select
import signal
import sys
import time
from typing import TypedDict

import nbformat
import numpy as np
import torch
from IPython.core.inputtransformer2 import TransformerManager

from course_utils import environment
from course_utils.exercises import EXERCISES, compare, engine, spies
from course_utils.settings import NOTEBOOKS
from workshop.exercise_cells import definitions, exercises_in, names_for_answers, run_definition

MEMORY = 3 * 1024**3
LARGEST_FILE = 16 * 1024**2
LONGEST_MESSAGE = 1000
LARGEST_REPLY = 64 * 1024
# A shorter solution is found by many students in the same words.
LONG_SOLUTION = 4
# Names that an answer to these exercises has no use for; the second ones only where they stand alone: `model.eval()`.
WATCHED = {
    "os", "sys", "subprocess", "inspect", "gc", "ctypes", "builtins", "importlib", "signal", "socket", "shutil",
    "threading", "multiprocessing", "pathlib", "engine", "EXERCISES", "Exercise", "Verdict",
}  # fmt: skip
WATCHED_ALONE = {"globals", "eval", "exec", "open", "compile"}
USUAL_METHODS = {"__init__", "__call__", "__name__", "__len__", "__getitem__", "__iter__"}
LIBRARIES = (
    *(torch, torch.nn, torch.nn.functional, torch.optim, torch.distributions, torch.Tensor, torch.nn.Module),
    *(np, np.random, random, math, builtins, compare, engine, spies, environment),
)


class Job(TypedDict):
    """An answer to judge: the exercise, its notebook, the name of the function, and the cells that may define it."""

    exercise: str
    notebook: str
    function: str
    cells: list[str]


class Reply(TypedDict):
    """A verdict, as of `course_utils.exercises.engine`, and what a person should look at."""

    status: str
    message: str
    look_at: list[str]


def read_cells(cells: list[str]) -> tuple[list[ast.stmt], str]:
    """The definitions of a student's cells, and why a function may be missing among them."""
    nodes, fault = [], "none of your cells defines it"
    for source in cells:
        try:
            nodes += definitions(TransformerManager().transform_cell(source))
        except Exception as error:  # a SyntaxError, or what Python's parser makes of nonsense
            fault = f"a cell cannot be read ({type(error).__name__}: {error})"
    return nodes, fault


def verdict_on(job: Job, nodes: list[ast.stmt], names: dict, fault: str) -> Reply:
    """Run definitions among `names`, and judge the function that the job names."""
    before = library_functions()
    for node in nodes:
        try:
            run_definition(node, names)
        except BaseException as error:
            fault = f"a cell raised {type(error).__name__}: {error}"
    answer = names.get(job["function"])
    if callable(answer):
        verdict = engine.judge(EXERCISES[job["exercise"]], answer)
        status, message = verdict.status, verdict.message
    else:
        status, message = "not yet", f"there is no function {job['function']}: {fault}"
    after = library_functions()
    look_at = [
        f"replaces {name}" for name in sorted(before | after) if before.get(name) is not after.get(name)
    ]
    if "raised NameError" in message:
        look_at.append(f"{job['exercise']} needs a name that only the notebook has")
    return {"status": status, "message": message[:LONGEST_MESSAGE], "look_at": look_at}


def remarkable_in(nodes: list[ast.stmt]) -> list[str]:
    """What honest answers do not have: watched names, special methods, a `check` of their own, a forged verdict."""
    found = set()
    for node in [inner for outer in nodes for inner in ast.walk(outer)]:
        for field in ("id", "attr", "name", "module"):
            text = str(getattr(node, field, ""))
            found |= WATCHED.intersection(text.split("."))
            if text.startswith("__") and text not in USUAL_METHODS:
                found.add(text)
        if isinstance(node, ast.Name) and node.id in WATCHED_ALONE:
            found.add(node.id)
        if isinstance(node, ast.FunctionDef) and node.name == "check":
            found.add("a check of its own")
        if isinstance(node, ast.Constant) and str(node.value).startswith("Right"):
            found.add("the word Right")
    return [f"has {word}" for word in sorted(found)]


def is_the_solution(node: ast.stmt, solution: str) -> bool:
    """Whether a function is the displayed solution up to layout and comments, if that is not a short one."""
    shown = {ast.dump(one) for one in ast.parse(solution).body if _statements(one) >= LONG_SOLUTION}
    return ast.dump(node) in shown


def _statements(node: ast.stmt) -> int:
    return sum(isinstance(inner, ast.stmt) for inner in ast.walk(node)) - 1


def library_functions() -> dict:
    """What answers could replace so that wrong ones pass: name -> function, of PyTorch, NumPy, Python and the check."""
    return {
        f"{library.__name__}.{name}": value
        for library in LIBRARIES
        for name, value in vars(library).items()
        if callable(value)
    }


# --- a process of its own for each answer ---


def judge_apart(job: Job, names: dict, solution: str, seconds: int) -> Reply:
    """The verdict on an answer, found in a forked process that is ended afterwards, whatever it has started."""
    nodes, fault = read_cells(job["cells"])
    # This is found before anything of the answer runs, which could forge the rest.
    remarks = remarkable_in(nodes)
    if any(is_the_solution(node, solution) for node in nodes):
        remarks.append(f"{job['exercise']} is the stored solution, word for word")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            confine(writing, seconds)
            os.write(writing, json.dumps(verdict_on(job, nodes, names, fault)).encode() + b"\n")
        finally:
            os._exit(0)
    os.close(writing)
    ends = time.monotonic() + seconds
    line = first_line(reading, ends)
    what = "ended Python" if time.monotonic() < ends else f"took longer than {seconds} seconds"
    os.close(reading)
    end_all_of(child)
    os.waitpid(child, 0)
    try:
        reply = json.loads(line)
        look_at = [*remarks, *map(str, reply["look_at"])]
        return {"status": str(reply["status"]), "message": str(reply["message"]), "look_at": look_at}
    except (ValueError, KeyError, TypeError):
        remarks.append(f"{job['exercise']} {what}")
        return {"status": "not yet", "message": f"your function {what}", "look_at": remarks}


def confine(pipe: int, seconds: int) -> None:
    """Leave this process nothing but the pipe, and limits of time, memory, file size and processes."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(3, pipe)
    os.closerange(pipe + 1, 1024)
    limits = {
        resource.RLIMIT_CPU: seconds + 1,  # for what outlives the answer
        resource.RLIMIT_DATA: MEMORY,
        resource.RLIMIT_FSIZE: LARGEST_FILE,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_CORE: 0,
    }
    for limit, value in limits.items():
        with contextlib.suppress(ValueError):  # not every system knows every limit
            resource.setrlimit(limit, (value, value))


def first_line(pipe: int, ends: float) -> bytes:
    """What is written to the pipe until a line is complete, the pipe is closed, it is too much, or the time is over."""
    received = b""
    while not received.endswith(b"\n") and len(received) < LARGEST_REPLY:
        if not select.select([pipe], [], [], max(0.0, ends - time.monotonic()))[0]:
            break
        part = os.read(pipe, LARGEST_REPLY)
        if not part:
            break
        received += part
    return received


def end_all_of(child: int) -> None:
    """End a process that was not waited for yet, its group and, under bubblewrap, whatever else it started."""
    os.kill(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    # Under bubblewrap this process is the second of a world of its own; anywhere else -1 would mean all of the user's.
    if os.getpid() == 2:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)


def main(seconds: int) -> None:
    os.chdir(NOTEBOOKS)
    # The first optimiser replaces functions of PyTorch, and takes a second.
    torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    known: dict[str, tuple[dict, dict]] = {}
    print("ready", flush=True)
    for line in sys.stdin:
        job: Job = json.loads(line)
        if job["notebook"] not in known:
            cells = nbformat.read(NOTEBOOKS / f"{job['notebook']}.ipynb", as_version=4).cells
            solutions = {exercise.name: exercise.solution for exercise in exercises_in(cells)}
            known[job["notebook"]] = names_for_answers(cells), solutions
            gc.freeze()  # what is never freed is not copied into each process
        names, solutions = known[job["notebook"]]
        print(json.dumps(judge_apart(job, names, solutions[job["exercise"]], seconds)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
