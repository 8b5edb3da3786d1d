"""Write course_utils/models.py from the notebooks' cells tagged `model`: python -m workshop.export_models.

The imports that they need come from the first code cell of each notebook.
"""

import ast
import subprocess
import sys

import nbformat

from course_utils.files import write_whole
from course_utils.settings import NOTEBOOKS, PROJECT, course_notebooks
from workshop.notebooks import tagged_sources

MODELS = PROJECT / "course_utils" / "models.py"
HEADER = '''"""The models that later notebooks and judges need, each exactly as its notebook builds it.

`make models` writes this file from the notebooks' cells tagged `model`: change them, never this file.
"""
'''


def exported() -> str:
    """The text of course_utils/models.py, as the notebooks have it now.

    Raises ValueError if a tagged cell holds anything but classes and functions.
    """
    cells: list[str] = []
    imports: dict[str, str] = {}
    for name in (path.stem for path in course_notebooks()):
        if tagged := tagged_sources(name, "model"):
            cells += tagged
            imports |= _imports(name)
    definitions = "\n\n\n".join(cells)
    tree = ast.parse(definitions)
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef):
            raise ValueError(
                f"a cell tagged model must hold classes and functions; got {ast.unparse(node)!r}"
            )
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    lines = [line for name, line in imports.items() if name in used]
    source = "\n".join([HEADER, *lines, "\n", definitions])
    sorted_imports = _ruff("check", "--select=I", "--fix", "--quiet", source=source)
    return _ruff("format", source=sorted_imports)


def _imports(notebook: str) -> dict[str, str]:
    """Name -> the line that imports it, for all that a notebook imports in its first code cell."""
    cells = nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells
    lines: dict[str, str] = {}
    for node in ast.parse(next(cell.source for cell in cells if cell.cell_type == "code")).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            origin = f"from {node.module} " if isinstance(node, ast.ImportFrom) else ""
            lines |= {
                alias.asname or alias.name: f"{origin}import {ast.unparse(alias)}" for alias in node.names
            }
    return lines


def _ruff(*command: str, source: str) -> str:
    """What ruff makes of Python source, with the project's settings."""
    arguments = [sys.executable, "-m", "ruff", *command, f"--stdin-filename={MODELS}", "-"]
    return subprocess.run(
        arguments, input=source, capture_output=True, encoding="utf-8", check=True, cwd=PROJECT
    ).stdout


if __name__ == "__main__":
    write_whole({MODELS: exported().encode()})
