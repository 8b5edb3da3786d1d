"""Exercises that say what is wrong with an answer, not only that it is.

In a notebook: `check("name", answer)` below the reader's code, and `hint("name")` on request. A check never
raises, unless the environment variable COURSE_STRICT is set, as the tests of the solutions do.
"""

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable

from course_utils.exercises.engine import EXERCISES, Exercise, judge
from course_utils.settings import is_strict


class ExerciseNotSolved(AssertionError):
    """Raised instead of printed in strict mode, for an exercise that is not attempted or not right."""


def check(name: str, answer: Callable) -> None:
    """Judge the reader's function `answer` on the exercise `name`, and print what was found.

    Prints one of: to do (the function is not written yet), not yet (with a diagnosis) or right.
    """
    exercise = _find(name)
    if not callable(answer):
        raise ValueError(f"answer must be the function that you wrote, without brackets; got {answer!r}")
    verdict = judge(exercise, answer)
    message = f"{verdict.status.capitalize()} ({name}): {verdict.message}"
    if is_strict() and verdict.status != "right":
        raise ExerciseNotSolved(message)
    print(message)


_hints_given: Counter[str] = Counter()


def hint(name: str) -> None:
    """Print the next hint for the exercise `name`; after the last one, the first comes again."""
    exercise = _find(name)
    number = _hints_given[name] % len(exercise.hints)
    _hints_given[name] += 1
    print(f"Hint {number + 1} of {len(exercise.hints)}: {exercise.hints[number]}")


def _find(name: str) -> Exercise:
    if name not in EXERCISES:
        raise ValueError(f"name must be one of {', '.join(sorted(EXERCISES))}; got {name!r}")
    return EXERCISES[name]


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
