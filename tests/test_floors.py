"""Imports inside `course_utils` point downwards only: from a floor to those below it."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "course_utils"
FLOORS = (
    {"environment", "files"},
    {"strokes", "data", "drawings", "models", "probability", "toy_data"},
    {"checkpoints", "plots", "machine_check", "notebook_files", "scoreboard"},
    {"training", "judges"},
    {"explorers", "exercises"},
)
# The ground of a room: what the other files of the room stand on.
GROUNDS = {"explorers": "explorers.base", "exercises": "exercises.registry"}


def floor_of(module: str) -> int | None:
    """The floor of a module named from within the package (`data`, `explorers.base`), or None."""
    room = module.split(".")[0]
    return next((floor for floor, modules in enumerate(FLOORS) if room in modules), None)


def imported_modules(source: str) -> set[str]:
    """The modules of `course_utils` that the source imports anywhere, functions included."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written with the package's name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    inside = (name.removeprefix("course_utils.") for name in names if name.startswith("course_utils."))
    return {_module_part(name) for name in inside}


def _module_part(name: str) -> str:
    """`explorers.base.Explorer` -> `explorers.base`, `data.load_images` -> `data`."""
    room, *rest = name.split(".")
    return ".".join([room, *rest[:1]]) if room in GROUNDS else room


def complaints(module: str, source: str) -> list[str]:
    """Every import that a module may not make, as a sentence, and the module itself if it stands nowhere."""
    own_floor = floor_of(module)
    if own_floor is None:
        return [f"{module} stands on no floor: give it one in tests/test_floors.py"]
    ground = GROUNDS.get(module.split(".")[0])
    found = []
    for imported in sorted(imported_modules(source) - {ground}):
        floor = floor_of(imported)
        if floor is None or floor >= own_floor:
            found.append(f"{module} (floor {own_floor}) imports {imported} (floor {floor})")
    return found


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name: path for path in sorted(PACKAGE.rglob("*.py")) if (name := module_name(path))}


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_downwards(module):
    assert complaints(module, MODULES[module].read_text(encoding="utf-8")) == []


def test_the_package_itself_imports_nothing():
    assert imported_modules((PACKAGE / "__init__.py").read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("data", "from course_utils.plots import show"),
        ("data", "from course_utils import training"),
        ("plots", "def late():\n    import course_utils.judges"),
        ("models", "from course_utils.probability import kl"),
        ("explorers.playground", "from course_utils.explorers.data_browser import DataBrowser"),
        ("explorers.base", "from course_utils.exercises.registry import call"),
        ("exercises.start_here", "from course_utils.explorers.base import Explorer"),
        ("training", "from course_utils.unknown import thing"),
        ("new_module", ""),
    ],
)
def test_an_import_that_points_elsewhere_is_found(module, source):
    assert len(complaints(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("training", "from course_utils import plots, data"),
        ("explorers.playground", "from course_utils.explorers.base import Explorer"),
        ("exercises", "from course_utils.exercises.registry import EXERCISES"),
        ("exercises.start_here", "import torch\nfrom course_utils.data import load_images"),
    ],
)
def test_an_import_from_below_is_allowed(module, source):
    assert complaints(module, source) == []
