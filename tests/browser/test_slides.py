"""The decks in Chromium: nothing runs over the edge of a slide or is too small, and no other host is asked."""

import base64
import io

import pytest
from PIL import Image
from playwright.sync_api import expect

pytest.importorskip("mdit_py_plugins", reason="the slides need the packages of the extra [site]")

from course_utils import plots, schematics
from course_utils.settings import course_notebooks
from workshop import slides

# The smallest letters in the pictures of each kind, in CSS pixels before a slide enlarges them. An inch has 96 of them.
LETTERS = {"png": plots.LETTERS, "svg": 96 / 72 * schematics.LETTERS}
# Every slide of a deck, its answers shown: what leaves the 1280 x 720 pixels, and what row ten cannot read.
PROBLEMS = """letters => Reveal.configure({fragments: false}) || Reveal.getSlides().flatMap((slide, index) => {
    Reveal.slide(index);
    const found = new Set();
    for (const element of slide.querySelectorAll("h1, h2, .shown *")) {
        const box = element.getBoundingClientRect();
        // Within a formula, boxes overlap and exponents are small.
        const shown = box.width && box.height && !(element.closest(".katex") && !element.matches(".katex"));
        const top = element.closest(".shown")?.getBoundingClientRect().top ?? 0;
        if (shown && (box.left < 0 || box.top < top - 1 || box.right > 1281 || box.bottom > 721)) found.add("too much");
        const text = element.matches(".katex") || [...element.childNodes].some(node => node.data?.trim());
        const size = parseFloat(getComputedStyle(element).fontSize) * element.currentCSSZoom;
        if (shown && text && size < 20) found.add("small letters");
        if (element.scrollWidth > element.clientWidth + 1 && element.matches(".math.block")) found.add("too wide");
    }
    for (const canvas of slide.querySelectorAll(".shown canvas.sheet")) {
        const scale = canvas.getBoundingClientRect().height / canvas.height;
        if (scale * parseFloat(canvas.getContext("2d").font) < 20) found.add("small letters");
    }
    for (const picture of slide.querySelectorAll(".shown img")) {
        const box = picture.getBoundingClientRect();
        const scale = Math.min(box.width / picture.naturalWidth, box.height / picture.naturalHeight);
        const natural = picture.src.startsWith("data:image/svg") ? letters.svg : letters.png;
        if (scale * natural < 20) found.add("small picture");
        if (!picture.alt) found.add("no alt");
    }
    return [...found].map(problem => `${index + 1} ${slide.firstElementChild.textContent}: ${problem}`);
})"""


@pytest.fixture(scope="module")
def decks(site_tools, tmp_path_factory):
    """The folder of all decks."""
    folder = tmp_path_factory.mktemp("decks")
    slides.build(folder)
    return folder


@pytest.fixture
def page(browser):
    """A page as large as a slide, in which no script fails, and which asks no other host for anything."""
    complaints = []
    with browser.new_context(viewport={"width": 1280, "height": 720}) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url))
        yield page
    assert [what for what in complaints if not what.startswith(("file:", "data:"))] == []


def open_deck(page, path) -> None:
    """Open a deck and wait until its demos are live."""
    page.goto(path.as_uri())
    page.wait_for_function("window.Reveal?.isReady() && !document.querySelector('[data-demo] > img')")


def problems_of(page, path) -> list[str]:
    """What is wrong with the slides of a deck."""
    open_deck(page, path)
    return page.evaluate(PROBLEMS, LETTERS)


@pytest.mark.parametrize("name", [path.stem for path in course_notebooks()])
def test_every_slide_can_be_read(page, decks, name):
    assert problems_of(page, decks / f"{name}.html") == []


def test_the_answer_to_a_question_appears_at_the_next_key(page, decks):
    open_deck(page, decks / "00_start_here.html")
    question, answer = page.locator(".present .question"), page.locator(".present .answer")
    while not answer.count():
        page.keyboard.press("ArrowRight")
    assert question.is_visible() and not answer.is_visible()
    page.keyboard.press("ArrowRight")
    assert question.is_visible() and answer.is_visible()


def test_a_demo_on_a_slide_answers_to_keys_which_do_not_turn_the_page(page, decks):
    open_deck(page, decks / "07_vae_notation_and_elbo.html")
    page.evaluate("""() => {
        const slides = Reveal.getSlides();
        Reveal.slide(slides.findIndex(slide => slide.querySelector("[data-demo]")));
    }""")
    status, number = page.locator(".present [role=status]"), page.locator(".slide-number")
    before = status.inner_text(), number.inner_text()
    slider = page.get_by_role("slider", name="mean of q")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(status).not_to_have_text(before[0])
    assert number.inner_text() == before[1]


def picture_of(width: int, height: int) -> str:
    file = io.BytesIO()
    Image.new("L", (width, height)).save(file, "png")
    return f'<img alt="A square" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


SENTENCE = "<p>A sentence that is as long as one line of a slide, when it is set in letters that row ten can read.</p>"


@pytest.mark.parametrize(
    ("shown", "problem"),
    [
        (SENTENCE * 20, "too much"),
        ('<p style="width: 1300px">A line.</p>', "too much"),
        (f"<figure>{picture_of(900, 300)}</figure>", "small picture"),  # with letters of 19 pixels
        (f'<div class="math block">{"x + " * 60} x</div>', "too wide"),
        ('<p style="font-size: 14px">Small print.</p>', "small letters"),
        ('<p style="zoom: 0.6">Small print.</p>', "small letters"),
        ('<canvas class="sheet" style="width: 300px"></canvas>', "small letters"),  # the default of a canvas
    ],
)
def test_a_bad_slide_is_found(page, decks, shown, problem):
    deck = (decks / "00_start_here.html").read_text(encoding="utf-8")
    start, end = deck.index("<section>"), deck.rindex("</section>") + len("</section>")
    path = decks / "bad.html"
    slide = f'<section><h1>Title</h1><div class="shown">{shown}</div></section>'
    path.write_text(deck[:start] + slide + deck[end:], encoding="utf-8")
    assert problems_of(page, path) == [f"1 Title: {problem}"]
