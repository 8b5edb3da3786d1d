"""pyproject.toml, constraints.txt and environment.yml say the same, and what they say is installed."""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import torch
import torchvision
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from course_utils.settings import OWN, PROJECT, own_folder

PYPROJECT = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
CONSTRAINTS = (PROJECT / "constraints.txt").read_text(encoding="utf-8")
ENVIRONMENT = (PROJECT / "environment.yml").read_text(encoding="utf-8")
WORKFLOW = (PROJECT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
# What only these systems need cannot be written down on Linux.
ONLY_ELSEWHERE = {"appnope", "colorama", "pywinpty"}
SUPPORTED = SpecifierSet(tomllib.loads(PYPROJECT)["project"]["requires-python"])
PYTHONS = [python for minor in range(30) if (python := f"3.{minor}") in SUPPORTED]
# For tests that hold only where the exact versions of constraints.txt are installed.
pinned = pytest.mark.pinned


def dependencies_of(pyproject: str) -> list[Requirement]:
    """What the project needs, its extras included."""
    project = tomllib.loads(pyproject)["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(line) for lines in lists for line in lines]


def pins_of(constraints: str) -> dict[str, str]:
    """Name -> version of a file that may hold nothing but exact versions, each name once."""
    pins = {}
    for line in constraints.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.!_-]+)", line)
        assert match, f"constraints.txt: {line!r} is not an exact version"
        name = canonicalize_name(match[1])
        assert name not in pins, f"constraints.txt: {name} is pinned twice"
        pins[name] = match[2]
    return pins


def differences(pyproject: str, constraints: str, environment: str) -> list[str]:
    """Every way in which the three files contradict each other, as a sentence."""
    pins = pins_of(constraints)
    dependencies = dependencies_of(pyproject)
    found = []
    for dependency in dependencies:
        pin = pins.get(canonicalize_name(dependency.name))
        if pin is None:
            found.append(f"{dependency.name} is not pinned")
        elif not dependency.specifier.contains(pin):
            found.append(f"{dependency.name} is pinned at {pin}, outside {dependency.specifier}")
        if [clause.operator for clause in dependency.specifier] != [">="]:
            found.append(f"{dependency.name} must have a lower bound alone; it has {dependency.specifier}")
    *conda, last = yaml.safe_load(environment)["dependencies"]
    python = [name.removeprefix("python=") for name in conda if name.startswith("python=")]
    if len(python) != 1 or len(conda) != 2 or "pip" not in conda:
        found.append(f"conda must install python and pip alone; it installs {conda}")
    if last != {"pip": ["--constraint constraints.txt", "--editable .[lab,test]"]}:
        found.append(f"pip must install the project with its constraints alone; it is given {last}")
    supported = SpecifierSet(tomllib.loads(pyproject)["project"]["requires-python"])
    found += [f"Python {version} is outside {supported}" for version in python if version not in supported]
    return found


def test_the_files_agree():
    assert differences(PYPROJECT, CONSTRAINTS, ENVIRONMENT) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("constraints", r"nbval==.*\n", "", "nbval is not pinned"),
        ("constraints", r"torch==.*", "torch==2.10.0", "torch is pinned at 2.10.0, outside >=2.11"),
        ("pyproject", r'"numpy>=2.0"', '"numpy>=2.0,<3"', "numpy must have a lower bound alone; it has"),
        ("environment", r"  - pip\n", "  - pip\n  - numpy\n", "conda must install python and pip alone"),
        ("pyproject", r'"nbval>=0.11"', '"nbval"', "nbval must have a lower bound alone; it has"),
        (
            "environment",
            r"--editable \.\[lab,test\]",
            "torch",
            "pip must install the project with its constraints alone",
        ),
        ("environment", r"python=3.12", "python=3.14", r"Python 3.14 is outside <3.14,>=3.11"),
    ],
)
def test_a_contradiction_is_found(file, old, new, complaint):
    files = {"pyproject": PYPROJECT, "constraints": CONSTRAINTS, "environment": ENVIRONMENT}
    files[file], count = re.subn(old, new, files[file], count=1)
    assert count == 1
    (found,) = differences(**files)
    assert found.startswith(complaint)


def test_make_looks_for_the_supported_pythons():
    lowest, above = re.search(r"not \((\d+, \d+)\) <= sys.version_info < \((\d+, \d+)\)", MAKEFILE).groups()
    in_make = SpecifierSet(f">={lowest.replace(', ', '.')},<{above.replace(', ', '.')}")
    assert in_make == SUPPORTED


def test_ci_tries_every_supported_python_and_system():
    jobs = yaml.safe_load(WORKFLOW)["jobs"]
    tried = jobs["make"]["strategy"]["matrix"]["include"]
    assert [job["python"] for job in tried if job["os"] == "ubuntu-latest"] == PYTHONS
    systems = {job["os"] for job in tried} | {jobs["conda-on-windows"]["runs-on"]}
    assert systems == {"ubuntu-latest", "macos-latest", "windows-latest"}


@pytest.mark.parametrize("line", ["torch>=2.11", "torch", "torch==2.*", "torch==1.0\nTorch==1.0"])
def test_constraints_that_are_not_exact_are_found(line):
    with pytest.raises(AssertionError, match=r"constraints\.txt"):
        pins_of(line)


def needed_by(requirement: Requirement) -> list[Requirement]:
    """What it needs in turn with any of the supported Pythons, which need not be the one that runs here."""
    try:
        lines = importlib.metadata.requires(requirement.name) or []
    except importlib.metadata.PackageNotFoundError:
        # Not installed, because only another Python needs it; it must be pinned all the same.
        return []
    environments = [
        {"extra": extra, "python_version": python, "python_full_version": f"{python}.0"}
        for extra in ("", *requirement.extras)
        for python in PYTHONS
    ]
    children = [Requirement(line) for line in lines]
    return [
        child
        for child in children
        if child.marker is None or any(child.marker.evaluate(environment) for environment in environments)
    ]


@pinned
def test_everything_that_the_course_pulls_in_is_pinned():
    pins = pins_of(CONSTRAINTS)
    todo, needed = dependencies_of(PYPROJECT), set()
    seen = set()
    while todo:
        requirement = todo.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key not in seen:
            seen.add(key)
            needed.add(key[0])
            todo += needed_by(requirement)
    assert needed - set(pins) - ONLY_ELSEWHERE == set()
    if sys.platform == "linux" and importlib.util.find_spec("sphinx"):
        # No leftovers either: elsewhere the CUDA packages are pinned and not needed, without [site] those of Sphinx.
        assert set(pins) - needed == set()


# Builds for one kind of device carry it in a suffix, as in 2.15.0+cpu.
PAIR = {name: importlib.metadata.version(name).split("+")[0] for name in ("torch", "torchvision")}


@pinned
def test_torch_and_torchvision_are_the_pinned_pair():
    pins = pins_of(CONSTRAINTS)
    assert {name: pins[name] for name in PAIR} == PAIR


def test_torch_and_torchvision_fit_each_other():
    (needs_torch,) = [
        requirement
        for requirement in map(Requirement, importlib.metadata.requires("torchvision"))
        if requirement.name == "torch"
    ]
    assert needs_torch.specifier.contains(PAIR["torch"])
    # The compiled part of torchvision works with this torch only if they were built for each other.
    boxes, scores = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2]]), torch.tensor([0.5, 0.9])
    assert torchvision.ops.nms(boxes, scores, iou_threshold=0.5).tolist() == [1]


def test_what_colab_has_is_enough_for_the_course():
    core = map(Requirement, tomllib.loads(PYPROJECT)["project"]["dependencies"])
    needed = {canonicalize_name(one.name): one.specifier for one in core}
    pins = pins_of((PROJECT / "workshop" / "colab.txt").read_text(encoding="utf-8"))
    assert {"ipywidgets", "numpy"} <= pins.keys()
    assert not [name for name, pin in pins.items() if name in needed and not needed[name].contains(pin)]


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_work_copies_what_is_missing_and_leaves_the_rest(tmp_path):
    (tmp_path / "notebooks").mkdir()
    for name in ("00.ipynb", "01.ipynb"):
        (tmp_path / "notebooks" / name).write_text("new")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "00.ipynb").write_text("mine")
    subprocess.run(["make", f"--makefile={PROJECT / 'Makefile'}", "work"], cwd=tmp_path, check=True)
    assert {path.name: path.read_text() for path in (tmp_path / "work").iterdir()} == {
        "00.ipynb": "mine",
        "01.ipynb": "new",
    }


def test_a_test_run_leaves_the_models_of_the_reader_alone():
    assert own_folder() != OWN
