"""The machine check: each thing that can be wrong is recognised, with its remedy, and nothing raises."""

import sys
import tomllib
from importlib import metadata

import pytest
from packaging.specifiers import SpecifierSet

from course_utils import machine_check
from course_utils.machine_check import check_machine, check_python
from course_utils.settings import PROJECT


def failed(report):
    return [check for check in report.checks if not check.passed]


def test_this_machine_is_ready():
    report = check_machine()
    assert report.passed, str(report)
    assert [check.name for check in report.checks] == [
        "Python",
        "packages",
        "torch and torchvision",
        "device",
        "data",
    ]
    assert "NOT" not in str(report)


def test_an_old_python_is_named(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 6, "final", 0))
    (problem,) = failed(check_machine())
    assert str(problem).startswith("NOT  Python: 3.9.6\n     What to do: install Python 3.11, 3.12 or 3.13")


@pytest.mark.parametrize("minor", range(8, 20))
def test_the_supported_pythons_are_those_of_the_project(monkeypatch, minor):
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    supported = SpecifierSet(project["requires-python"]).contains(f"3.{minor}.0")
    monkeypatch.setattr(sys, "version_info", (3, minor, 0, "final", 0))
    check = check_python()
    assert check.passed == supported == (f"3.{minor}" in check.remedy)


def test_missing_and_old_packages_are_named(monkeypatch):
    installed = metadata.version

    def version(name):
        if name == "anywidget":
            raise metadata.PackageNotFoundError(name)
        return "2.1.0" if name == "torch" else installed(name)

    monkeypatch.setattr(machine_check.metadata, "version", version)
    (problem,) = failed(check_machine())
    assert "torch 2.1.0 does not satisfy >=" in problem.found
    assert "anywidget is missing" in problem.found
    assert "make lab" in problem.remedy


def test_a_package_of_which_an_interrupted_installation_left_a_part_is_missing(monkeypatch):
    monkeypatch.setattr(machine_check.metadata, "version", lambda name: None)
    monkeypatch.setattr(machine_check.metadata, "requires", lambda name: ["torch>=2"])
    assert machine_check.check_packages().found == "torch is missing"


def test_what_only_an_extra_or_another_system_needs_is_not_missed(monkeypatch):
    lines = ["no-such-package; extra == 'lab'", "no-such-package>=2; sys_platform == 'amiga'"]
    monkeypatch.setattr(machine_check.metadata, "requires", lambda name: lines)
    assert machine_check.check_packages().passed
    monkeypatch.setattr(machine_check.metadata, "requires", lambda name: ["no-such-package; extra == ''"])
    assert machine_check.check_packages().found == "no-such-package is missing"


def test_a_course_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(machine_check, "DISTRIBUTION", "no-such-course")
    (problem,) = failed(check_machine())
    assert problem.found == "the course's own package is not installed"


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (RuntimeError("operator torchvision::nms does not exist"), "they do not fit each other"),
        (ModuleNotFoundError("No module named 'torchvision'"), "they cannot be loaded"),
    ],
)
def test_a_torch_and_a_torchvision_that_do_not_fit_are_recognised(monkeypatch, error, found):
    import_module = machine_check.importlib.import_module

    def import_unless_torchvision(name):
        if name == "torchvision":
            raise error
        return import_module(name)

    monkeypatch.setattr(machine_check.importlib, "import_module", import_unless_torchvision)
    (problem,) = failed(check_machine())
    assert problem.name == "torch and torchvision" and problem.found.startswith(found)
    assert "installed together, as a pair" in problem.remedy


def test_data_that_cannot_be_loaded_are_named(monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", "letters")
    (problem,) = failed(check_machine())
    assert problem.name == "data" and "name must be one of" in problem.found
