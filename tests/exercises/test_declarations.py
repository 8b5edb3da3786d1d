"""Of every exercise that is declared: what right answers, stubs, mistakes and unforeseen answers are told."""

import random

import numpy as np
import pytest
import torch

from course_utils.exercises import EXERCISES
from course_utils.exercises.engine import judge

ALL = [pytest.param(exercise, id=name) for name, exercise in EXERCISES.items()]
MISTAKES = [
    pytest.param(exercise, mistake, id=f"{name}-{number}")
    for name, exercise in EXERCISES.items()
    for number, mistake in enumerate(exercise.mistakes)
]
TOLD = [
    pytest.param(exercise, answer, part, id=f"{name}-{number}")
    for name, exercise in EXERCISES.items()
    for number, (answer, part) in enumerate(exercise.told)
]


@pytest.mark.parametrize("exercise", ALL)
def test_right_answers_are_right(exercise):
    for answer in (exercise.solution, *exercise.also_right):
        verdict = judge(exercise, answer)
        assert verdict.status == "right", verdict.message


@pytest.mark.parametrize("exercise", ALL)
def test_stubs_are_to_do_and_a_forgotten_return_is_not(exercise):
    assert judge(exercise, lambda *arguments: ...).status == "to do"
    assert judge(exercise, lambda *arguments: print(end="")).status == "not yet"


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES)
def test_each_mistake_is_told_its_own_sentence(exercise, mistake):
    verdict = judge(exercise, mistake.wrong)
    assert verdict.status == "not yet"
    # Another mistake of the same sentence is as good.
    told = verdict.mistake.sentence if verdict.mistake else verdict.message
    assert told == mistake.sentence


@pytest.mark.parametrize(("exercise", "answer", "part"), TOLD)
def test_what_nobody_foresaw_is_told_in_its_numbers(exercise, answer, part):
    verdict = judge(exercise, answer)
    assert (verdict.status, verdict.mistake) == ("not yet", None) and part in verdict.message


@pytest.mark.parametrize("exercise", ALL)
def test_an_error_is_the_answers_own_and_random_numbers_are_untouched(exercise):
    def fails(*arguments):
        torch.rand(3), np.random.rand(), random.random()
        raise RuntimeError("my mistake")

    def numbers():
        return torch.rand(1).item(), np.random.rand(), random.random()

    for seed_all in (torch.manual_seed, np.random.seed, random.seed):
        seed_all(3)
    expected = numbers()
    for answer in (fails, exercise.solution):
        for seed_all in (torch.manual_seed, np.random.seed, random.seed):
            seed_all(3)
        verdict = judge(exercise, answer)
        assert numbers() == expected
        assert "the check itself failed" not in verdict.message
    assert "your function raised RuntimeError in its line 3: my mistake" in judge(exercise, fails).message


@pytest.mark.parametrize("exercise", ALL)
def test_what_is_said_is_complete(exercise):
    assert exercise.hints and exercise.praise.endswith(".") and exercise.objective
    assert 1 <= exercise.level <= 3 and exercise.points >= 1
