"""What a teacher and each student read of a graded class, from the records that `workshop.grade` has made.

grades.csv       a row for each student: points of each exercise, of the open tasks, their sum, and what to look at
grades.json      the same with every diagnosis
open_tasks.csv   a row for each part of a good answer to an open task that a student has worked on: a person fills in
                 the points, and the next `make grade` adds them
pages/           a page for each student, with the diagnoses and the parts of the open tasks
"""

import csv
import hashlib
import html
import io
import json
import re
from pathlib import Path

from course_utils.exercises import EXERCISES
from course_utils.files import write_whole
from workshop.exercise_cells import POINTS_OF_PART, Original
from workshop.folders import remove_what_was_made_before

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{student}</title>
<style>body {{ font: 16px/1.5 sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em }}
td, th {{ text-align: left; vertical-align: top; padding: .3em .8em .3em 0 }}</style></head>
<body><h1>{student}</h1><p>{total}</p>
<table><tr><th>exercise</th><th>points</th><th>what the check says</th></tr>
{rows}
</table></body></html>
"""
TASK_COLUMNS = ["student", "notebook", "part", f"points (0 to {POINTS_OF_PART})"]


def file_name_of(student: str) -> str:
    """A file name for a student, whatever characters the name has; different students have different ones."""
    return (
        f"{re.sub(r'[^A-Za-z0-9-]+', '_', student)[:60]}-{hashlib.sha256(student.encode()).hexdigest()[:8]}"
    )


def write_report(records: list[dict], course: list[Original], out: Path) -> None:
    """Write all files into the folder `out`. Points that a person has filled into open_tasks.csv are kept.

    Raises ValueError if one of them is no number of points.
    """
    tasks = _open_tasks(records, course, out / "open_tasks.csv")
    names = {original.name for original in course}
    exercises = [exercise.name for original in course for exercise in original.exercises]
    most = {name: EXERCISES[name].points for name in exercises}
    header = [
        "student", *(f"{name} ({points})" for name, points in most.items()),
        f"exercises ({sum(most.values())})", "open tasks", "total", "look at",
    ]  # fmt: skip
    rows, grades, pages = [], [], {}
    for record in records:
        student, results = record["student"], record["results"]
        points = {name: most[name] * (results.get(name, {}).get("status") == "right") for name in exercises}
        parts = [row for row in tasks if row[0] == _harmless(student) and row[1] in names]
        given = sum(int(row[3] or 0) for row in parts)
        total = sum(points.values()) + given
        look_at = "; ".join(f"{place}: {', '.join(found)}" for place, found in record["look_at"].items())
        rows.append([student, *points.values(), total - given, given, total, look_at])
        grades.append({**record, "points": points, "open_task_points": given, "total": total})
        path = out / "pages" / f"{file_name_of(student)}.html"
        pages[path] = _page(student, results, points, parts, total, sum(most.values()))
    (out / "pages").mkdir(exist_ok=True)
    texts = {
        **pages,
        out / "grades.csv": _csv([header, *rows]),
        out / "open_tasks.csv": _csv([TASK_COLUMNS, *tasks]),
        out / "grades.json": json.dumps(grades, indent=1),
    }
    # With a byte order mark, spreadsheets read names in UTF-8; what a message holds may be no text at all.
    coding = {".csv": "utf-8-sig"}
    write_whole({p: text.encode(coding.get(p.suffix, "utf-8"), "replace") for p, text in texts.items()})
    remove_what_was_made_before(out, {path.relative_to(out).as_posix() for path in pages})


def _open_tasks(records: list[dict], course: list[Original], file: Path) -> list[list[str]]:
    """The rows of open_tasks.csv, with the points that stand in it already."""
    points = {
        (_harmless(record["student"]), original.name, part): ""
        for record in records
        for original in course
        if original.name in record["open_tasks"]
        for part in original.rubric
    }
    if file.is_file():
        try:
            with file.open(encoding="utf-8-sig", newline="") as lines:
                rows = [row for row in csv.reader(lines) if row][1:]
        except UnicodeDecodeError:
            raise ValueError(f"{file.name} must be saved as CSV UTF-8; got another encoding") from None
        if odd := [row for row in rows if len(row) != len(TASK_COLUMNS)]:
            raise ValueError(
                f"{file.name} must have {len(TASK_COLUMNS)} columns with commas between them; got {','.join(odd[0])!r}"
            )
        # What a person gave stays, even if the text of the task is another one by now.
        points |= {(row[0], row[1], row[2]): _given(row[3]) for row in rows if row[3]}
    return [[*key, given] for key, given in points.items()]


def _page(student: str, results: dict, points: dict, parts: list[list[str]], total: int, most: int) -> str:
    """A student's page. All that comes from the student is escaped."""
    said = [
        (name, f"{points[name]} of {EXERCISES[name].points}", f"{result['status']}: {result['message']}")
        for name, result in results.items()
    ]
    said += [(f"{row[1]}, open task", f"{row[3] or '?'} of {POINTS_OF_PART}", row[2]) for row in parts]
    rows = [f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in said]
    total_line = f"{total} points; the exercises give up to {most}."
    return PAGE.format(student=html.escape(student), total=total_line, rows="\n".join(rows))


def _csv(rows: list[list]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([[_harmless(cell) for cell in row] for row in rows])
    return text.getvalue()


def _harmless(cell: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = str(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _given(points: str) -> str:
    if points not in map(str, range(POINTS_OF_PART + 1)):
        raise ValueError(f"open_tasks.csv must hold whole points from 0 to {POINTS_OF_PART}; got {points!r}")
    return points
