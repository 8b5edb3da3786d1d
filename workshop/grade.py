"""Grade what a class has handed in: python -m workshop.grade HANDED_IN OUT [--notebooks 03 08]

HANDED_IN is a folder or a zip as Moodle or Canvas hands it out, or a folder with one for each student
(`workshop.submissions`). Into OUT go grades.csv, grades.json, a page for each student (`workshop.grading_report`), and
in `records` what is known of each submission, so that a command which was interrupted is taken up again, and what was
graded before is not graded again. Answers run in processes of their own (`workshop.judging`), under bubblewrap where it
is. The points are for taking part: who forges a verdict gets them, and stands in the column "look at".
"""

import argparse
import functools
import hashlib
import json
import os
import queue
import re
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import course_utils.exercises
from course_utils.files import write_whole
from workshop.exercise_cells import CHECK, TASK_HEADING, ExerciseCells, Original, originals
from workshop.grading_report import file_name_of, write_report
from workshop.sandbox import UNPROTECTED, Judge, sandbox
from workshop.submissions import Submission, Unreadable, cells_of, read_submissions

WORKERS = 2
SECONDS = 10


# --- a submission ---


def grade(submission: Submission, course: list[Original], judge: Judge) -> dict:
    """The record of a submission: what each exercise got, what a person should look at, which open tasks to read.

    Notebooks that are not in `course` are left out; those of it that were not handed in are missing.
    """
    results: dict[str, dict] = {}
    look_at: dict[str, list[str]] = defaultdict(list)
    tasks = []
    handed_in = set()
    for file in submission.notebooks():
        try:
            cells = cells_of(file)
        except Unreadable as problem:
            look_at[file.path].append(str(problem))
            continue
        sources = [source for kind, source in cells if kind == "code"]
        original = max(every_notebook(), key=lambda original: likeness(original, sources))
        if not likeness(original, sources):
            look_at[file.path].append("is no notebook of the course")
            continue
        if original not in course:
            continue
        if original.name in handed_in:
            look_at[original.name].append("was handed in twice: the better answers count")
        handed_in.add(original.name)
        if has_worked_on_task(cells, original):
            tasks.append(original.name)
        for exercise in original.exercises:
            reply = reply_to(exercise, original, sources, judge)
            look_at[original.name] += reply.pop("look_at")
            if results.get(exercise.name, {}).get("status") != "right":
                results[exercise.name] = reply
    lacking = [original for original in course if original.name not in handed_in]
    if lacking:
        lacks = (
            f"lacks {', '.join(one.name for one in lacking)}, and holds"
            if handed_in
            else "holds none of the notebooks:"
        )
        names = ", ".join(file.path for file in submission.files)
        look_at["submission"].append(f"{lacks} {names[:200]}")
    missing = {"status": "missing", "message": "the notebook was not handed in"}
    results |= {exercise.name: missing for original in lacking for exercise in original.exercises}
    return {
        "student": submission.student,
        "results": results,
        "look_at": {place: list(dict.fromkeys(found)) for place, found in look_at.items() if found},
        "open_tasks": tasks,
    }


@functools.cache
def every_notebook() -> list[Original]:
    """All notebooks of the course."""
    return originals([])


def likeness(original: Original, sources: list[str]) -> int:
    """How many code cells and checks of a notebook of the course a student's notebook has."""
    checks = {name for source in sources for name, _ in CHECK.findall(source)}
    names = {exercise.name for exercise in original.exercises}
    return len(set(original.sources) & set(sources)) + len(names & checks)


def has_worked_on_task(cells: list[tuple[str, str]], original: Original) -> bool:
    """Whether the student has written code or text below the text of the open task, in its cell or in others."""
    sources = [source for _, source in cells]
    starts = [i for i, source in enumerate(sources) if source.startswith(TASK_HEADING)]
    if not starts:
        return False
    task, *below = sources[starts[0] :]
    # The edition of students has other words in the task, but its last line is the same.
    if not task.endswith(original.task.split("\n")[-1]):
        return True
    return any(source and source not in original.sources for source in below)


def reply_to(exercise: ExerciseCells, original: Original, sources: list[str], judge: Judge) -> dict:
    """What is to be said of an exercise in a student's notebook. Only an answer that was written needs a process."""
    own = [source for source in sources if source not in original.sources]
    checked_in = {name: (function, source) for source in own for name, function in CHECK.findall(source)}
    function, cell = checked_in.get(exercise.name, (exercise.function, ""))
    untouched = [exercise.stub] if exercise.stub in sources else []
    defines = re.compile(rf"^(def {function}\b|{function} *=)", re.MULTILINE)
    if cell or any(defines.search(source) for source in own):
        # The cell of the exercise comes last: another one may define a function of the same name.
        cells = [*untouched, *own, cell]
        return judge.ask(
            {"exercise": exercise.name, "notebook": original.name, "function": function, "cells": cells}
        )
    if untouched:
        return {"status": "to do", "message": "nothing was written", "look_at": []}
    missing = f"lacks the exercise {exercise.name}"
    return {"status": "missing", "message": f"your notebook {missing}", "look_at": [missing]}


# --- all of them ---


def checksum_of(course: list[Original]) -> str:
    """A checksum of notebooks and checks, because what another course has graded must be graded again."""
    digest = hashlib.sha256(repr([original.sources for original in course]).encode())
    for path in sorted(Path(course_utils.exercises.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def grade_all(
    submissions: list[Submission],
    course: list[Original],
    records: Path,
    protection: list[str],
    seconds: int = SECONDS,
) -> list[dict]:
    """The records of all submissions, in their order; those that `records` has not yet are graded and written there."""
    of_course = checksum_of(course)
    keys = {one.student: one.checksum() + of_course for one in submissions}
    paths = {one.student: records / f"{file_name_of(one.student)}.json" for one in submissions}
    known = {
        student: record
        for student, path in paths.items()
        if path.is_file() and (record := json.loads(path.read_text(encoding="utf-8")))["key"] == keys[student]
    }
    print(f"{len(known)} of {len(submissions)} submissions were graded before.")
    judges: queue.SimpleQueue[Judge] = queue.SimpleQueue()
    for _ in range(WORKERS):
        judges.put(Judge(protection, seconds))

    def graded(submission: Submission) -> dict:
        judge = judges.get()
        try:
            record = {**grade(submission, course, judge), "key": keys[submission.student]}
        finally:
            judges.put(judge)
        text = json.dumps(record, indent=1)
        write_whole({paths[submission.student]: text.encode()})
        return record

    with ThreadPoolExecutor(WORKERS) as pool:
        running = [pool.submit(graded, one) for one in submissions if one.student not in known]
        try:
            for count, done in enumerate(as_completed(running), 1):
                known[done.result()["student"]] = done.result()
                bar = "#" * (30 * count // len(running))
                print(f"\r[{bar:<30}] {count} of {len(running)}", end="", flush=True)
        finally:
            print()
            pool.shutdown(cancel_futures=True)
            while not judges.empty():
                judges.get().end()
    return [known[one.student] for one in submissions]


def main() -> None:
    if not hasattr(os, "fork"):
        sys.exit(
            "make grade needs Linux or macOS, because each answer runs in a forked process; on Windows, use WSL."
        )
    parser = argparse.ArgumentParser(description="Grade what a class has handed in.")
    parser.add_argument(
        "handed_in", type=Path, help="a folder or a zip, as the learning platform hands it out"
    )
    parser.add_argument(
        "out", type=Path, help="the folder of the grades; what it holds already is not graded again"
    )
    parser.add_argument(
        "--notebooks", nargs="*", default=[], help="their numbers, such as 03 08; default: all"
    )
    arguments = parser.parse_args()
    # `make` and some shells leave a `~` as it is.
    handed_in, out = arguments.handed_in.expanduser(), arguments.out.expanduser()
    try:
        course, submissions = originals(arguments.notebooks), read_submissions(handed_in)
    except ValueError as problem:
        sys.exit(str(problem))
    # There the next command would take the grades for a student.
    if out.resolve().is_relative_to(handed_in.resolve()):
        sys.exit(f"OUT must lie outside HANDED_IN; got {str(out)!r}")
    records = out / "records"
    try:
        records.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        sys.exit(f"OUT must be a folder that can be written; got {str(out)!r} ({problem.strerror})")
    protection = sandbox(handed_in.resolve(), out.resolve())
    if not protection:
        print(UNPROTECTED, file=sys.stderr)
    graded = grade_all(submissions, course, records, protection)
    try:
        write_report(graded, course, out)
    except ValueError as problem:
        sys.exit(str(problem))
    print(f'Grades: {out / "grades.csv"}. The column "look at" names what a person should read.')


if __name__ == "__main__":
    main()
