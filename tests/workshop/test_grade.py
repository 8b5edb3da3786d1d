"""Grading: what honest and hostile answers get, who is looked at, and that nobody pays for a neighbour's answer.

Each answer is that of a student to the exercise `flatten` of notebook 00, whose other two exercises are right.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import nbformat
import pytest

from course_utils.settings import NOTEBOOKS, PROJECT, course_notebooks
from workshop import grade, rehearsal, sandbox
from workshop.assignment import student_edition
from workshop.exercise_cells import open_task_in, originals
from workshop.grading_report import write_report
from workshop.submissions import HandedIn, Submission, Unreadable, cells_of, read_submissions, student_of

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="answers are judged in forked processes")

NOTEBOOK = "00_start_here"
SECONDS = 3
PROTECTION = sandbox.sandbox()
needs_bubblewrap = pytest.mark.skipif(not PROTECTION, reason="bubblewrap is missing or not allowed here")
CHECK = '\n\ncheck("flatten", flatten)'
RIGHT = "def flatten(images):\n    return images.flatten(1)" + CHECK
WRONG = "def flatten(images):\n    return images" + CHECK


class Answer(NamedTuple):
    """Cells in the place of the exercise; points of `flatten`, None if it depends on the system; what to look at."""

    cells: tuple[str, ...]
    points: int | None
    look_at: str = ""


def inside(lines: str) -> str:
    """An exercise cell whose function consists of these lines."""
    return (
        "def flatten(images):\n"
        + "\n".join(f"    {line}" for line in dedent(lines).strip().split("\n"))
        + CHECK
    )


def hostile(lines: str, points: int | None, look_at: str) -> Answer:
    return Answer((inside(lines),), points, look_at)


def stub() -> str:
    (exercise,) = [one for one in originals(["00"])[0].exercises if one.name == "flatten"]
    return exercise.stub


HONEST = {
    "right": Answer((RIGHT,), 1),
    "a helper below": Answer((inside("return rows(images)"), "def rows(x):\n    return x.flatten(1)"), 1),
    "a constant above": Answer(("first = 1", inside("return images.flatten(first)")), 1),
    "a lambda": Answer(("flatten = lambda images: images.flatten(1)" + CHECK,), 1),
    "another name": Answer(("def rows(x):\n    return x.flatten(1)\n\ncheck('flatten', rows)",), 1),
    "magics": Answer(("%matplotlib inline\n!pwd\n" + RIGHT,), 1),
    "no check": Answer((RIGHT.removesuffix(CHECK),), 1),
    "in another cell": Answer((stub(), RIGHT.removesuffix(CHECK)), 1),
    "defined twice": Answer((RIGHT, WRONG.removesuffix(CHECK)), 1),
    "in doubles": Answer((inside("return images.flatten(1).double()"),), 1),
    "an import that fails": Answer(("import no_such_library\n" + RIGHT,), 1),
    "a neighbour that cannot be read": Answer(("def (", RIGHT), 1),
    "untouched": Answer((stub(),), 0),
    "untouched, checked again": Answer((stub(), CHECK.strip()), 0),
    "a mistake": Answer((WRONG,), 0),
    "an error": Answer((inside("return images.flaten(1)"),), 0),
    "no return": Answer((inside("images.flatten(1)"),), 0),
    "a syntax error": Answer((RIGHT.replace("images)", "images"),), 0),
    "recursion": Answer((inside("return flatten(images)"),), 0),
    "a name of the notebook": Answer(("d = len([1])", inside("return images.flatten(d)")), 0, "needs a name"),
    "exercise deleted": Answer((), 0, "lacks the exercise flatten"),
    "exercise renamed": Answer((RIGHT.replace("flatten", "flat"),), 0, "lacks the exercise flatten"),
}
HOSTILE = {
    "an endless loop": hostile("while True: pass", 0, "flatten took longer"),
    "a sleep": hostile("import time\ntime.sleep(1000)", 0, "flatten took longer"),
    "millions of prints": hostile("while True: print('x' * 1000)", 0, "flatten took longer"),
    "exit": hostile("import sys\nsys.exit()", 0, "has sys"),
    "hard exit": hostile("import os\nos._exit(0)", 0, "flatten ended Python"),
    "segmentation fault": hostile("import ctypes\nctypes.string_at(0)", 0, "flatten ended Python"),
    "stack overflow": hostile("import sys\nsys.setrecursionlimit(10**9)\nreturn flatten(images)", 0, "has sys"),
    "memory": hostile(
        "import torch\ntorch.empty(6 * 2**30, dtype=torch.uint8)\nreturn images.flatten(1)",
        0 if sys.platform == "linux" else None, "",
    ),
    "a long message": hostile("raise ValueError('x' * 10**4)", 0, ""),
    "no text": hostile("raise ValueError(chr(0xD800))", 0, ""),
    "markup": hostile("raise ValueError('<script>alert(1)</script>')", 0, ""),
    "kills the judge": hostile("import os\nos.kill(os.getppid(), 9)\nreturn images", 0, "ended the process"),
    "kills its group": hostile("import os\nos.killpg(0, 9)\nreturn images", 0, "flatten ended Python"),
    "forks": hostile("import os\nfor _ in range(5): os.fork()\nreturn images.flatten(1)", None, "has os"),
    "a process that stays": hostile(
        "import subprocess\nsubprocess.Popen(['sleep', '31415'], start_new_session=True)\nreturn images.flatten(1)",
        None, "has subprocess",
    ),
    "a thread that goes on": hostile(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()\nreturn images.flatten(1)",
        None, "has threading",
    ),
    "prints Right": hostile("print('Right (flatten): all is well')\nreturn images", 0, "has the word Right"),
    "a check of its own": Answer(("def check(name, answer):\n    print('fine')", WRONG), 0, "has a check of its own"),
    "raises Right": hostile("raise AssertionError('Right')", 0, "has the word Right"),
    "equal to everything": Answer(
        ("class Any:\n    def __eq__(self, other):\n        return True", inside("return Any()")), 0, "has __eq__"
    ),
    "a tensor that lies": Answer(
        (
            "import torch\nclass Liar(torch.Tensor):\n    def __torch_function__(*given):\n        return True",
            inside("return images.as_subclass(Liar)"),
        ),
        0, "has __torch_function__",
    ),
    "patches torch.equal": hostile(
        "import torch\ntorch.equal = lambda a, b: True\nreturn images", 0, "replaces torch.equal"
    ),
    "patches the seed": hostile(
        "import torch\ntorch.manual_seed = print\nreturn images.flatten(1)", 1, "replaces torch.manual_seed"
    ),
    "patches a method": hostile("import torch\ntorch.Tensor.half = print\nreturn images", 0, "replaces Tensor.half"),
    "patches a builtin": hostile("__builtins__['len'] = lambda x: 3\nreturn images", 0, "has __builtins__"),
    "patches the exercise": hostile(
        "from course_utils.exercises import EXERCISES\n"
        "object.__setattr__(EXERCISES['flatten'], 'solution', lambda images: images)\nreturn images",
        None, "has EXERCISES",
    ),
    # These score: the points are for taking part, and a person sees them.
    "patches the engine": hostile(
        "from course_utils.exercises import engine\nengine.diagnose = lambda made: None\nreturn images", 1, "has engine"
    ),
    "asks the exercise": hostile(
        "from course_utils.exercises import EXERCISES\nreturn EXERCISES['flatten'].solution(images)", 1, "has EXERCISES"
    ),
    "reads the notebook": hostile(
        f"""
        import json
        cells = json.load(open('{NOTEBOOK}.ipynb'))['cells']
        text = ''.join(next(c for c in cells if 'def flatten' in str(c) and c['cell_type'] == 'markdown')['source'])
        names = {{}}
        exec(text.split('```python')[1].split('```')[0], names)
        return names['flatten'](images)
        """,
        1, "has exec",
    ),
    "forges the verdict": hostile(
        """
        import os
        for file in range(3, 64):
            try:
                os.write(file, b'{"status": "right", "message": "", "look_at": []}\\n')
            except OSError:
                pass
        os._exit(0)
        """,
        1, "has os",
    ),
    "forges nonsense": hostile(
        "import os\nfor file in range(3, 64):\n    try: os.write(file, b'[]\\n')\n    except OSError: pass", 0, "has os"
    ),
}  # fmt: skip
ANSWERS = HONEST | HOSTILE
# These are tried only under bubblewrap, which shall stop them; PATH stands for a file of a neighbour.
VICTIMS = {
    "deletes": inside("import os\nos.remove('PATH')"),
    "writes": inside("open('PATH', 'w').write('changed')"),
    "deletes all": inside("import pathlib, shutil\nshutil.rmtree(pathlib.Path('PATH').parents[1])"),
    "writes into the course": inside("open('written.txt', 'w').write('changed')"),
    "reads": inside("raise ValueError(open('PATH').read())"),
    "a file without end": inside(
        "import tempfile\nopen(tempfile.mktemp(), 'wb').write(bytes(2**25))\nreturn images.flatten(1)"
    ),
    "the network": inside("import socket\nassert socket.if_nameindex()[1:]\nreturn images.flatten(1)"),
}
SECRET = "a neighbour's work"


def notebook_with(cells: tuple[str, ...]) -> nbformat.NotebookNode:
    """Notebook 00 with right answers, and with these cells in the place of the exercise `flatten`."""
    notebook = nbformat.read(NOTEBOOKS / f"{NOTEBOOK}.ipynb", as_version=4)
    for exercise in reversed(originals(["00"])[0].exercises):
        own = (
            cells
            if exercise.name == "flatten"
            else (f'{exercise.solution}\ncheck("{exercise.name}", {exercise.name})',)
        )
        notebook.cells[exercise.position : exercise.position + 1] = map(nbformat.v4.new_code_cell, own)
    for cell in notebook.cells:
        cell.pop("outputs", None)
    return notebook


def hand_in(folder: Path, student: str, cells: tuple[str, ...]) -> Path:
    """A student's folder, as Moodle names it, with notebook 00."""
    place = folder / f"{student}_1_assignsubmission_file"
    place.mkdir(parents=True)
    (place / f"{NOTEBOOK}.ipynb").write_text(json.dumps(notebook_with(cells)), encoding="utf-8")
    return place


def graded(folder: Path, out: Path, protection: list[str]) -> dict[str, dict]:
    """The rows of grades.json, by student."""
    (out / "records").mkdir(parents=True, exist_ok=True)
    course = originals(["00"])
    records = grade.grade_all(read_submissions(folder), course, out / "records", protection, SECONDS)
    write_report(records, course, out)
    return {row["student"]: row for row in json.loads((out / "grades.json").read_text(encoding="utf-8"))}


def looked_at(row: dict) -> str:
    return " | ".join(found for place in row["look_at"].values() for found in place)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return tmp_path_factory.mktemp("handed_in"), tmp_path_factory.mktemp("grades")


@pytest.fixture(scope="module")
def rows(folders):
    handed_in, out = folders
    for student, answer in ANSWERS.items():
        hand_in(handed_in, student, answer.cells)
    kept = handed_in / "Zoe" / "notes.txt"
    kept.parent.mkdir()
    kept.write_text(SECRET, encoding="utf-8")
    for student, cell in VICTIMS.items() if PROTECTION else ():
        hand_in(handed_in, student, (cell.replace("PATH", str(kept)),))
    return graded(handed_in, out, sandbox.sandbox(handed_in, out))


@pytest.mark.parametrize("student", ANSWERS)
def test_an_answer_gets_its_points_and_costs_no_other_exercise_any(rows, student):
    row, answer = rows[f"{student}_1"], ANSWERS[student]
    flatten = row["points"].pop("flatten")
    assert answer.points in (None, flatten), row["results"]["flatten"]
    assert row["points"] == {"printed": 1, "squared_distance": 2}
    assert answer.look_at in looked_at(row)
    if student in HONEST and not answer.look_at:
        assert not row["look_at"]


def test_a_diagnosis_reaches_the_students_page_and_no_markup_does(rows, folders):
    (page,) = (folders[1] / "pages").glob("a_mistake*")
    assert "not yet: " in page.read_text(encoding="utf-8")
    (page,) = (folders[1] / "pages").glob("markup*")
    assert "&lt;script&gt;alert(1)" in page.read_text(encoding="utf-8")
    assert len(rows["a long message_1"]["results"]["flatten"]["message"]) <= 1000


def test_nothing_that_an_answer_has_started_is_left(rows):
    if os.getuid() == 0 and not PROTECTION:
        pytest.skip("the limit of processes does not hold for root, and bubblewrap is missing")
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 31415" not in running


@needs_bubblewrap
def test_what_an_answer_has_started_ends_with_it():
    script = """
    import os, subprocess, time
    from workshop.judging import end_all_of
    stray = subprocess.Popen(["sleep", "31415"], start_new_session=True)
    child = os.fork()
    if child == 0:
        time.sleep(31415)
    end_all_of(child)
    os.waitpid(child, 0)
    print(stray.wait(timeout=5))
    """
    command = [*PROTECTION, sys.executable, "-c", dedent(script)]
    assert subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False).stdout == "-9\n"


@needs_bubblewrap
def test_answers_can_neither_write_nor_delete_nor_read_what_others_handed_in(rows, folders):
    kept = folders[0] / "Zoe" / "notes.txt"
    assert kept.read_text(encoding="utf-8") == SECRET
    assert not (NOTEBOOKS / "written.txt").exists()
    for student in VICTIMS:
        row = rows[f"{student}_1"]
        assert row["points"] == {"printed": 1, "flatten": 0, "squared_distance": 2} and row["look_at"]
        assert SECRET not in str(row)


@needs_bubblewrap
def test_the_sandbox_shows_neither_home_nor_what_is_hidden_and_nothing_can_be_written():
    def said(*words: str) -> str:
        command = [*sandbox.sandbox(NOTEBOOKS), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    assert said("ls", str(NOTEBOOKS)) == ""
    assert "course_utils" in said("ls", str(PROJECT))
    for place in (PROJECT / "written.txt", Path("/var/tmp") / f"written-{os.getpid()}"):
        said("touch", str(place))
        assert not place.exists()
    bound = {str(path) for path in (PROJECT, sys.prefix, sys.base_prefix)}
    home = {str(Path.home() / name) for name in said("ls", "-A", str(Path.home())).split("\n") if name}
    assert all(any(path.startswith(shown) for path in bound) for shown in home)


# --- what a platform hands out ---


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("Anna Muster_4711_assignsubmission_file/08_vae.ipynb", "Anna Muster_4711"),
        ("Anna Muster_4711_assignsubmission_file_/my work/08_vae.ipynb", "Anna Muster_4711"),
        ("Anna Muster_4711_assignsubmission_file_08_vae.ipynb", "Anna Muster_4711"),
        ("Participant_7_assignsubmission_onlinetext/onlinetext.html", "Participant_7"),
        ("musteranna_4711_90210_08_vae.ipynb", "musteranna_4711"),
        ("musteranna_LATE_4711_90211_08_vae-1.ipynb", "musteranna_4711"),
        ("LATE_anon_x7Qz1_90210_08_vae.ipynb", "anon_x7Qz1"),
        ("Anna Muster/08_vae.ipynb", "Anna Muster"),
        ("Anna Muster.ipynb", "Anna Muster"),
    ],
)
def test_students_are_found_in_the_names_of_moodle_and_canvas(path, student):
    assert student_of(path) == student


def test_a_folder_and_its_zip_hold_the_same_submissions_without_what_the_system_left(tmp_path):
    for path in (
        "Anna/08.ipynb",
        "Anna/.ipynb_checkpoints/08-checkpoint.ipynb",
        "__MACOSX/Anna/._08.ipynb",
        "Ben/07.ipynb",
    ):
        (tmp_path / "in" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / path).write_text("{}", encoding="utf-8")
    archive = Path(shutil.make_archive(str(tmp_path / "in"), "zip", tmp_path / "in"))
    for place in (tmp_path / "in", archive):
        found = read_submissions(place)
        assert [[file.path for file in one.files] for one in found] == [["Anna/08.ipynb"], ["Ben/07.ipynb"]]
    with pytest.raises(ValueError, match="HANDED_IN must be a folder or a zip; got"):
        read_submissions(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("paths", "students"),
    [
        (
            ["Anna_1_assignsubmission_file/08.ipynb", "Ben_2_assignsubmission_file/08.ipynb"],
            ["Anna_1", "Ben_2"],
        ),
        (["Anna_1_assignsubmission_file/08.ipynb"], ["Anna_1"]),
        (["anna_1_9_08.ipynb", "ben_2_9_08.ipynb"], ["anna_1", "ben_2"]),
        (["Anna/08.ipynb", "Ben/08.ipynb"], ["Anna", "Ben"]),
        (["Anna.ipynb", "Ben.ipynb"], ["Anna", "Ben"]),
        (["Anna/08.ipynb", "Ben.ipynb"], ["Anna", "Ben"]),
        (["Anna/08.ipynb", "Ben/08.ipynb", "08_vae.ipynb"], ["08_vae", "Anna", "Ben"]),
        (
            ["Anna_1_assignsubmission_file/08.ipynb", "Ben_2_assignsubmission_file/08.ipynb", "08.ipynb"],
            ["08", "Anna_1", "Ben_2"],
        ),
    ],
)
@pytest.mark.parametrize("outer", ["", "submissions", "export/submissions"])
def test_a_folder_around_the_whole_class_is_no_student(tmp_path, paths, students, outer):
    for path in paths:
        (tmp_path / outer / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / outer / path).touch()
    assert [one.student for one in read_submissions(tmp_path)] == students


@pytest.mark.parametrize(
    "paths",
    [
        ["Anna/08.ipynb", "Anna/03.ipynb"],
        ["Anna/work/08.ipynb", "Anna/work/03.ipynb", "Anna/notes.txt"],
        ["Anna/08.ipynb", "Anna/more/03.ipynb"],
        ["Anna_assignsubmission_file/a/08.ipynb", "Anna_assignsubmission_file/b/03.ipynb"],
    ],
)
def test_a_class_of_one_student_stays_one(tmp_path, paths):
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert [one.student for one in read_submissions(tmp_path)] == ["Anna"]


@pytest.mark.parametrize("path", ["", "Anna", "in/Anna/notes.txt", "notes.txt"])
def test_folders_without_a_notebook_come_to_an_end(tmp_path, path):
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    if path.endswith(".txt"):
        (tmp_path / path).touch()
        assert len(read_submissions(tmp_path)) == 1
    else:
        (tmp_path / path).mkdir(exist_ok=True)
        with pytest.raises(
            ValueError, match=r"HANDED_IN must hold what students handed in; .* holds no files"
        ):
            read_submissions(tmp_path)


def test_a_zip_made_by_windows_has_the_same_students(tmp_path):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for path in ("in\\Anna\\", "in\\Anna\\03.ipynb", "in\\Anna\\08.ipynb", "in\\Ben\\08.ipynb"):
            archive.writestr(path, "" if path.endswith("\\") else "{}")
    found = read_submissions(tmp_path / "in.zip")
    assert [[file.path for file in one.files] for one in found] == [
        ["Anna/03.ipynb", "Anna/08.ipynb"],
        ["Ben/08.ipynb"],
    ]
    assert found[0].files[0].content() == b"{}"


def test_a_student_may_hand_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "Anna_1_assignsubmission_file_work.zip", "w") as archive:
        archive.writestr(
            "work/08.ipynb", '{"cells": [{"cell_type": "code", "source": ["a = 1\\n", "b = 2"]}]}'
        )
        archive.writestr("work/notes.txt", "notes")
    (submission,) = read_submissions(tmp_path)
    (notebook,) = submission.notebooks()
    assert cells_of(notebook) == [("code", "a = 1\nb = 2")]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"cells": [null]}', b'{"cells": 3}', b"[" * 10**5, b"\xff\xfe"]
)
def test_what_is_no_notebook_is_said_to_be_none(content):
    with pytest.raises(Unreadable, match="cannot be read"):
        cells_of(HandedIn("a.ipynb", len(content), lambda: content))
    with pytest.raises(Unreadable, match="is larger than 32 MB"):
        cells_of(HandedIn("a.ipynb", 10**8, lambda: pytest.fail("it was read")))


def test_a_damaged_file_stops_nothing():
    def damaged() -> bytes:
        raise zipfile.BadZipFile("bad CRC")

    handed_in = [
        HandedIn("a.ipynb", 3, damaged),
        HandedIn("b.zip", 3, lambda: b"PK?"),
        HandedIn("c.zip", 3, damaged),
    ]
    submission = Submission("Anna", handed_in)
    assert len(submission.checksum()) == 64
    found = list(submission.notebooks())
    assert [file.path for file in found] == ["a.ipynb", "b.zip", "c.zip"]
    for file in found:
        with pytest.raises(Unreadable, match="cannot be read"):
            cells_of(file)


# --- the whole command ---


class Generous:
    """Stands for the process that judges: whatever is asked is right."""

    def ask(self, job):
        return {"status": "right", "message": "", "look_at": []}


def record_of(files: dict[str, str], numbers: tuple[str, ...] = ("00",)) -> dict:
    handed_in = [HandedIn(path, len(text), text.encode) for path, text in files.items()]
    return grade.grade(Submission("Anna", handed_in), originals([*numbers]), Generous())


def test_who_hands_in_no_notebook_of_the_course_is_looked_at():
    assert "holds none of the notebooks: 00.py" in looked_at(record_of({"00.py": "print(1)"}))
    foreign = json.dumps({"cells": [{"cell_type": "code", "source": "print(1)"}]})
    assert "is no notebook of the course" in looked_at(record_of({"00.ipynb": foreign}))
    assert "cannot be read" in looked_at(record_of({"00.ipynb": "no JSON"}))
    another = json.dumps(nbformat.read(NOTEBOOKS / "03_autoencoder_mlp.ipynb", as_version=4))
    assert looked_at(record_of({"03.ipynb": another})) == "holds none of the notebooks: 03.ipynb"


def test_what_was_not_handed_in_or_cannot_be_opened_is_looked_at_and_stands_on_the_page(tmp_path):
    handed_in = {"00.ipynb": json.dumps(notebook_with((RIGHT,))), "rest.zip": "PK?", "04.ipynb.txt": "{}"}
    record = record_of(handed_in, ("00", "04"))
    assert record["look_at"] == {
        "rest.zip": ["cannot be read (JSONDecodeError)"],
        "submission": ["lacks 04_transpose_convolution, and holds 00.ipynb, rest.zip, 04.ipynb.txt"],
    }
    write_report([record], originals(["00", "04"]), tmp_path)
    (page,) = (tmp_path / "pages").iterdir()
    lacking = len(originals(["04"])[0].exercises)
    assert page.read_text(encoding="utf-8").count("missing: the notebook was not handed in") == lacking > 0


def test_a_notebook_counts_under_any_name_and_of_two_the_better_answers():
    untouched = json.dumps(nbformat.read(NOTEBOOKS / f"{NOTEBOOK}.ipynb", as_version=4))
    record = record_of(
        {"my notebook (1).ipynb": json.dumps(notebook_with((RIGHT,))), "my notebook.ipynb": untouched}
    )
    assert {result["status"] for result in record["results"].values()} == {"right"}
    assert "was handed in twice" in looked_at(record)
    record = record_of({"untouched.ipynb": untouched})
    assert {result["status"] for result in record["results"].values()} == {"to do"} and not record["look_at"]


@pytest.mark.parametrize("path", course_notebooks(), ids=lambda path: path.stem)
def test_an_open_task_is_worked_on_once_anything_is_written_below_its_text(path):
    (original,) = originals([path.name[:2]])
    edition = student_edition(path, {path.name})
    cells = [(cell.cell_type, cell.source) for cell in edition.cells]
    task = open_task_in(edition.cells)
    assert not grade.has_worked_on_task([*cells, ("markdown", ""), ("code", "")], original)
    assert not grade.has_worked_on_task([("markdown", "Mine."), *cells], original)
    assert grade.has_worked_on_task([*cells, ("markdown", "My answer: no.")], original)
    assert grade.has_worked_on_task([*cells, ("code", "answer = 1")], original)
    cells[task] = ("markdown", cells[task][1] + "\n\nMy answer: no.")
    assert grade.has_worked_on_task(cells, original)


def test_points_that_a_person_gave_for_an_open_task_are_added(tmp_path):
    notebook = nbformat.read(NOTEBOOKS / f"{NOTEBOOK}.ipynb", as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("my_measurement = 1"))
    record = record_of({"00.ipynb": json.dumps(notebook)})
    assert record["open_tasks"] == [NOTEBOOK]
    record["student"] = '=Anna, "the" <b>'
    write_report([record], originals(["00"]), tmp_path)
    with (tmp_path / "open_tasks.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines))
    assert len(rows) == 1 + len(originals(["00"])[0].rubric)
    assert rows[1][0].startswith("'="), "a spreadsheet would take the name for a formula"
    rows[1][3], rows[2][3] = "2", "1"
    with (tmp_path / "open_tasks.csv").open("w", encoding="utf-8-sig", newline="") as lines:
        csv.writer(lines).writerows([*rows, []])
    for _ in range(2):  # they stay
        write_report([record], originals(["00"]), tmp_path)
        (row,) = json.loads((tmp_path / "grades.json").read_text(encoding="utf-8"))
        assert (row["open_task_points"], row["total"]) == (3, 3)
    # Those for a notebook of another week stay in the file, and count when that is graded.
    of_another_week = [rows[1][0], "08_vae", "a part", "2"]
    with (tmp_path / "open_tasks.csv").open("w", encoding="utf-8-sig", newline="") as lines:
        csv.writer(lines).writerows([*rows, of_another_week])
    write_report([record], originals(["00"]), tmp_path)
    (row,) = json.loads((tmp_path / "grades.json").read_text(encoding="utf-8"))
    assert (row["open_task_points"], row["total"]) == (3, 3)
    assert "08_vae" not in next((tmp_path / "pages").glob("*.html")).read_text(encoding="utf-8")
    with (tmp_path / "open_tasks.csv").open(encoding="utf-8-sig", newline="") as lines:
        assert of_another_week in list(csv.reader(lines))
    for content, problem in (
        (b"student,notebook,part,points\na,b,c,lots", "must hold whole points from 0 to 2; got 'lots'"),
        (
            b"student;notebook;part;points\na;b;c;2",
            "must have 4 columns with commas between them; got 'a;b;c;2'",
        ),
        ("student,notebook,part,points\nZoë,b,c,2".encode("cp1252"), "must be saved as CSV UTF-8"),
        ("student\tnotebook\tpart\tpoints\na\tb\tc\t2".encode("utf-16"), "must be saved as CSV UTF-8"),
    ):
        (tmp_path / "open_tasks.csv").write_bytes(content)
        with pytest.raises(ValueError, match=problem):
            write_report([record], originals(["00"]), tmp_path)


def test_the_pages_of_students_who_are_gone_go_and_no_other_file(tmp_path):
    anna = record_of({"00.ipynb": json.dumps(notebook_with((RIGHT,)))})
    write_report([anna, {**anna, "student": "Ben"}], originals(["00"]), tmp_path)
    (tmp_path / "pages" / "mine.html").touch()
    write_report([anna], originals(["00"]), tmp_path)
    assert [path.name[:4] for path in sorted((tmp_path / "pages").glob("*.html"))] == ["Anna", "mine"]


def test_without_bubblewrap_it_warns_and_what_was_graded_is_not_graded_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    monkeypatch.setattr(grade, "WORKERS", 1)
    handed_in, out = tmp_path / "handed_in", tmp_path / "grades"
    monkeypatch.setattr("sys.argv", ["grade", str(handed_in), str(out), "--notebooks", "00"])
    names = ['Ann, "the" O\'Neil', "<script>alert(1)</script>".replace("/", "|"), "Zoë 😀"]
    for name in names:
        hand_in(handed_in, name, (RIGHT,))
    grade.main()
    said = capsys.readouterr()
    assert "0 of 3 submissions were graded before" in said.out and said.err.count(sandbox.UNPROTECTED) == 1
    with (out / "grades.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = {row["student"]: row for row in csv.DictReader(lines)}
    assert {row["total"] for row in rows.values()} == {"4"} and set(rows) == {f"{name}_1" for name in names}
    assert not any("<script>" in page.read_text(encoding="utf-8") for page in (out / "pages").iterdir())

    # What was killed half way has its record or has it not; one that was changed is graded again.
    asked = []
    monkeypatch.setattr(
        sandbox.Judge,
        "ask",
        lambda self, job: asked.append(job) or {"status": "", "message": "", "look_at": []},
    )
    (changed,) = handed_in.glob("Zo*/*.ipynb")
    changed.write_text(changed.read_text(encoding="utf-8") + " ", encoding="utf-8")
    next((out / "records").glob("Ann*")).unlink()
    grade.main()
    assert "1 of 3 submissions were graded before" in capsys.readouterr().out
    assert len(asked) == 6


def test_a_rehearsal_holds_right_empty_and_hostile_submissions(tmp_path, monkeypatch):
    monkeypatch.setattr(rehearsal, "STUDENTS", 2)
    rehearsal.write_class(tmp_path)
    assert [one.student for one in read_submissions(tmp_path)] == ["Student 00_1000", "Student 01_1001"]
    (hostile,) = tmp_path.glob("Student 00*/00*.ipynb")
    assert rehearsal.HOSTILE[0] in hostile.read_text(encoding="utf-8")
    kinds = [set(rehearsal.kinds_of(number, 50)) for number in (7, 12, 13, 14)]
    assert kinds == [{"right", "hostile"}, {"right"}, {"untouched"}, {"right", "wrong", "untouched"}]


def test_a_rehearsal_wants_a_new_folder(tmp_path, monkeypatch):
    (tmp_path / "mine.txt").touch()
    for out in (tmp_path, tmp_path / "mine.txt"):
        monkeypatch.setattr("sys.argv", ["rehearsal", str(out)])
        with pytest.raises(SystemExit, match=f"OUT must be a folder that is new or empty; got '{out}'"):
            rehearsal.main()


def test_the_folder_of_the_grades_lies_outside_what_was_handed_in_and_is_a_folder(tmp_path, monkeypatch):
    handed_in, file = tmp_path / "in", tmp_path / "file"
    hand_in(handed_in, "Anna", (RIGHT,))
    file.touch()
    for out, said in (
        (handed_in, "OUT must lie outside HANDED_IN; got"),
        (handed_in / "grades", "OUT must lie outside HANDED_IN; got"),
        (file, "OUT must be a folder that can be written; got"),
        (file / "grades", "OUT must be a folder that can be written; got"),
    ):
        monkeypatch.setattr("sys.argv", ["grade", str(handed_in), str(out), "--notebooks", "00"])
        with pytest.raises(SystemExit, match=f"{said} '{out}'"):
            grade.main()
    assert [path.name for path in handed_in.iterdir()] == ["Anna_1_assignsubmission_file"]


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["grade", "~/nothing", "~/grades", "--notebooks", "00"])
    with pytest.raises(SystemExit, match=f"must be a folder or a zip; got '{tmp_path}/nothing'"):
        grade.main()


@pytest.mark.skipif(not (PROJECT / ".git").exists(), reason="the course lies here without its history")
def test_git_ignores_what_the_commands_of_the_readme_leave_in_the_clone():
    names = [
        "handout/00.ipynb",
        "handout.zip",
        "submissions.zip",
        "submissions/Anna/00.ipynb",
        "grades/grades.csv",
    ]
    ignored = subprocess.run(
        ["git", "check-ignore", "--no-index", *names],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ignored.stdout.split() == names


def test_on_windows_it_says_so_in_one_sentence(monkeypatch):
    monkeypatch.delattr(os, "fork")
    with pytest.raises(SystemExit, match="make grade needs Linux or macOS"):
        grade.main()
