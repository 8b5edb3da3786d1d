"""Every link within the course leads to a file that exists and, in a notebook, to a heading that exists."""

import re
from urllib.parse import unquote

import nbformat
import pytest

from course_utils.settings import PROJECT, course_notebooks

LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#((?:[^()\s]|\([^()\s]*\))+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FOLDERS = (PROJECT, PROJECT / "classroom", PROJECT / "data", PROJECT / "instructors")
PAGES = sorted([page for folder in FOLDERS for page in folder.glob("*.md")] + course_notebooks())


def text_of(path) -> str:
    """The text of a page, without code."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    else:
        text = path.read_text(encoding="utf-8")
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def anchors_of(path) -> set[str]:
    """The anchors of a page's headings: JupyterLab's for notebooks, GitHub's for the others."""
    # Pairs of marks are emphasis or code; the stars of a level, as in (***), are stars.
    titles = [
        re.sub(r"(\*\*?|`)([^*`]+)\1", r"\2", title).strip() for title in HEADING.findall(text_of(path))
    ]
    if path.suffix == ".ipynb":
        return {title.replace(" ", "-") for title in titles}
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(path) -> list[str]:
    broken = []
    for target, anchor in LINK.findall(text_of(path)):
        page = (path.parent / unquote(target)).resolve() if target else path
        if not page.exists() or (anchor and unquote(anchor) not in anchors_of(page)):
            broken.append(f"{target}#{anchor}")
    return broken


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    assert broken_links(path) == []


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A title: one\n[a](#a-title-one) [b](#another) [c](missing.md) [d](page.md#a-title-one)\n"
    )
    assert broken_links(page) == ["#another", "missing.md#"]
