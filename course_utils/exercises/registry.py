"""Where the exercises of all notebooks register themselves."""

from collections.abc import Callable
from dataclasses import dataclass

from course_utils.exercises.engine import EXERCISES, Verdict, Wrong


@dataclass
class Exercise:
    """A check (`test(answer)` returns if right, raises Wrong with a diagnosis if not) and what goes with it."""

    test: Callable
    hints: tuple[str, ...]
    praise: str


def judge_old(exercise, answer):
    try:
        exercise.test(answer)
    except Wrong as diagnosis:
        return Verdict("not yet", str(diagnosis))
    except NotImplementedError:
        return Verdict("to do", "write your code, then run this cell again.")
    except Exception as error:
        return Verdict("not yet", f"your function raised {type(error).__name__}: {error}")
    return Verdict("right", exercise.praise)


def exercise(name: str, hints: tuple[str, ...], praise: str) -> Callable:
    """Register the decorated test under a name that is unique in the course.

    `hints` go from a nudge to nearly the answer; `praise` is the sentence that follows "Right".
    """

    def register(test: Callable) -> Callable:
        if name in EXERCISES:
            raise ValueError(f"name must be unique in the course; {name!r} is registered already")
        if not hints:
            raise ValueError(f"hints must hold at least one hint; got none for {name!r}")
        EXERCISES[name] = Exercise(test, hints, praise)
        return test

    return register


def call(answer: Callable, *arguments, **keywords):
    """Call the reader's function; an unwritten one, which returns None, counts as not attempted."""
    result = answer(*arguments, **keywords)
    if result is None:
        raise NotImplementedError
    return result
