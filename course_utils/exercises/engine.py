"""Judges an answer by the declaration of its exercise: what an exercise declares stands in `Exercise`.

Whatever happens in an answer ends in a verdict: to do, not yet (with a diagnosis) or right. Answers are called with
copies of their own, and with random numbers of their own, so that the reader's notebook is as it was before.
"""

import dis
import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from course_utils.environment import forked_random_numbers
from course_utils.exercises.compare import Kind, Table

# What is left of a function that has not been written yet: `...`, `pass`, a docstring, `return None`.
STUB_INSTRUCTIONS = {"RESUME", "NOP", "POP_TOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}

# Minutes that an exercise is expected to take, by its level, for a class to plan with.
MINUTES = {1: 5, 2: 10, 3: 15}


class Wrong(Exception):
    """An answer is wrong; the message is the diagnosis, one or two sentences in the second person."""


@dataclass(frozen=True)
class Mistake:
    """A classic mistake: an answer that makes it, and the sentence that its author is told.

    An answer is told so if `told_if(call)` holds; without `told_if`, if its result is not right but that of `wrong`,
    or where random numbers matter, `gives(call)`: what the mistake makes of the numbers that the answer drew.
    `sentence` ends without a full stop; it may be a function of the call, where it names numbers.
    """

    wrong: Callable
    sentence: "str | Callable[[Call], str]"
    told_if: "Callable[[Call], bool] | None" = None
    gives: "Callable[[Call], Any] | None" = None


@dataclass(frozen=True)
class Exercise:
    """Everything that is known of an exercise.

    given: returns the cases, a list of tuples of arguments, new copies at each call; where a case needs random
    numbers, they are the same at each call. solution: a right answer. compare: how results are compared (see
    `compare`). mistakes: Mistake, or tuples of its fields; the first that is recognised is told. told: (answer, part
    of its message), for what `compare` or a spy says. also_right: other right answers. together: whether mistakes are
    recognised by the results of all cases, not by the first wrong one.
    expected: what is right, as a function of the call, where that depends on what the answer drew. describe: a case in
    words, as a function of its arguments. otherwise: what is said when no mistake is recognised. hints: from a nudge
    to nearly the answer. praise: the sentence after "Right". level: 1 to 3; points: for the class.
    """

    name: str
    given: Callable[[], list[tuple]]
    solution: Callable
    compare: Kind
    hints: tuple[str, ...]
    praise: str
    objective: str
    mistakes: tuple = ()
    told: tuple[tuple[Callable, str], ...] = ()
    also_right: tuple[Callable, ...] = ()
    together: bool = False
    expected: "Callable[[Call], Any] | None" = None
    describe: Callable[..., str] | None = None
    otherwise: str = ""
    level: int = 1
    points: int = 1

    @property
    def minutes(self) -> int:
        """How long it is expected to take."""
        return MINUTES[self.level]

    def cases(self) -> list[tuple]:
        """The arguments of every call; if they are judged together, one case that holds them all."""
        with forked_random_numbers():
            given = self.given()
        return [tuple(given)] if self.together else given


@dataclass
class Call:
    """One call of an answer: its arguments (spies among them), copies that it never saw, and what it returned."""

    exercise: Exercise
    case: int
    arguments: tuple
    untouched: tuple
    result: Any
    # Whether gradients were still computed after the call: `set_grad_enabled(False)` would outlast it.
    gradients_on: bool = True
    remarks: list[str] = field(default_factory=list)

    @functools.cached_property
    def expected(self) -> Any:
        """What is right: the solution's result for this case, unless the exercise says how to compute it."""
        if self.exercise.expected is not None:
            return self.exercise.expected(self)
        return self.solved.result

    @functools.cached_property
    def solved(self) -> "Call":
        """The same call, made with the solution."""
        return call(self.exercise, self.exercise.solution, self.case)

    @functools.cached_property
    def right(self) -> bool:
        """Whether the result is right."""
        return self.exercise.compare.same(self.result, self.expected)

    def gave(self, value: Any) -> bool:
        """Whether the result is this value, NaN included."""
        return self.exercise.compare.same(self.result, value, equal_nan=True)


@dataclass(frozen=True)
class Verdict:
    """What came out: `status` is "to do", "not yet" or "right"; `mistake` is the one that was recognised."""

    status: str
    message: str
    mistake: Mistake | None = None


class AnswerFailed(Exception):
    """The answer raised an error; its cause is that error."""


EXERCISES: dict[str, Exercise] = {}


def exercise(name: str, *, mistakes: tuple = (), **declaration) -> Exercise:
    """Declare an exercise under a name that is unique in the course; the arguments are the fields of `Exercise`."""
    if name in EXERCISES:
        raise ValueError(f"name must be unique in the course; {name!r} is declared already")
    listed = tuple(one if isinstance(one, Mistake) else Mistake(*one) for one in mistakes)
    declared = Exercise(name, mistakes=listed, **declaration)
    if not declared.hints:
        raise ValueError(f"hints must hold at least one hint; got none for {name!r}")
    if declared.together:
        object.__setattr__(declared, "compare", Table(declared.compare))
    EXERCISES[name] = declared
    return declared


def judge(exercise: Exercise, answer: Callable) -> Verdict:
    """The verdict on an answer. Raises nothing but KeyboardInterrupt."""
    if is_stub(answer):
        return Verdict("to do", f"write your code, then run this cell again. hint({exercise.name!r}) helps.")
    remarks: list[str] = []
    try:
        for case in range(len(exercise.cases())):
            made = call(exercise, answer, case)
            remarks += made.remarks
            mistake = diagnose(made)
            if mistake is not None:
                return Verdict("not yet", _told(made, mistake), mistake)
    except Wrong as diagnosis:
        return Verdict("not yet", str(diagnosis))
    except AnswerFailed as failed:
        return Verdict("not yet", _failure(failed.__cause__, answer))
    except Exception as error:
        # Never blamed on the reader: the check should have known this kind of result.
        return Verdict(
            "not yet",
            f"the check itself failed on your result ({type(error).__name__}: {_said(error)}). Compare what your "
            "function returns with what is asked for; if it is right, this is a fault of the course.",
        )
    return Verdict("right", " ".join([exercise.praise, *dict.fromkeys(remarks)]))


def diagnose(made: Call) -> Mistake | None:
    """The mistake of a call, None if it is right; raises Wrong if it is wrong in a way that nobody foresaw."""
    compare = made.exercise.compare
    if problem := compare.problem(made.result):
        raise Wrong(problem)
    for mistake in made.exercise.mistakes:
        if _recognised(mistake, made):
            return mistake
    if not made.right:
        raise Wrong(f"{_numbers(made)} {made.exercise.otherwise}".strip())
    if flaw := compare.flaw(made.result):
        raise Wrong(flaw)
    return None


def _recognised(mistake: Mistake, made: Call) -> bool:
    if mistake.told_if is not None:
        return bool(mistake.told_if(made))
    if made.right:
        return False
    if mistake.gives is not None:
        return made.gave(mistake.gives(made))
    try:
        return made.gave(call(made.exercise, mistake.wrong, made.case).result)
    except (Wrong, AnswerFailed):
        return False


def call(exercise: Exercise, answer: Callable, case: int) -> Call:
    """Call an answer on one case, with copies of its arguments and with random numbers of its own."""
    arguments, untouched = exercise.cases()[case], exercise.cases()[case]
    try:
        with forked_random_numbers(seed=case), torch.enable_grad():
            if exercise.together:
                result = [_returned(answer, one) for one in arguments]
            else:
                result = _returned(answer, arguments)
            gradients_on = torch.is_grad_enabled()
    except (Wrong, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise AnswerFailed from error
    made = Call(exercise, case, arguments, untouched, result, gradients_on)
    if not exercise.together and _changed(arguments, untouched):
        made.remarks.append(
            "A remark: your function changes its argument in place, which its caller may not expect."
        )
    if _is_double(result):
        made.remarks.append("A remark: your result is of type float64, whereas networks compute in float32.")
    return made


def _returned(answer: Callable, arguments: tuple) -> Any:
    result = answer(*arguments)
    # What an iterator holds, such as model.parameters(), can be read only once.
    return list(result) if isinstance(result, Iterator) else result


def is_stub(answer: Callable) -> bool:
    """Whether a function has not been written yet: nothing but `...`, `pass`, a docstring or a NotImplementedError."""
    code = getattr(inspect.unwrap(answer), "__code__", None)
    if code is None:
        return False
    instructions = list(dis.get_instructions(code))
    names = {instruction.opname for instruction in instructions}
    constants = {one.argval for one in instructions if one.opname in ("LOAD_CONST", "RETURN_CONST")}
    is_empty = names <= STUB_INSTRUCTIONS and constants <= {None, ...}
    only_raises = code.co_names == ("NotImplementedError",) and not names & {"RETURN_VALUE", "RETURN_CONST"}
    return is_empty or only_raises


def _changed(arguments: tuple, untouched: tuple) -> bool:
    pairs = zip(arguments, untouched, strict=True)
    return any(isinstance(a, torch.Tensor) and not torch.equal(a, b) for a, b in pairs)


def _is_double(result: Any) -> bool:
    if isinstance(result, tuple | list):
        return any(_is_double(one) for one in result)
    return isinstance(result, torch.Tensor) and result.dtype == torch.float64


def _told(made: Call, mistake: Mistake) -> str:
    sentence = mistake.sentence if isinstance(mistake.sentence, str) else mistake.sentence(made)
    ended = sentence if sentence.endswith((".", "?")) else f"{sentence}."
    return ended if mistake.told_if else f"{ended} {_numbers(made)}"


def _numbers(made: Call) -> str:
    """What the answer gave and what is right, for the first case in which they differ."""
    compare, arguments = made.exercise.compare, made.arguments
    result, expected = made.result, made.expected
    if isinstance(compare, Table):
        first = compare.first_difference(result, expected)
        arguments, result, expected = arguments[first], result[first], expected[first]
    where = f"{made.exercise.describe(*arguments)}: " if made.exercise.describe else ""
    text = where + compare.difference(result, expected)
    return f"{text[0].upper()}{text[1:]}."


def _failure(error: BaseException | None, answer: Callable) -> str:
    if isinstance(error, SystemExit | GeneratorExit):
        return "your function called exit, which would end the kernel: return the result instead."
    return f"your function raised {type(error).__name__}{_line_of(error, answer)}: {_said(error)}"


def _said(error: BaseException | None) -> str:
    try:
        return str(error)
    except Exception:
        return "an error without a text"


def _line_of(error: BaseException | None, answer: Callable) -> str:
    """Where in the reader's own function the error arose: ` in its line 3`, or nothing if it cannot be told."""
    code = getattr(inspect.unwrap(answer), "__code__", None)
    trace = error.__traceback__ if error else None
    while code is not None and trace is not None:
        if trace.tb_frame.f_code is code:
            return f" in its line {trace.tb_lineno - code.co_firstlineno + 1}"
        trace = trace.tb_next
    return ""
