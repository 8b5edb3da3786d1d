"""Decks of slides: what of a cell is on a slide, and what every notebook's deck must hold."""

import html
import re

import nbformat
import pytest

pytest.importorskip("mdit_py_plugins", reason="the slides need the packages of the extra [site]")

from course_utils.settings import course_notebooks
from workshop import slides
from workshop.slides import cells_of_deck, deck, slides_of

PATHS = course_notebooks()
FORMULA = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


def one_line(text: str) -> str:
    return " ".join(text.split())


def missing_formulas(path) -> list[str]:
    """The displayed formulas of a notebook's core that stand on no slide."""
    parts = [part for slide in slides_of(path) for part in [*slide.shown, *slide.answer]]
    shown = one_line(html.unescape(" ".join(parts)))
    texts = [cell.source for cell in cells_of_deck(path) if cell.cell_type == "markdown"]
    return [formula for text in texts for formula in FORMULA.findall(text) if one_line(formula) not in shown]


def test_a_deck_has_12_to_20_slides(path):
    assert 12 <= len(slides_of(path)) <= 20


def test_every_formula_of_the_core_is_on_a_slide(path):
    assert missing_formulas(path) == []


def test_every_slide_shows_something_and_has_notes(path):
    for slide in slides_of(path):
        assert slide.title and slide.shown, f"an empty slide: {slide.title}"
        assert slide.notes, f"no notes: {slide.title}"


def test_every_picture_has_its_alt_text_and_nothing_comes_from_another_host(path):
    page = deck(path)
    pictures = re.findall(r"<img [^>]*>", page)
    assert len(pictures) >= 3
    assert all(re.search(r'alt="[^"]{20,}"', picture) for picture in pictures)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


def test_the_deck_of_a_notebook_that_was_renamed_goes(tmp_path, monkeypatch):
    (tmp_path / "modules/katex/dist/fonts").mkdir(parents=True)
    monkeypatch.setattr(slides, "NODE_MODULES", tmp_path / "modules")
    monkeypatch.setattr(slides, "VENDOR", ())
    monkeypatch.setattr(slides, "missing_tools", lambda: "")
    monkeypatch.setattr(slides, "deck", lambda path: path.stem)
    for name in ("08_vae", "08_vaes"):
        monkeypatch.setattr(slides, "course_notebooks", lambda name=name: [tmp_path / f"{name}.ipynb"])
        slides.build(tmp_path / "slides")
        (tmp_path / "slides" / "own.html").touch()
    assert {path.name for path in (tmp_path / "slides").glob("*.html")} == {"08_vaes.html", "own.html"}


# --- how a slide is cut ---


def text(source: str, *tags: str):
    return nbformat.v4.new_markdown_cell(source, metadata={"tags": list(tags)})


def code(source: str, *tags: str, outputs=()):
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}, outputs=list(outputs))


PRINTED = nbformat.v4.new_output("stream", name="stdout", text="3 < 4\n")
PICTURE = nbformat.v4.new_output(
    "display_data", {"text/html": '<img alt="A square." src="data:image/png;base64,">'}
)


@pytest.fixture
def cut(tmp_path):
    """Writes cells as a notebook and returns its slides."""

    def slides_of_cells(*cells):
        path = tmp_path / "notebook.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)
        return slides_of(path)

    return slides_of_cells


def words(slide, answer: bool = False) -> str:
    parts = slide.answer if answer else slide.shown
    return one_line(re.sub(r"<[^>]+>", " ", " ".join(parts)))


def test_the_first_sentence_is_shown_and_the_whole_text_is_for_the_speaker(cut):
    (slide,) = cut(text("## Codes\n\nA code is short. It has 16 numbers.", "slide"), text("More of it."))
    assert slide.title == "Codes" and words(slide) == "A code is short."
    assert "It has 16 numbers." in slide.notes[0] and "More of it." in slide.notes[1]


def test_sentences_with_bold_words_are_key_sentences_and_five_fit(cut):
    source = "No. A **code** is short. No.\n\n" + " ".join(f"Sentence **{i}**." for i in range(9))
    (slide,) = cut(text(source, "slide"))
    assert words(slide) == "A code is short. " + " ".join(f"Sentence {i} ." for i in range(4))


def test_a_formula_comes_with_the_sentence_that_leads_to_it_and_takes_the_place_of_two(cut):
    (slide,) = cut(text("First. The *loss* is\n\n$$L = 1$$\n\nwhich is small.", "slide"))
    assert words(slide) == "First. The loss is L = 1"
    (slide,) = cut(text("A **b**.\n\n$$L = 1$$\n\n" + "A **c**. " * 5, "slide"))
    assert words(slide) == "A b . L = 1 A c . A c . A c ."


def test_a_deeper_section_is_in_the_deck_if_it_begins_with_a_slide(cut):
    slides = cut(
        text("## Codes\n\nA code is short.", "slide"),
        text("## Deeper: maps\n\nA map is flat.", "deeper", "slide"),
        text("## Deeper: holes\n\nA hole is dark.", "deeper"),
        text("It is deep.", "slide"),
    )
    assert [(slide.title, words(slide)) for slide in slides] == [
        ("Codes", "A code is short."), ("Deeper: maps", "A map is flat."),
    ]  # fmt: skip
    assert "hole" not in "".join(slides[-1].notes)


def test_a_third_formula_begins_another_slide(cut):
    source = "A:\n\n$$a$$\n\nB:\n\n$$b$$\n\nC:\n\n$$c$$\n\n**Predict.** What? And why?"
    first, second = cut(text(source, "slide"))
    assert words(first) == "A: a B: b" and words(second) == "C: c Predict. What? And why?"
    assert second.notes == first.notes


def test_a_long_question_does_not_stand_beside_a_formula(cut):
    first, second = cut(text("A:\n\n$$a$$\n\n**Predict.** " + "long " * 80, "slide"))
    assert words(first) == "A: a" and words(second).startswith("Predict. long")


def test_of_a_list_the_first_sentence_of_each_item_is_shown(cut):
    (slide,) = cut(text("## To remember\n\n- Codes are short. Very.\n- So are lists.", "slide"))
    assert words(slide) == "Codes are short. So are lists."


def test_what_follows_a_question_answers_it(cut):
    question, plain = cut(
        text("Here. **Predict.** Which?", "slide"),
        code("print(1)", "slide-output", outputs=[PRINTED]),
        text("Three. It is less.", "slide-more"),
        code("print(1)", "slide", "slide-output", outputs=[PRINTED]),
    )
    assert words(question) == "Here. Predict. Which?"
    assert words(question, answer=True) == "3 &lt; 4 Three."
    assert words(plain) == "3 &lt; 4" and not plain.answer


def test_of_a_code_cell_pictures_go_before_print_and_code_is_shown_on_request(cut):
    cell = code("x = 1", "slide", "slide-output", "slide-code", outputs=[PRINTED, PICTURE])
    _, slide = cut(text("Begin.", "slide"), cell)
    assert words(slide).startswith("x = 1") and "A square." in slide.shown[1] and "3" not in slide.shown[1]


def test_exercises_folded_answers_and_solutions_are_left_out(cut):
    (slide,) = cut(
        text("## Codes\n\nA code.\n\n<details>\n\n**Folded.**\n\n</details>", "slide"),
        text("More.\n\n### Exercise 1 (*) Count\n\nCount **them**.", "slide-more"),
        text("<details>\n\nSixteen.\n\n</details>", "solution"),
    )
    assert slide.title == "Codes" and words(slide) == "A code. More."
    assert not any(word in note for note in slide.notes for word in ("Count", "Sixteen", "Folded"))


def test_a_tagged_solution_is_a_slide_with_the_title_of_its_exercise(cut):
    _, slide = cut(
        text("## Codes\n\nA code.\n\n### Exercise 1 (*) Count\n\nCount.", "slide"),
        text("<details><summary>Solution</summary>\n\nSixteen.\n\n$$16$$\n\n</details>", "solution", "slide"),
    )
    assert slide.title == "Exercise 1 (*) Count" and words(slide) == "Sixteen. 16"


def test_a_notebook_without_slides_is_named(cut):
    with pytest.raises(
        ValueError, match=r"notebook\.ipynb has no slides: its first cell must be tagged slide"
    ):
        cut(text("## Codes"))
