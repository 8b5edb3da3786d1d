"""pyproject.toml, constraints.txt and environment.yml say the same, and what they say is installed."""

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest
import torch
import torchvision
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[1]
PYPROJECT = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
CONSTRAINTS = (PROJECT / "constraints.txt").read_text(encoding="utf-8")
ENVIRONMENT = (PROJECT / "environment.yml").read_text(encoding="utf-8")
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
# What only these systems need cannot be written down on Linux.
ONLY_ELSEWHERE = {"appnope", "colorama", "pywinpty"}


def dependencies_of(pyproject: str) -> list[Requirement]:
    return [Requirement(line) for line in tomllib.loads(pyproject)["project"]["dependencies"]]


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
    if last != {"pip": ["--constraint constraints.txt", "--editable ."]}:
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
        ("environment", r"--editable \.", "torch", "pip must install the project with its constraints alone"),
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
    assert in_make == SpecifierSet(tomllib.loads(PYPROJECT)["project"]["requires-python"])


@pytest.mark.parametrize("line", ["torch>=2.11", "torch", "torch==2.*", "torch==1.0\nTorch==1.0"])
def test_constraints_that_are_not_exact_are_found(line):
    with pytest.raises(AssertionError, match=r"constraints\.txt"):
        pins_of(line)


def test_everything_that_the_course_pulls_in_is_pinned():
    pins = pins_of(CONSTRAINTS)
    todo, needed = dependencies_of(PYPROJECT), set()
    seen = set()
    while todo:
        requirement = todo.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        needed.add(key[0])
        for line in importlib.metadata.requires(requirement.name) or []:
            child = Requirement(line)
            extras = ["", *requirement.extras]
            if child.marker is None or any(child.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append(child)
    assert needed - set(pins) - ONLY_ELSEWHERE == set()
    if sys.platform == "linux":
        # No leftovers either: elsewhere the CUDA packages are pinned and not needed.
        assert set(pins) - needed == set()


def test_torch_and_torchvision_are_the_pinned_pair_and_fit_each_other():
    pins = pins_of(CONSTRAINTS)
    # Builds for one kind of device carry it in a suffix, as in 2.15.0+cpu.
    installed = {name: importlib.metadata.version(name).split("+")[0] for name in ("torch", "torchvision")}
    assert installed == {name: pins[name] for name in installed}
    (needs_torch,) = [
        requirement
        for requirement in map(Requirement, importlib.metadata.requires("torchvision"))
        if requirement.name == "torch"
    ]
    assert needs_torch.specifier.contains(pins["torch"])
    # The compiled part of torchvision works with this torch only if they were built for each other.
    boxes, scores = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2]]), torch.tensor([0.5, 0.9])
    assert torchvision.ops.nms(boxes, scores, iou_threshold=0.5).tolist() == [1]
