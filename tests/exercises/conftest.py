"""What the tests of all exercises ask of a classic mistake."""

import pytest

from course_utils.exercises import check


@pytest.fixture
def assert_own_diagnosis(capsys):
    """Asserts that an answer is told its own diagnosis, and none of those of the other `mistakes`."""

    def assert_it(name, answer, diagnosis, mistakes):
        check(name, answer)
        out = capsys.readouterr().out
        assert out.startswith(f"Not yet ({name})") and diagnosis in out
        assert sum(other in out for _, _, other in mistakes) == 1

    return assert_it
