"""How Sphinx makes the course's pages. `python -m workshop.site` lays their sources out around a copy of this file."""

import json
import subprocess
import tomllib
from pathlib import Path

from docutils import nodes

PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "From feature extractors to conditional GANs"
author = "the authors of the course"
project_copyright = f"{author}. Code: BSD 3-Clause. Text and data: CC BY 4.0"
version = release = PROJECT["version"]

extensions = ["myst_nb"]
exclude_patterns = ["_static"]
myst_enable_extensions = ["amsmath", "attrs_block", "dollarmath"]
# GitHub's anchors, to which `workshop.site` brings those of JupyterLab.
myst_heading_anchors = 4
# The committed outputs are shown; nothing runs.
nb_execution_mode = "off"

html_math_renderer = "katex"
html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["katex/katex.min.css", "course.css"]
html_js_files = ["course.js"]
html_favicon = "_static/icon.svg"
html_copy_source = False
html_show_sourcelink = False
html_use_index = False
# It would fetch every page that was found, which a browser forbids where pages are opened as files.
html_show_search_summary = False
# As the reader's system, until the reader chooses.
html_context = {"default_mode": "auto"}
html_theme_options = {
    "navbar_persistent": [],
    "search_bar_text": "Search the course",
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": True,
}

# (TeX, whether displayed) -> HTML of every formula of the course. They are made when the site is built, so a page needs
# only KaTeX's style sheet and fonts, which lie beside it.
FORMULAS: dict[tuple[str, bool], str] = {}


def make_formulas(app, env):
    """Let KaTeX make all formulas at once, before the pages are written. A formula that is wrong ends the build."""
    found = set()
    for name in env.found_docs:
        for node in env.get_doctree(name).findall(
            lambda node: isinstance(node, nodes.math | nodes.math_block)
        ):
            found.add((node.astext(), isinstance(node, nodes.math_block)))
    formulas = sorted(found)
    made = subprocess.run(
        ["node", app.config.katex_script], input=json.dumps(formulas), capture_output=True, encoding="utf-8"
    )
    if made.returncode:
        raise ValueError(f"KaTeX could not make the formulas: {made.stderr}")
    FORMULAS.update(zip(formulas, json.loads(made.stdout)))


def visit_formula(page, node):
    """Write a formula into a page."""
    page.body.append(FORMULAS[node.astext(), isinstance(node, nodes.math_block)])
    raise nodes.SkipNode


def setup(app):
    app.add_config_value("katex_script", "formulas.js", "html", str)
    app.add_html_math_renderer("katex", (visit_formula, None), (visit_formula, None))
    app.connect("env-check-consistency", make_formulas)
