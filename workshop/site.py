"""Build the course as a web site from the committed notebooks; nothing is executed.

python -m workshop.site      builds _site/ (make site)

The pages are opened as files or from a server, and ask no other host for anything. Sphinx makes them as `site/conf.py`
says, from the notebooks, the README and what they link to, laid out as in the repository.
"""

import base64
import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import yaml

from course_utils.plots import picture_bundle
from course_utils.settings import PROJECT, course_notebooks
from workshop.demos import DEMOS, demo_of, page_script
from workshop.folders import remove_what_was_made_before
from workshop.lessons import tags

SITE = PROJECT / "site"
BUILT = PROJECT / "_site"
KATEX = SITE / "node_modules" / "katex" / "dist"
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "data/README.md",
    "instructors/*.md",
    "classroom/README.md",
)
# The pages of the guide are found from its overview: a sidebar or a search with every notebook twice would not help.
OF_THE_GUIDE = "---\norphan: true\nnosearch: true\n---\n"
PICTURE = re.compile(r'<img ([^>]*)src="data:image/(png|svg)(?:\+xml)?;base64,([^"]*)"([^>]*)>')
# An icon in the theme's style sheet: its names and its letter in the theme's font.
ICON = re.compile(r'((?:\.fa-[\w-]+,?)+)\{--fa:"[^"]*"\}')
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


def where_to_run(name: str, repository: str | None, has_deck: bool) -> str:
    """The line of a page that leads to its notebook in JupyterLab, to Colab if the course's repository is known, and
    to its slides if there are any."""
    line = "To run this page: `make lab`, in JupyterLab ([two commands](../README.md#two-commands))"
    if repository and repository.startswith("https://github.com/"):
        path = repository.removeprefix("https://github.com/").strip("/")
        address = f"https://colab.research.google.com/github/{path}/blob/main/notebooks/{name}.ipynb"
        line += (
            f", or [on Colab]({address}) ([how](../README.md#on-colab-or-in-an-environment-that-you-have))"
        )
    return (
        f'{line}. To show it to a class: <a href="../slides/{name}.html">slides</a>.'
        if has_deck
        else f"{line}."
    )


def page_of(notebook: nbformat.NotebookNode, name: str, run: str) -> None:
    """Change the notebook `name` in place for its page: `run` below the title, marked deeper sections, live demos."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = with_anchors(cell.source)
            if "deeper" in tags(cell) and cell.source.startswith("## "):
                cell.source = "{.deeper}\n" + cell.source
        elif demo := demo_of(name, cell.source):
            for data in html_in(cell):
                data["text/html"] = live(demo, data["text/html"], root="../")
    title, rest = notebook.cells[0].source.split("\n", 1)
    notebook.cells[0].source = f"{title}\n\n{{.run}}\n{run}\n{rest}"


def html_in(cell: nbformat.NotebookNode) -> list[dict]:
    """The data of a cell's outputs that are HTML."""
    return [output.data for output in cell.get("outputs", []) if "text/html" in output.get("data", {})]


def live(demo: str, still: str, root: str) -> str:
    """A demo as HTML: its still picture and the script that replaces it. `root` is the way to the front page."""
    return f'<div data-demo="{demo}">{still}</div><script defer src="{root}_static/demos/{demo}.js"></script>'


def front_page(text: str) -> str:
    """The front page, with a demo in the place of `<!-- demo: NAME -->`."""

    def made(comment: re.Match) -> str:
        demo = DEMOS[comment[1]].make()
        return live(comment[1], picture_bundle(demo.still, demo.alt)["text/html"], root="")

    return re.sub(r"<!-- demo: (\w+) -->", made, text)


def move_pictures(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Put the pictures in the notebook's outputs into files of `folder`: a click on one shows it as large as it is."""

    def moved(image: re.Match) -> str:
        before, kind, code, after = image.groups()
        picture = base64.b64decode(code)
        name = f"{hashlib.sha256(picture).hexdigest()[:16]}.{kind}"
        (folder / name).write_bytes(picture)
        address = f"../_static/pictures/{name}"
        return f'<a href="{address}"><img {before}src="{address}"{after}></a>'

    for cell in notebook.cells:
        for data in html_in(cell):
            data["text/html"] = PICTURE.sub(moved, data["text/html"])


def lay_out(folder: Path, decks: Path) -> None:
    """Fill a folder with the sources of the site, whose pages lead to those slides that are in the folder `decks`."""
    lay_out_static(folder / "_static")
    for file in (SITE / "conf.py", PROJECT / "pyproject.toml"):
        shutil.copy(file, folder)
    (folder / "index.md").write_text(
        front_page((SITE / "index.md").read_text(encoding="utf-8")), encoding="utf-8"
    )
    repository = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8")).get("repository-code")
    pages = [path for pattern in PAGES for path in PROJECT.glob(pattern)]
    for path in [*pages, *course_notebooks()]:
        page = folder / path.relative_to(PROJECT)
        page.parent.mkdir(exist_ok=True)
        text = path.read_text(encoding="utf-8")
        copy_linked_files(text, path, folder)
        if path.suffix == ".ipynb":
            notebook = nbformat.reads(text, as_version=4)
            move_pictures(notebook, folder / "_static/pictures")
            has_deck = (decks / f"{path.stem}.html").exists()
            page_of(notebook, path.stem, where_to_run(path.stem, repository, has_deck))
            text = nbformat.writes(notebook)
        else:
            text = with_anchors(text)
            if page.match("instructors/[0-9]*"):
                text = OF_THE_GUIDE + text
        page.write_text(text, encoding="utf-8")


def lay_out_static(folder: Path) -> None:
    """Fill a folder with what the pages load: styles, fonts, and the scripts of the demos."""
    shutil.copytree(SITE / "static", folder)
    old_formats = shutil.ignore_patterns("*.ttf", "*.woff")
    shutil.copytree(KATEX / "fonts", folder / "katex/fonts", ignore=old_formats)
    shutil.copy(KATEX / "katex.min.css", folder / "katex")
    for name in ("demos", "pictures"):
        (folder / name).mkdir()
    for name in DEMOS:
        (folder / f"demos/{name}.js").write_text(page_script(name), encoding="utf-8")


def copy_linked_files(text: str, path: Path, folder: Path) -> None:
    """Copy the pictures and programs that the page at `path` links to."""
    for target, _ in LINK.findall(text):
        file = (path.parent / target).resolve()
        if file.is_file() and file.suffix not in (".md", ".ipynb"):
            copy = folder / file.relative_to(PROJECT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)


def keep_few_icons(pages: Path) -> None:
    """Leave only the icons in use, drawn with a font: all icons of the theme, as a script, are 1.6 MB for each page."""
    (pages / "_static/scripts/fontawesome.js").write_text("")
    html = "".join(path.read_text(encoding="utf-8") for path in pages.glob("*.html"))
    used = set(re.findall(r"fa-[\w-]+", html))
    style = pages / "_static/styles/pydata-sphinx-theme.css"
    rules = style.read_text(encoding="utf-8")
    rules = ICON.sub(lambda icon: icon[0] if used & set(re.findall(r"fa-[\w-]+", icon[1])) else "", rules)
    style.write_text(rules, encoding="utf-8")


def build(target: Path = BUILT) -> None:
    """Build the site into `target`, where slides may be already.

    Raises ValueError if a tool is missing, CalledProcessError if Sphinx complains.
    """
    if missing := missing_tools():
        raise ValueError(missing)
    with tempfile.TemporaryDirectory() as folder:
        sources, pages = Path(folder, "sources"), Path(folder, "build", "pages")
        sources.mkdir()
        lay_out(sources, target / "slides")
        options = ["--quiet", "--fail-on-warning", "--keep-going", f"--doctree-dir={folder}/doctrees"]
        options.append(f"--define=katex_script={SITE / 'formulas.js'}")
        subprocess.run([sys.executable, "-m", "sphinx", *options, str(sources), str(pages)], check=True)
        keep_few_icons(pages)
        others = shutil.ignore_patterns("*.map", ".buildinfo")
        shutil.copytree(pages, target, dirs_exist_ok=True, ignore=others)
        made = {path.relative_to(pages).as_posix() for path in pages.rglob("*") if path.is_file()}
        remove_what_was_made_before(target, made)


def build_with_tools(build: Callable[[], None], page: Path) -> int:
    """The exit code of a command that builds pages: it ends by naming the `page` to open, or a tool that is missing."""
    if missing := missing_tools():
        print(missing[0].upper() + missing[1:] + ".", file=sys.stderr)
        return 1
    build()
    print(f"It is built: open {page}")
    return 0


if __name__ == "__main__":
    sys.exit(build_with_tools(build, BUILT / "index.html"))
