"""A class to rehearse grading with: python -m workshop.rehearsal OUT

Writes what 80 students hand in, named as Moodle does it: a sixth of them have all exercises right, a sixth none, most
some of them, and eight hand in a hostile answer among right ones. Then try `python -m workshop.grade OUT GRADES`.
"""

import argparse
import json
import random
from pathlib import Path

import nbformat

from course_utils.settings import NOTEBOOKS
from workshop.exercise_cells import ExerciseCells, Original, originals
from workshop.folders import check_new

STUDENTS = 80
# Each takes the place of the function's body in one exercise of a student whose other answers are right.
HOSTILE = (
    "while True: pass",
    "import time; time.sleep(1000)",
    "while True: print('x' * 1000)",
    "import os; os._exit(0)",
    "import os; os.kill(os.getppid(), 9)",
    "return [bytearray(2**28) for _ in range(100)]",
    "import torch; torch.equal = lambda a, b: True",
    "print('Right'); raise SystemExit",
)


def answer_of(exercise: ExerciseCells, kind: str, body: str = "") -> str:
    """The source of an exercise's cell: "right", "wrong", "untouched", or "hostile" with a body of its own."""
    signature, check = exercise.stub.split("\n")[0], exercise.stub[exercise.stub.index("check(") :]
    return {
        "right": f"{exercise.solution}\n\n{check}",
        "wrong": f"{signature}\n    return 0\n\n{check}",
        "untouched": exercise.stub,
        "hostile": f"{signature}\n    {body}\n\n{check}",
    }[kind]


def kinds_of(number: int, count: int) -> list[str]:
    """What a student did with `count` exercises; the same numbers do the same every time."""
    chance = random.Random(number)
    if number < len(HOSTILE):
        return ["hostile" if one == 6 * number % count else "right" for one in range(count)]
    if number % 6 == 0:
        return ["right"] * count
    if number % 6 == 1:
        return ["untouched"] * count
    return chance.choices(["right", "wrong", "untouched"], weights=[chance.random() + 0.2, 0.2, 0.3], k=count)


def write_class(out: Path) -> None:
    """Write the submissions of all students into a new folder."""
    course = originals([])
    count = sum(len(original.exercises) for original in course)
    for number in range(STUDENTS):
        folder = out / f"Student {number:02}_{1000 + number}_assignsubmission_file"
        folder.mkdir(parents=True)
        kinds = iter(kinds_of(number, count))
        for original in course:
            answers = {
                exercise.position: answer_of(exercise, next(kinds), HOSTILE[number % len(HOSTILE)])
                for exercise in original.exercises
            }
            (folder / f"{original.name}.ipynb").write_text(_with_answers(original, answers), encoding="utf-8")


def _with_answers(original: Original, answers: dict[int, str]) -> str:
    notebook = nbformat.read(NOTEBOOKS / f"{original.name}.ipynb", as_version=4)
    for position, source in answers.items():
        notebook.cells[position].source = source
    return json.dumps(notebook)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write what a class of 80 hands in, to rehearse grading.")
    parser.add_argument("out", type=Path, help="a folder that is new or empty")
    arguments = parser.parse_args()
    check_new(arguments.out)
    write_class(arguments.out)
    print(f"{STUDENTS} submissions in {arguments.out}")


if __name__ == "__main__":
    main()
