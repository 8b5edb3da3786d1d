"""What a reader sees of an exercise, whatever the answer does; nothing here knows a particular exercise."""

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.exercises import EXERCISES, ExerciseNotSolved, check, hint
from course_utils.exercises.compare import Estimate, Instance, Network, Number, Several, Tensor, Value, Whole
from course_utils.exercises.engine import Mistake, exercise, is_stub, judge
from course_utils.exercises.spies import Spy

ABOUT = {"hints": ("first", "second"), "praise": "Well done.", "objective": "double a number"}


@pytest.fixture
def declare():
    """Declares an exercise for one test: by default, doubling 4."""
    names = []

    def declare_it(**changes):
        names.append(f"toy_{len(names)}")
        about = {"given": lambda: [(4,)], "solution": lambda x: 2 * x, "compare": Number("twice x")}
        return exercise(names[-1], **(ABOUT | about | changes))

    yield declare_it
    for name in names:
        EXERCISES.pop(name, None)


@pytest.fixture(autouse=True)
def not_strict(monkeypatch):
    monkeypatch.delenv("COURSE_STRICT", raising=False)


# --- to do, not yet, right ---


def not_written(x):
    """To be written."""


def with_ellipsis(x): ...


def not_implemented(x):
    raise NotImplementedError


def not_implemented_either(x):
    raise NotImplementedError("write me")


@pytest.mark.parametrize(
    "answer", [not_written, with_ellipsis, not_implemented, not_implemented_either, lambda x: None]
)
def test_an_unwritten_answer_is_to_do(declare, answer):
    assert is_stub(answer) and judge(declare(), answer).status == "to do"


def test_an_answer_that_refuses_some_arguments_is_written(declare):
    def with_a_guard(x):
        if x < 0:
            raise NotImplementedError
        return 2 * x

    assert judge(declare(), with_a_guard).status == "right"


def calls_what_is_not_implemented(x):
    return not_implemented(x)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda x: 5, "You have 5, right is 8."),
        (lambda x: print(end=""), "your function returned nothing: is its `return` missing?"),
        (calls_what_is_not_implemented, "your function raised NotImplementedError in its line 2"),
        (lambda x: [8], "return twice x; your function returned a list of 1."),
        (lambda x: torch.ones(2), "return twice x; your result is a tensor of shape (2,)."),
        (lambda x: float("nan"), "You have nan, right is 8."),
        (lambda x: exit(), "your function called exit"),
        (lambda x: x / 0, "your function raised ZeroDivisionError in its line 1: division by zero"),
    ],
)
def test_an_answer_that_is_not_right_is_told_why(declare, answer, told):
    verdict = judge(declare(), answer)
    assert verdict.status == "not yet" and told in verdict.message


@pytest.mark.parametrize(
    "value",
    [8, 8.0, np.float32(8), np.int64(8), torch.tensor(8.0), torch.tensor([8]), torch.tensor(8).double()],
)
def test_a_number_is_right_in_every_type(declare, value):
    assert judge(declare(), lambda x: value).status == "right"


def test_what_a_decorator_hides_is_still_the_readers_line(declare):
    @torch.no_grad()
    def answer(x):
        y = x
        return y / 0

    assert "ZeroDivisionError in its line 4:" in judge(declare(), answer).message


def test_an_error_of_the_check_is_not_blamed_on_the_reader(declare):
    broken = declare(mistakes=((lambda x: 5, "five", lambda call: call.nonsense),))
    assert judge(broken, lambda x: 5).message.startswith("the check itself failed on your result")


class Speechless(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def raises_what_has_no_words(*_):
    raise Speechless


def test_an_error_that_cannot_be_told_is_named(declare):
    assert (
        "your function raised Speechless in its line 2" in judge(declare(), raises_what_has_no_words).message
    )
    broken = declare(mistakes=((lambda x: 5, "five", raises_what_has_no_words),))
    assert "the check itself failed on your result (Speechless: " in judge(broken, lambda x: 5).message


def test_an_interrupt_is_passed_on(declare):
    def interrupted(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(declare(), interrupted)


# --- mistakes ---


def test_the_first_mistake_that_gives_the_result_is_told(declare):
    squared = (lambda x: x**2, "you squared")
    added = (lambda x: x + 12, lambda call: f"you added {call.result - 4}")
    toy = declare(mistakes=(squared, added))
    assert judge(toy, lambda x: 16).message == "you squared. You have 16, right is 8."
    assert judge(declare(mistakes=(added, squared)), lambda x: 16).message.startswith("you added 12.")
    assert judge(toy, lambda x: 8).status == "right"


def test_a_right_number_can_still_be_a_mistake(declare):
    toy = declare(mistakes=((lambda x: 8.0, "a float", lambda call: isinstance(call.result, float)),))
    assert judge(toy, lambda x: 8.0).message == "a float."
    assert judge(toy, lambda x: 8).status == "right"


def test_a_mistake_may_say_what_it_gives_with_the_numbers_that_the_answer_drew(declare):
    drawn = Spy("draw", lambda x: x + torch.rand(()), {"x": None})
    tripled = Mistake(lambda draw: 3, "you tripled", gives=lambda call: 3 * drawn.results[-1])
    toy = declare(
        given=lambda: [(drawn,)],
        solution=lambda draw: draw(torch.ones(())),
        expected=lambda call: drawn.last[1],
        mistakes=(tripled,),
    )
    assert judge(toy, lambda draw: draw(torch.ones(()))).status == "right"
    assert judge(toy, lambda draw: 3 * draw(torch.ones(()))).mistake == tripled
    assert judge(toy, lambda draw: 2 * draw(torch.ones(()))).mistake is None


def test_a_mistake_may_look_at_what_the_solution_made_and_at_untouched_arguments(declare):
    emptied = (
        list.clear,
        "you emptied the list",
        lambda call: len(call.arguments[0]) < len(call.untouched[0]),
    )
    shorter = (
        sum,
        "you left it as long",
        lambda call: len(call.arguments[0]) > len(call.solved.arguments[0]),
    )
    toy = declare(
        given=lambda: [([4, 5],)],
        solution=lambda numbers: numbers.pop(),
        mistakes=(emptied, shorter),
        compare=Instance("a number", (int,)),
    )
    assert judge(toy, lambda numbers: numbers.clear() or 5).message == "you emptied the list."
    assert judge(toy, lambda numbers: 5).message == "you left it as long."


def test_cases_that_are_judged_together_tell_mistakes_by_all_of_them(declare):
    cases = {
        "given": lambda: [(2,), (3,)],
        "mistakes": ((lambda x: x**2, "you squared"),),
        "compare": Whole(),
    }
    together = declare(**cases, together=True, describe=lambda x: f"for x = {x}")
    assert judge(together, lambda x: x**2).message == "you squared. For x = 3: you have 9, right is 6."
    assert judge(together, lambda x: 4 if x == 2 else 5).mistake is None
    assert judge(together, lambda x: float(2 * x)).message == Whole().if_float


# --- what an answer must not be able to do ---


def test_an_answer_that_changes_its_argument_is_judged_by_its_result_and_told(declare):
    toy = declare(given=lambda: [(torch.arange(3.0),)], compare=Tensor())
    verdict = judge(toy, lambda x: x.mul_(2))
    assert verdict.status == "right" and "changes its argument in place" in verdict.message


def test_an_answer_in_double_precision_is_right_and_told(declare):
    toy = declare(given=lambda: [(torch.arange(3.0),)], compare=Tensor())
    verdict = judge(toy, lambda x: 2 * x.double())
    assert verdict.status == "right" and "float64" in verdict.message


def test_one_nan_among_right_numbers_is_not_right(declare):
    toy = declare(given=lambda: [(torch.arange(3.0),)], compare=Tensor())
    assert "at [0] you have nan, right is 0" in judge(toy, lambda x: 2 * x / x * x).message


def test_an_estimate_is_right_if_its_errors_are_those_of_chance(declare):
    toy = declare(given=lambda: [(torch.randn(10_000),)], solution=lambda x: x + 7, compare=Estimate())
    assert judge(toy, lambda x: x + 7 + torch.randn(10_000)).status == "right"
    for wrong in (lambda x: 1.01 * (x + 7), lambda x: x + 7 + torch.rand(10_000)):
        assert "On average you have" in judge(toy, wrong).message
    assert "On average you have nan" in judge(toy, lambda x: x + 7 + 0 / (torch.arange(10_000) - 3)).message
    assert "has shape (1, 10000), right is (10000,)" in judge(toy, lambda x: x[None] + 7).message


def test_gradients_are_asked_for_or_refused(declare):
    given = {"given": lambda: [(torch.arange(3.0, requires_grad=True),)]}
    needed = declare(**given, compare=Tensor(gradient=True))
    assert judge(needed, lambda x: 2 * x).status == "right"
    assert "carries no gradient" in judge(needed, lambda x: 2 * x.detach()).message
    unwanted = declare(**given, compare=Tensor(gradient=False))
    assert "carries a gradient" in judge(unwanted, lambda x: 2 * x).message


def test_switching_gradients_off_does_not_outlast_the_check(declare):
    toy = declare(mistakes=((lambda x: 8, "switched off", lambda call: not call.gradients_on),))

    def switches_off(x):
        torch.set_grad_enabled(False)
        return 8

    assert judge(toy, switches_off).message == "switched off."
    assert torch.is_grad_enabled()


# --- other kinds of results ---


def test_texts_and_several_results_are_compared(declare):
    value = declare(solution=lambda x: "a", compare=Value("a text", (str,)))
    assert judge(value, lambda x: "b").message == "You have 'b', right is 'a'."
    assert judge(value, lambda x: 3).message == "your function returned a int; return a text."
    two = declare(solution=lambda x: (1.0, 2.0), compare=Several("both", (Number(), Number())))
    assert judge(two, lambda x: [1, 2]).status == "right"
    assert judge(two, lambda x: 1).message == "return 2 things: both; your function returned a int."
    assert "number 2 is not right: you have 3, right is 2" in judge(two, lambda x: (1, 3)).message


def test_an_iterator_is_a_list_and_where_only_the_type_counts_mistakes_decide(declare):
    emptied = (lambda x: [], "it is empty", lambda call: not call.result)
    toy = declare(compare=Instance("a list", (list,)), solution=lambda x: [x], mistakes=(emptied,))
    assert judge(toy, lambda x: iter([x, x])).status == "right"
    assert judge(toy, lambda x: iter([])).message == "it is empty."
    assert judge(toy, lambda x: x).message == "your function returned a int; return a list."


def test_networks_are_compared_by_what_they_give(declare):
    asked = Network("a network", (2, 3))
    narrow = (lambda x: nn.Linear(3, 1), "one too few")
    toy = declare(compare=asked, solution=lambda x: nn.Linear(3, 2), mistakes=(narrow,))
    assert judge(toy, lambda x: nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))).status == "right"
    for answer, told in (
        (narrow[0], "one too few. Your network makes (2, 1) of (2, 3), right is (2, 2)."),
        (lambda x: nn.Linear(4, 2), "shapes cannot be multiplied"),
        (
            lambda x: nn.LSTM(3, 2),
            "Your network fails on an input of shape (2, 3): its output is a tuple of 2",
        ),
        (lambda x: [nn.Linear(3, 2)], "your function returned a list of 1; return a network."),
    ):
        assert told in judge(toy, answer).message


def test_a_spy_remembers_and_says_what_it_takes(declare):
    def given():
        return [(Spy("decode", lambda z, y: z.sum() + y.sum(), {"z": ("B", 2), "y": ("B",)}, {"y": 10}),)]

    toy = declare(given=given, solution=lambda decode: decode(torch.ones(3, 2), torch.arange(3)))
    double = judge(toy, lambda decode: decode(torch.ones(3, 2).double(), torch.arange(3)))
    assert double.status == "right"
    for z, y, told in (
        (torch.ones(3, 4), torch.arange(3), "your z has the shape (3, 4)"),
        (torch.ones(3, 2), torch.arange(2), "your y has the shape (2,)"),
        (torch.ones(3, 2), torch.ones(3), "takes labels of type int64 as y; yours are float32"),
        (torch.ones(3, 2), torch.arange(3) + 8, "knows the labels 0 to 9; you gave it 8 to 10"),
        ([1, 2], torch.arange(3), "your z is of type list"),
    ):
        assert told in judge(toy, lambda decode, z=z, y=y: decode(z, y)).message


def test_a_spy_that_was_never_called_says_so(declare):
    asked = {"given": lambda: [(Spy("decode", torch.sum, {"z": None}),)], "solution": lambda decode: 0}
    toy = declare(**asked, expected=lambda call: call.arguments[0].last[1])
    assert judge(toy, lambda decode: 3).message == "you never called decode(z)."
    assert judge(toy, lambda decode: decode(torch.ones(2, 3))).status == "right"


# --- check and hint, as a notebook calls them ---


def test_check_prints_and_never_raises(declare, capsys):
    name = declare().name
    for answer in (lambda x: None, lambda x: 5, lambda x: 8):
        check(name, answer)
    assert capsys.readouterr().out == (
        f"To do ({name}): write your code, then run this cell again. hint('{name}') helps.\n"
        f"Not yet ({name}): You have 5, right is 8.\nRight ({name}): Well done.\n"
    )


def test_strict_mode_raises_unless_solved(declare, monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    name = declare().name
    check(name, lambda x: 8)
    for unsolved in (lambda x: None, lambda x: 5, lambda x: x / 0):
        with pytest.raises(ExerciseNotSolved):
            check(name, unsolved)


def test_hints_come_in_turn_and_start_again(declare, capsys):
    name = declare().name
    for _ in range(3):
        hint(name)
    assert capsys.readouterr().out == "Hint 1 of 2: first\nHint 2 of 2: second\nHint 1 of 2: first\n"


def test_what_cannot_be_checked_is_refused(declare):
    with pytest.raises(ValueError, match=r"name must be one of .*; got 'triple'"):
        check("triple", lambda x: x)
    with pytest.raises(ValueError, match="the function that you wrote, without brackets; got 8"):
        check(declare().name, 8)
    with pytest.raises(ValueError, match="name must be unique in the course; 'toy_0' is declared already"):
        exercise("toy_0", given=list, solution=max, compare=Number(), **ABOUT)
    with pytest.raises(ValueError, match="hints must hold at least one hint; got none for 'toy_1'"):
        declare(hints=())
