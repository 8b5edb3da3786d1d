"""Build a deck of slides from each notebook, with reveal.js; the tags of its cells say what is on them.

python -m workshop.slides      builds _site/slides/NN_name.html from all notebooks (make slides)

A deck shows head and core, and those deeper sections whose first cell begins a slide, such as a demo for the end.

A cell tagged `slide` begins a slide, and `slide-more` puts a cell of text onto the slide before it. Of a text the
slide shows the headings, formulas, lists and tables, the questions that the reader is to answer, and its key sentences:
those with bold words, or else the first one. The whole text, and that of the cells without these tags which follow, are
the speaker's notes. Of a code cell, `slide-output` shows its pictures, or what it printed if there are none, and
`slide-code` its code. What follows a question on its slide answers it, and appears at the next key.

Demos that run in a page are live. The decks ask no other host for anything: reveal.js and KaTeX come from
site/node_modules and are copied beside them.
"""

import html
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import jinja2
import nbformat
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from course_utils.files import write_whole
from course_utils.settings import course_notebooks
from workshop.demos import demo_of, page_script
from workshop.folders import remove_what_was_made_before
from workshop.lessons import lesson_of, tags
from workshop.site import BUILT, SITE, build_with_tools, missing_tools

DECKS = BUILT / "slides"
SOURCES = SITE / "slides"
NODE_MODULES = SITE / "node_modules"
VENDOR = (
    "reveal.js/dist/reveal.js",
    "reveal.js/dist/reveal.css",
    "reveal.js/dist/plugin/notes.js",
    "katex/dist/katex.min.js",
    "katex/dist/katex.min.css",
)

# Of a slide. A formula or a table is an exhibit, and takes the place of two sentences; a question with more words than
# these does not stand beside one.
MOST_SENTENCES, MOST_EXHIBITS, MOST_WORDS = 5, 2, 80
QUESTIONS = ("**Predict.**", "**The question.**")
# A sentence ends before a space and a capital, a formula, or the beginning of emphasis, code or a bracket.
BETWEEN_SENTENCES = re.compile(r"(?<=[.?!])\s+(?=[A-Z$*`(])")
DEMO = re.compile(r'data-demo="(\w+)"')
LABEL = re.compile(r"\*\*[^*]+\*\*")
# A lecture shows no exercise, no folded answer, and not the plan of the notebook.
LEFT_OUT = re.compile(r"^(?:### Exercise|\*\*Where |<details>).*", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,3} (.+)", re.MULTILINE)

_markdown = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)
# The links of a notebook lead to other notebooks, which are not beside the decks: the words stay alone.
_markdown.add_render_rule("link_open", lambda *_: "")
_markdown.add_render_rule("link_close", lambda *_: "")


class Part(NamedTuple):
    """A part of a text as HTML, and its kind: "sentence", "question", "exhibit", or "other"."""

    kind: str
    html: str


@dataclass
class Slide:
    """A slide: its title, and as HTML what it shows, what answers its question, and what the speaker may say."""

    title: str
    shown: list[str] = field(default_factory=list)
    answer: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def asks(self) -> bool:
        """Whether the slide puts a question: then the next cells answer it."""
        return self.kinds["question"] > 0

    def has_place_for(self, part: Part) -> bool:
        """Whether a part fits beside what is there."""
        if part.kind == "sentence":
            return self.kinds["sentence"] + 2 * self.kinds["exhibit"] < MOST_SENTENCES
        if part.kind == "question" and len(part.html.split()) > MOST_WORDS:
            return self.kinds["exhibit"] == 0
        return part.kind == "other" or self.kinds["exhibit"] < MOST_EXHIBITS


def slides_of(path: Path) -> list[Slide]:
    """The slides of a notebook, in their order. Raises ValueError if its first cell does not begin one."""
    cells = cells_of_deck(path)
    if "slide" not in tags(cells[0]):
        raise ValueError(f"{path.name} has no slides: its first cell must be tagged slide (CONTRIBUTING.md)")
    slides: list[Slide] = []
    section = exercise = ""
    for cell in cells:
        if cell.cell_type == "code":
            put_code(cell, demo_of(path.stem, cell.source), section, slides)
        elif "solution" not in tags(cell):
            for title in HEADING.findall(cell.source):
                section, exercise = (section, title) if title.startswith("Exercise") else (title, exercise)
            put_text(cell, LEFT_OUT.sub("", cell.source), section, slides)
        elif "slide" in tags(cell):
            put_text(cell, cell.source, exercise, slides)
    return slides


def cells_of_deck(path: Path) -> list:
    """The cells of a notebook's head and core, and of the deeper sections that begin with a slide."""
    deeper = lesson_of(path).of(deeper=True)
    unseen = [section for section in deeper if "slide" not in tags(section.cells[0])]
    left_out = {cell.id for section in unseen for cell in section.cells}
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.id not in left_out]


def put_text(cell, text: str, title: str, slides: list[Slide]) -> None:
    """Put the parts of a text onto a slide, and more of them where it is full; sentences are then left to the notes.

    The text of a cell that is on no slide belongs to the notes of the slide before it.
    """
    if "slide" in tags(cell):
        slides.append(Slide(title))
    first = len(slides) - 1
    place = place_on(slides[-1])
    for part in parts_of(text) if tags(cell) & {"slide", "slide-more"} else ():
        if not slides[-1].has_place_for(part):
            if part.kind == "sentence":
                continue
            slides.append(Slide(title))
            place = slides[-1].shown
        place.append(part.html)
        slides[-1].kinds[part.kind] += 1
    for slide in slides[first:]:
        slide.notes.append(_markdown.render(text))


def place_on(slide: Slide) -> list[str]:
    """Where the next cell goes."""
    return slide.answer if slide.asks() else slide.shown


def parts_of(text: str) -> Iterator[Part]:
    """The parts of a text that a slide shows."""
    nodes = SyntaxTreeNode(_markdown.parse(text)).children
    plain = [node for node in nodes if node.type == "paragraph" and not is_question(node)]
    # The last sentence before a formula leads to it.
    lead_ins = {b: sentences_of(a)[-1] for a, b in pairwise(nodes) if a in plain and b.type == "math_block"}
    sentences = [s for node in plain for s in sentences_of(node) if s not in lead_ins.values()]
    bold = [s for s in sentences if "**" in s and not LABEL.fullmatch(s)]
    key_sentences = bold or sentences[:1]
    for node in nodes:
        if node.type == "math_block":
            lead_in = paragraph(lead_ins[node]) if node in lead_ins else ""
            yield Part("exhibit", lead_in + rendered(node))
        elif node.type == "table":
            yield Part("exhibit", rendered(node))
        elif node.type in {"bullet_list", "ordered_list"}:
            yield Part("other", short_list(node))
        elif node.type == "paragraph" and node not in plain:
            yield Part("question", paragraph(node.children[0].content, way="question"))
        elif node in plain:
            for sentence in sentences_of(node):
                if LABEL.fullmatch(sentence):
                    yield Part("other", paragraph(sentence))
                elif sentence in key_sentences:
                    yield Part("sentence", paragraph(sentence))


def is_question(node: SyntaxTreeNode) -> bool:
    """Whether a paragraph asks the reader something."""
    return any(question in node.children[0].content for question in QUESTIONS)


def sentences_of(node: SyntaxTreeNode) -> list[str]:
    """The sentences of a paragraph, as Markdown."""
    return BETWEEN_SENTENCES.split(node.children[0].content)


def rendered(node: SyntaxTreeNode) -> str:
    """A part of a text as HTML."""
    return _markdown.renderer.render(node.to_tokens(), _markdown.options, {})


def paragraph(text: str, way: str = "words") -> str:
    """Markdown as a paragraph of HTML."""
    return f'<p class="{way}">{_markdown.renderInline(text)}</p>'


def short_list(node: SyntaxTreeNode) -> str:
    """A list with the first sentence of each item, as HTML."""
    name = "ul" if node.type == "bullet_list" else "ol"
    items = [sentences_of(item.children[0])[0] for item in node.children]
    return f"<{name}>{''.join(f'<li>{_markdown.renderInline(item)}</li>' for item in items)}</{name}>"


def put_code(cell, demo: str | None, title: str, slides: list[Slide]) -> None:
    """Put the code of a tagged cell onto a slide, or what it shows: its pictures, else what it printed.

    `demo` is the name of the page's demo that the cell shows: it takes the place of the picture, its still.
    """
    if "slide" in tags(cell):
        # What is said of code and its result stands in the text before it.
        slides.append(Slide(title, notes=slides[-1].notes[-1:]))
    place = place_on(slides[-1])
    if "slide-code" in tags(cell):
        place.append(highlight(cell.source, PythonLexer(), HtmlFormatter(noclasses=True)))
    if "slide-output" in tags(cell):
        pictures = "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)
        printed = "".join(output.get("text", "") for output in cell.outputs)
        live = f' data-demo="{demo}"' if demo else ""
        place.append(
            f"<figure{live}>{pictures}</figure>" if pictures else f"<pre>{html.escape(printed)}</pre>"
        )


def deck(path: Path) -> str:
    """The page of a notebook's deck."""
    template = jinja2.Template((SOURCES / "deck.html").read_text(encoding="utf-8"))
    slides = slides_of(path)
    for slide in slides:
        slide.title = _markdown.renderInline(slide.title)
    shown = " ".join(part for slide in slides for part in [*slide.shown, *slide.answer])
    return template.render(slides=slides, demos=DEMO.findall(shown))


def build(folder: Path = DECKS) -> None:
    """Write the decks of all notebooks into a folder, and what they need. Raises ValueError if a tool is missing."""
    if missing := missing_tools():
        raise ValueError(missing)
    vendor = folder / "vendor"
    fonts = shutil.ignore_patterns("*.ttf", "*.woff")  # every browser takes the third kind, woff2
    shutil.copytree(NODE_MODULES / "katex/dist/fonts", vendor / "fonts", ignore=fonts, dirs_exist_ok=True)
    for name in VENDOR:
        shutil.copy(NODE_MODULES / name, vendor)
    for name in ("deck.css", "deck.js"):
        shutil.copy(SOURCES / name, folder)
    pages = {folder / f"{path.stem}.html": deck(path) for path in course_notebooks()}
    scripts = {
        folder / f"{name}.js": page_script(name) for page in pages.values() for name in DEMO.findall(page)
    }
    texts = {**pages, **scripts}
    write_whole({path: text.encode() for path, text in texts.items()})
    remove_what_was_made_before(folder, {path.name for path in texts})


if __name__ == "__main__":
    sys.exit(build_with_tools(build, DECKS / "00_start_here.html"))
