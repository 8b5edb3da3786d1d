"""What a reader sees of an exercise: to do, not yet with a diagnosis, or right; hints in turn; never a traceback."""

import pytest
import torch

from course_utils.exercises import ExerciseNotSolved, check, hint, registry


@pytest.fixture(autouse=True)
def toy_exercise():
    @registry.exercise("double", hints=("first", "second"), praise="Twice as much.")
    def check_double(answer):
        if registry.call(answer, 4) == 16:
            raise registry.Wrong("you squared")

    yield
    del registry.EXERCISES["double"]


def printed(capsys, answer) -> str:
    check("double", answer)
    return capsys.readouterr().out


def not_written():
    raise NotImplementedError


def test_an_unwritten_answer_is_to_do(capsys):
    assert printed(capsys, lambda x: None).startswith("To do (double)")
    assert printed(capsys, lambda x: not_written()).startswith("To do (double)")


def test_a_wrong_answer_gets_its_diagnosis(capsys):
    assert printed(capsys, lambda x: x**2) == "Not yet (double): you squared\n"


def test_a_right_answer_gets_its_sentence(capsys):
    assert printed(capsys, lambda x: 2 * x) == "Right (double). Twice as much.\n"


def test_an_error_in_the_answer_is_named_with_its_line(capsys):
    def answer(x):
        y = x
        return y / 0

    assert printed(capsys, answer) == (
        "Not yet (double): your function raised ZeroDivisionError in its line 3: division by zero\n"
    )


def test_strict_mode_raises_unless_solved(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_STRICT", "1")
    check("double", lambda x: 2 * x)
    for unsolved in (lambda x: None, lambda x: x**2, lambda x: x / 0):
        with pytest.raises(ExerciseNotSolved):
            check("double", unsolved)


def test_hints_come_in_turn_and_start_again(capsys):
    for _ in range(3):
        hint("double")
    assert capsys.readouterr().out == "Hint 1 of 2: first\nHint 2 of 2: second\nHint 1 of 2: first\n"


def test_an_unknown_exercise_and_a_result_instead_of_a_function_are_refused():
    with pytest.raises(ValueError, match=r"name must be one of .*double.*; got 'triple'"):
        check("triple", lambda x: x)
    with pytest.raises(
        ValueError, match="answer must be the function that you wrote, without brackets; got 8"
    ):
        check("double", 8)


def test_a_name_is_unique_in_the_course():
    with pytest.raises(ValueError, match="name must be unique in the course; 'double' is registered already"):
        registry.exercise("double", hints=("h",), praise="")(lambda answer: None)


def test_a_tensor_as_result_is_an_attempt():
    assert torch.equal(registry.call(lambda: torch.zeros(3)), torch.zeros(3))
