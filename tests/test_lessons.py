"""What makes a notebook a lesson: a plan that fits, a short core, numbers, exercises without answers, references."""

import ast
import re
from itertools import pairwise

import nbformat
import pytest

from course_utils.exercises import EXERCISES
from course_utils.settings import PROJECT, course_notebooks
from workshop.lessons import lesson_of, tags, without_exercises, words
from workshop.times import README, readme_row

CORE_CELLS, CORE_MINUTES, PREDICTIONS, CORE_WORDS = range(20, 31), range(25, 46), 3, 3_000
# Notebook 00 prepares the first lesson, and is read in the same sitting: it must be shorter.
CORE_OF_START = {"00_start_here": (range(15, 26), range(15, 25))}


@pytest.fixture(params=course_notebooks(), ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def lesson(path):
    return lesson_of(path)


@pytest.fixture
def cells(path):
    return nbformat.read(path, as_version=4).cells


def test_the_plan_names_every_section_in_its_order(lesson):
    assert [title for title, _, _ in lesson.plan] == [section.title for section in lesson.sections]
    for section in lesson.sections:
        assert section.deeper == (section.path == "deeper"), section.title


def test_what_can_be_skipped_stands_after_the_core(lesson):
    kinds = [section.deeper for section in lesson.sections]
    assert kinds == sorted(kinds)
    assert any(section.path == "lecture" for section in lesson.sections)


def test_the_core_is_short(lesson):
    core = without_exercises(lesson.cells(deeper=False))
    cells, minutes = CORE_OF_START.get(lesson.name, (CORE_CELLS, CORE_MINUTES))
    assert len(core) in cells
    assert lesson.minutes(deeper=False) in minutes
    assert words(core) <= CORE_WORDS


def test_the_reader_predicts_before_results(lesson):
    core = lesson.cells(deeper=False)
    asked = [i for i, cell in enumerate(core) if "predict" in tags(cell)]
    assert len(asked) >= PREDICTIONS
    for i in asked:
        assert core[i].cell_type == "markdown" and core[i + 1].cell_type == "code", core[i].source[:60]


def test_results_are_numbers_and_no_verdicts_of_true_and_false(cells):
    for cell in cells:
        for output in cell.get("outputs", []):
            for line in output.get("text", "").split("\n"):
                assert not re.search(r":\s*(True|False)\s*$", line), line


def test_headings_do_not_skip_a_level(cells):
    levels = []
    for cell in cells:
        if cell.cell_type == "markdown":
            text = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
            levels += [len(mark) for mark in re.findall(r"^(#+) ", text, re.MULTILINE)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


# --- exercises ---

LEVELS = re.compile(r"^#{2,4} Exercise (\d+) \((\*{1,3})\)", re.MULTILINE)


def exercise_names(cells) -> list[str]:
    sources = [cell.source for cell in cells if "exercise" in tags(cell)]
    return [re.search(r'^check\("(\w+)"', source, re.MULTILINE)[1] for source in sources]


def test_exercises_say_their_level_as_they_are_declared(cells):
    texts = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    stars = [len(found) for _, found in LEVELS.findall(texts)]
    assert stars == [EXERCISES[name].level for name in exercise_names(cells)]
    assert [int(number) for number, _ in LEVELS.findall(texts)] == list(range(1, len(stars) + 1))


def test_there_is_one_open_task_at_the_end(lesson, cells):
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    (task,) = [text for text in texts if re.search(r"^#{2,3} Open task \(\*\*\*\)", text, re.MULTILINE)]
    assert "A good answer" in task
    assert [section.title for section in lesson.sections][-2:] == ["Open task (***)", "References"]


def statements(source: str) -> set[str]:
    """What a piece of code does: its expressions and statements of some length, names of variables left out."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = "_"
    found = {
        ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Assign | ast.Return | ast.Expr)
    }
    return {text.split("=", 1)[-1].removeprefix("return ").strip() for text in found}


def test_an_answer_stands_nowhere_above_its_exercise(cells):
    for i, cell in enumerate(cells):
        if "exercise" not in tags(cell):
            continue
        solution = re.search(r"```python\n(.*?)```", cells[i + 1].source, re.DOTALL)[1]
        wanted = {text for text in statements(solution) if len(text) >= 25}
        for above in cells[:i]:
            if above.cell_type == "code" and "exercise" not in tags(above):
                told = wanted & statements(above.source)
                assert not told, f"{cell.source.splitlines()[0]} is answered by {told}"


# --- the end ---


def test_the_notebook_ends_with_what_to_remember_and_references(lesson, cells):
    titles = [section.title for section in lesson.sections]
    assert "References" in titles and "What to remember" in titles
    (references,) = [section for section in lesson.sections if section.title == "References"]
    entries = re.findall(r"^- .*\]\(https?://[^)]+\)", references.cells[0].source, re.MULTILINE)
    assert 3 <= len(entries) <= 8


def test_the_instructors_guide_lists_its_page(path):
    guide = (PROJECT / "instructors" / "README.md").read_text(encoding="utf-8")
    assert len(re.findall(rf"^\| .*\({path.stem}\.md\) \|", guide, re.MULTILINE)) == 1


def test_the_head_tells_the_same_running_time_as_the_readme(path, cells):
    (row,) = readme_row(path.stem).finditer(README.read_text(encoding="utf-8"))
    assert f"**Running time:** about {row['cpu']} seconds on two CPU cores" in cells[0].source
