"""The instructor's guide fits the notebooks: nothing generated is stale, objectives are checked, what-ifs come true."""

import re

import nbformat
import pytest

from course_utils.settings import course_notebooks
from workshop import guide
from workshop.cells import Notebook
from workshop.exercise_cells import exercises_in
from workshop.guide import (
    MINUTES_OF_WHAT_IF,
    WHAT_IFS,
    WhatIf,
    objectives,
    pages,
    rewritten,
    routes,
    save_paths,
    stand_ins,
    what_ifs,
)

NAMES = [path.stem for path in course_notebooks()]
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in pages().items()}


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def test_every_notebook_has_a_page():
    assert sorted(TEXTS) == [*NAMES, "README"]


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_generated_is_up_to_date(name):
    assert rewritten(TEXTS[name], name) == TEXTS[name], "run `python -m workshop.guide`"


def test_every_objective_is_checked_and_every_exercise_checks_one(name):
    checked = objectives(TEXTS[name])
    assert 3 <= len(checked) <= 5 and all(checked.values())
    exercises = {one.name for one in exercises_in(Notebook(name).cells)}
    assert {one for names in checked.values() for one in names} == exercises


def test_homework_gives_every_exercise(name):
    (asked,) = re.findall(r"<!-- homework\n(.*?)-->", TEXTS[name], re.DOTALL)
    given = [line.split()[0] for line in asked.strip().split("\n")]
    assert sorted(given) == sorted(one.name for one in exercises_in(Notebook(name).cells))


def test_paths_fit_into_their_minutes(name):
    notebook = Notebook(name)
    for route in routes(TEXTS[name]):
        what_ifs_take = WHAT_IFS[route.minutes] * MINUTES_OF_WHAT_IF
        assert route.planned(notebook) + what_ifs_take <= route.minutes
        titles = [s.title for s in notebook.lesson.sections if s.title in route.titles]
        assert titles == route.titles, "sections in another order than in the notebook"
    core = {section.title for section in notebook.lesson.of(deeper=False)}
    assert [route.minutes for route in routes(TEXTS[name])] == [75, 25]
    assert core <= set(routes(TEXTS[name])[0].titles)


# --- what-ifs ---


def test_there_are_three_what_ifs(name):
    assert len(what_ifs(TEXTS[name])) == WHAT_IFS[75]


def test_the_unchanged_notebook_does_not_print_what_a_what_if_promises(name):
    for what_if in what_ifs(TEXTS[name]):
        assert what_if.printed, what_if.title
        assert what_if.misses(what_if.committed(Notebook(name))), what_if.title


def test_what_ifs_come_true(name, monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", "strokes")  # the guide is written for it
    page = TEXTS[name]
    for what_if in what_ifs(page):
        printed = what_if.run(Notebook(name), stand_ins(page))
        assert what_if.misses(printed) == [], f"{what_if.title}\n{printed}"


# --- how it works ---


def test_paths_are_written_without_outputs_and_the_short_one_without_exercises(tmp_path, monkeypatch):
    name = "04_transpose_convolution"
    monkeypatch.setattr(guide, "pages", lambda: {name: pages()[name]})
    save_paths(tmp_path)
    for minutes, exercises in (("75", 3), ("25", 0)):
        cells = nbformat.read(tmp_path / minutes / f"{name}.ipynb", as_version=4).cells
        assert not any(cell.get("outputs") for cell in cells)
        assert len(exercises_in(cells)) == exercises


def test_a_change_must_fit_the_cell():
    what_if = WhatIf("title", "1", [], "-a = 1\n+a = 2\n", [])
    assert what_if.changed("a = 1\nb = 1") == "a = 2\nb = 1"
    with pytest.raises(ValueError, match="once in cell 1"):
        what_if.changed("a = 3")


def test_a_number_outside_the_range_is_told():
    what_if = WhatIf("title", "1", [], "", [("error", 1, 2), ("a...variance", 3, 1e4), ("rate", 0, 1)])
    text = "error: ≈ 2.5 per image\na, mean ≈ 0.1, variance ≈ 9,000"
    assert what_if.misses(text) == ["error: 2.5, not from 1 to 2", "rate: not printed"]
