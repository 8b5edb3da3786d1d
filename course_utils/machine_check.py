"""Is this machine ready for the course? One call, every problem with its remedy."""

import importlib
import sys
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement
from packaging.version import Version

DISTRIBUTION = "generative-vision-course"
SET_UP_AGAIN = "install the course again, as README.md says; for `make lab`, delete the folder .venv first"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: `found` says what came out, `remedy` what to do if it is not `passed`."""

    name: str
    passed: bool
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        line = f"{'ok  ' if self.passed else 'NOT '} {self.name}: {self.found}"
        return line if self.passed else f"{line}\n     What to do: {self.remedy}"


@dataclass(frozen=True)
class MachineReport:
    """All checks; printed, one line each. `passed` tells whether all of them did."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def __str__(self) -> str:
        return "\n".join(str(check) for check in self.checks)


def check_machine() -> MachineReport:
    """Look at Python, the packages, the pair of torch and torchvision, the device and the data. Never raises."""
    return MachineReport((check_python(), check_packages(), check_torch_pair(), check_device(), check_data()))


def check_python() -> Check:
    """Whether the running Python is one that the course supports."""
    found = ".".join(map(str, sys.version_info[:3]))
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Check("Python", supported, found, f"install Python 3.11, 3.12 or 3.13, then {SET_UP_AGAIN}")


def check_packages() -> Check:
    """Whether everything that a notebook imports is installed, at least at the lower bound of pyproject.toml."""
    try:
        requirements = [Requirement(text) for text in metadata.requires(DISTRIBUTION) or []]
    except metadata.PackageNotFoundError:
        return Check("packages", False, "the course's own package is not installed", SET_UP_AGAIN)
    # The markers leave out what another system needs, and the extras: JupyterLab may run in another environment.
    here = [
        needed for needed in requirements if needed.marker is None or needed.marker.evaluate({"extra": ""})
    ]
    problems = [problem for requirement in here if (problem := _problem_with(requirement))]
    return Check("packages", not problems, "; ".join(problems) or "all installed", SET_UP_AGAIN)


def _problem_with(requirement: Requirement) -> str:
    try:
        # None of a package that an interrupted installation has left half there.
        version: str | None = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        version = None
    if version is None:
        return f"{requirement.name} is missing"
    if not requirement.specifier.contains(Version(version), prereleases=True):
        return f"{requirement.name} {version} does not satisfy {requirement.specifier}"
    return ""


def check_torch_pair() -> Check:
    """Whether torch and torchvision load and fit each other: the compiled part of one is built for the other."""
    try:
        # Imported here, since a broken installation is what this function looks for.
        torch = importlib.import_module("torch")
        torchvision = importlib.import_module("torchvision")
    except Exception as error:
        mismatch = "operator torchvision::nms does not exist" in str(error)
        found = "they do not fit each other" if mismatch else "they cannot be loaded"
        remedy = f"they must be installed together, as a pair: {SET_UP_AGAIN}"
        return Check("torch and torchvision", False, f"{found} ({type(error).__name__}: {error})", remedy)
    return Check("torch and torchvision", True, f"{torch.__version__} and {torchvision.__version__}")


def check_device() -> Check:
    """Which device `prepare` will choose. A CPU is enough, so this fails only where torch does."""
    try:
        environment = importlib.import_module("course_utils.environment")
        device = environment.prepare()
    except Exception as error:
        return Check("device", False, f"{type(error).__name__}: {error}", SET_UP_AGAIN)
    return Check("device", True, f"{device.type}, which is enough" if device.type == "cpu" else device.type)


def check_data() -> Check:
    """Whether the data set in use (COURSE_DATASET, else strokes) loads, which verifies its checksums if it has any."""
    try:
        data_module = importlib.import_module("course_utils.data")
        data = data_module.load_images()
        verified = "checksum right" if data.name in data_module.CLASSES else "own pictures"
    except Exception as error:
        return Check("data", False, str(error), "the sentence says it; README.md, Troubleshooting, has more")
    count = f"{len(data.train_images):,} training and {len(data.test_images):,} held-out images"
    return Check("data", True, f"{data.name}, {count}, {verified}")
