"""Build the course as a web site from the committed notebooks; nothing is executed.

python -m workshop.site      builds _site/ (make site)

The pages are opened as files or from a server, and ask no other host for anything. Sphinx makes them as `site/conf.py`
says, from the notebooks, the README and what they link to, laid out as in the repository.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import yaml

from course_utils.settings import PROJECT
from workshop.lessons import tags

SITE = PROJECT / "site"
BUILT = PROJECT / "_site"
KATEX = SITE / "node_modules" / "katex" / "dist"
NOTEBOOKS = "notebooks/*.ipynb"
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md", NOTEBOOKS)
# The file and the anchor of a link; an anchor may hold parentheses.
LINK = re.compile(r"(?<=\]\()(?!https?://|mailto:)([^)#\s]*)((?:#(?:[^()\s]|\([^()]*\))+)?)(?=\))")


def missing_tools() -> str:
    """A sentence that names what the site cannot be built without, or an empty one."""
    if importlib.util.find_spec("sphinx_book_theme") is None:
        return "the site needs the packages of the extra [site]: pip install --editable '.[site]'"
    if shutil.which("node") is None:
        return (
            "the site needs node, which makes its formulas: install it (Debian: apt-get install nodejs npm)"
        )
    if not KATEX.exists():
        return "the site needs KaTeX: run `npm ci` in the folder site"
    return ""


def with_anchors(text: str) -> str:
    """The text with each link's anchor as GitHub names it: lower case, no punctuation."""
    return LINK.sub(lambda link: link[1] + re.sub(r"[^\w#-]", "", link[2].lower()), text)


def where_to_run(name: str, repository: str | None) -> str:
    """The line of a page that says how to run its notebook, on this machine and, if it can be found, on Colab."""
    line = "To run this page: `make lab`, in JupyterLab ([two commands](../README.md#two-commands))"
    if repository and repository.startswith("https://github.com/"):
        path = repository.removeprefix("https://github.com/").strip("/")
        address = f"https://colab.research.google.com/github/{path}/blob/main/notebooks/{name}"
        line += (
            f", or [on Colab]({address}) ([how](../README.md#on-colab-or-in-an-environment-that-you-have))"
        )
    return line + "."


def page_of(notebook: nbformat.NotebookNode, run: str) -> None:
    """Change the notebook in place for its page: `run` below the title, marked deeper sections, GitHub's anchors."""
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        cell.source = with_anchors(cell.source)
        if "deeper" in tags(cell) and cell.source.startswith("## "):
            cell.source = "{.deeper}\n" + cell.source
    title, rest = notebook.cells[0].source.split("\n", 1)
    notebook.cells[0].source = f"{title}\n\n{{.run}}\n{run}\n{rest}"


def lay_out(folder: Path) -> None:
    """Fill a folder with the sources of the site."""
    shutil.copytree(SITE / "static", folder / "_static")
    shutil.copytree(
        KATEX / "fonts", folder / "_static/katex/fonts", ignore=shutil.ignore_patterns("*.ttf", "*.woff")
    )
    shutil.copy(KATEX / "katex.min.css", folder / "_static/katex")
    for file in (SITE / "conf.py", SITE / "index.md", PROJECT / "pyproject.toml"):
        shutil.copy(file, folder)
    repository = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8")).get("repository-code")
    for path in sorted(path for pattern in PAGES for path in PROJECT.glob(pattern)):
        page = folder / path.relative_to(PROJECT)
        page.parent.mkdir(exist_ok=True)
        text = path.read_text(encoding="utf-8")
        copy_linked_files(text, path, folder)
        if path.suffix == ".ipynb":
            notebook = nbformat.reads(text, as_version=4)
            page_of(notebook, where_to_run(path.name, repository))
            text = nbformat.writes(notebook)
        else:
            text = with_anchors(text)
        page.write_text(text, encoding="utf-8")


def copy_linked_files(text: str, path: Path, folder: Path) -> None:
    """Copy the pictures and programs that the page at `path` links to."""
    for target, _ in LINK.findall(text):
        file = (path.parent / target).resolve()
        if file.is_file() and file.suffix not in (".md", ".ipynb"):
            copy = folder / file.relative_to(PROJECT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)


def build(target: Path = BUILT) -> None:
    """Build the site into `target`. Raises ValueError if a tool is missing, CalledProcessError if Sphinx complains."""
    if missing := missing_tools():
        raise ValueError(missing)
    with tempfile.TemporaryDirectory() as folder:
        sources, pages = Path(folder, "sources"), Path(folder, "build", "pages")
        sources.mkdir()
        lay_out(sources)
        options = ["--quiet", "--fail-on-warning", "--keep-going", f"--doctree-dir={folder}/doctrees"]
        katex = f"--define=katex_script={SITE / 'formulas.js'}"
        subprocess.run(
            [sys.executable, "-m", "sphinx", *options, katex, str(sources), str(pages)], check=True
        )
        # The theme's script of icons would be the largest file of a page, and its style sheet draws them, too.
        (pages / "_static/scripts/fontawesome.js").write_text("")
        shutil.copytree(
            pages, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.map", ".buildinfo")
        )


def main() -> int:
    if missing := missing_tools():
        print(missing[0].upper() + missing[1:] + ".", file=sys.stderr)
        return 1
    build()
    print(f"The site is built: open {BUILT / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
