"""Exercises that say what is wrong with an answer, not only that it is.

In a notebook: `check("name", answer)` below the reader's code, `hint("name")` on request, and `progress()` for what is
solved so far. A check never raises an error because of an answer, unless the environment variable COURSE_STRICT is set,
as the tests of the solutions do; a name that no exercise has, and an answer that is no function, raise ValueError.
"""

import importlib
import json
import pkgutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from course_utils.exercises.engine import EXERCISES, Exercise, judge
from course_utils.progress import mark_solved, solved_exercises
from course_utils.settings import course_notebooks, is_strict


class ExerciseNotSolved(AssertionError):
    """Raised instead of printed in strict mode, for an exercise that is not attempted or not right."""


def check(name: str, answer: Callable) -> None:
    """Judge the reader's function `answer` on the exercise `name`, and print what was found.

    Prints one of: to do (the function is not written yet), not yet (with a diagnosis) or right. An exercise that was
    right once counts as solved from then on: see `progress`.
    """
    exercise = _find(name)
    if not callable(answer):
        raise ValueError(f"answer must be the function that you wrote, without brackets; got {answer!r}")
    verdict = judge(exercise, answer)
    message = f"{verdict.status.capitalize()} ({name}): {verdict.message}"
    if is_strict() and verdict.status != "right":
        raise ExerciseNotSolved(message)
    print(message)
    if verdict.status == "right":
        try:
            mark_solved(name)
        except ValueError as error:
            print(f"Your progress is not kept: {error}")


_hints_given: Counter[str] = Counter()


def hint(name: str) -> None:
    """Print the next hint for the exercise `name`; after the last one, the first comes again."""
    exercise = _find(name)
    number = _hints_given[name] % len(exercise.hints)
    _hints_given[name] += 1
    print(f"Hint {number + 1} of {len(exercise.hints)}: {exercise.hints[number]}")


def progress() -> None:
    """Print a table of the notebooks: how many of their exercises you have solved, for how many points, what is left.

    It is kept in a file of your own (`course_utils.progress.progress_file()` says where), and sent nowhere. Raises
    ProgressError if that file is damaged.
    """
    solved = solved_exercises()
    print("solved     points        notebook")
    for path in course_notebooks():
        module = f"{__name__}.{path.stem.partition('_')[2]}"
        exercises = [one for one in EXERCISES.values() if one.solution.__module__ == module]
        print(_counts(exercises, solved), _heading_of(path))
        left = [one.name for one in exercises if one.name not in solved]
        if 0 < len(left) < len(exercises):
            print(" " * 29, f"left: {', '.join(left)}")
    print(_counts(list(EXERCISES.values()), solved), "all")


def _counts(exercises: list[Exercise], solved: set[str]) -> str:
    points = [one.points for one in exercises if one.name in solved]
    all_points = sum(one.points for one in exercises)
    return f"{len(points):>2} of {len(exercises):>2}   {sum(points):>3} of {all_points:>3}   "


def _heading_of(notebook: Path) -> str:
    first_cell = json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]
    return first_cell["source"][0].strip("# \n")


def _find(name: str) -> Exercise:
    if name not in EXERCISES:
        raise ValueError(f"name must be one of {', '.join(sorted(EXERCISES))}; got {name!r}")
    return EXERCISES[name]


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
