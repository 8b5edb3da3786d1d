"""What the tests of all exercises ask of right answers, stubs and classic mistakes."""

import pytest

from course_utils.exercises import check


@pytest.fixture(autouse=True)
def not_strict(monkeypatch):
    """Checks print as they do for readers, also where the tests themselves run in strict mode."""
    monkeypatch.delenv("COURSE_STRICT", raising=False)


@pytest.fixture
def assert_told(capsys):
    """Asserts that an answer is told something: how the line begins, and what else stands in it."""

    def assert_it(name, answer, verdict, diagnosis=""):
        check(name, answer)
        printed = capsys.readouterr().out
        assert printed.startswith(f"{verdict} ({name})") and diagnosis in printed

    return assert_it


@pytest.fixture
def assert_own_diagnosis(capsys):
    """Asserts that an answer is told its own diagnosis, and none of those of the other `mistakes`."""

    def assert_it(name, answer, diagnosis, mistakes):
        check(name, answer)
        out = capsys.readouterr().out
        assert out.startswith(f"Not yet ({name})") and diagnosis in out
        assert sum(other in out for other in {other for _, _, other in mistakes}) == 1

    return assert_it
