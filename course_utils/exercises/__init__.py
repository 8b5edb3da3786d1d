"""Exercises that say what is wrong with an answer, not only that it is.

In a notebook: `check("name", answer)` below the reader's code, and `hint("name")` on request. A check never
raises, unless the environment variable COURSE_STRICT is set, as the tests of the solutions do.
"""

import importlib
import os
import pkgutil
from collections.abc import Callable

from course_utils.exercises.registry import EXERCISES, Wrong


class ExerciseNotSolved(AssertionError):
    """Raised instead of printed in strict mode, for an exercise that is not attempted or not right."""


def check(name: str, answer: Callable) -> None:
    """Test the reader's function `answer` on the exercise `name`, and print what was found.

    Prints one of: to do (the function still returns None or raises NotImplementedError), not yet (with a
    diagnosis) or right.
    """
    exercise = _find(name)
    if not callable(answer):
        raise ValueError(f"answer must be the function that you wrote, without brackets; got {answer!r}")
    try:
        exercise.test(answer)
    except Wrong as diagnosis:
        _report(f"Not yet ({name}): {diagnosis}", solved=False)
    except NotImplementedError:
        _report(
            f"To do ({name}): write your code, then run this cell again. hint({name!r}) helps.", solved=False
        )
    except Exception as error:
        line = _line_of(error, answer)
        _report(f"Not yet ({name}): your function raised {type(error).__name__}{line}: {error}", solved=False)
    else:
        _report(f"Right ({name}). {exercise.praise}", solved=True)


def hint(name: str) -> None:
    """Print the next hint for the exercise `name`; after the last one, the first comes again."""
    exercise = _find(name)
    number = exercise.hints_given % len(exercise.hints)
    exercise.hints_given += 1
    print(f"Hint {number + 1} of {len(exercise.hints)}: {exercise.hints[number]}")


def _find(name: str):
    if name not in EXERCISES:
        raise ValueError(f"name must be one of {', '.join(sorted(EXERCISES))}; got {name!r}")
    return EXERCISES[name]


def _line_of(error: Exception, answer: Callable) -> str:
    """Where in the reader's own function the error arose: ` in its line 3`, or nothing if it cannot be told."""
    code = getattr(answer, "__code__", None)
    trace = error.__traceback__
    while code is not None and trace is not None:
        if trace.tb_frame.f_code is code:
            return f" in its line {trace.tb_lineno - code.co_firstlineno + 1}"
        trace = trace.tb_next
    return ""


def _report(message: str, solved: bool) -> None:
    if not solved and os.environ.get("COURSE_STRICT"):
        raise ExerciseNotSolved(message)
    print(message)


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
