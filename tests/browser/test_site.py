"""The built site in Chromium: it asks no other host, fits a phone, and can be read, by a screen reader, too."""

import json
import re
from collections.abc import Iterator
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import nbformat
import pytest

from course_utils.settings import NOTEBOOKS, course_notebooks
from workshop import site
from workshop.lessons import lesson_of

LINK = re.compile(r'<(?:a|link|img|script)\b[^>]*? (?:href|src)="([^"]*)"')
# Of the theme: its search button is named otherwise than it reads, and parts of its frame are outside of landmarks.
OF_THE_THEME = ["label-content-name-mismatch", "region"]
KINDS = [
    "index.html",
    "README.html",
    "search.html?q=posterior",
    "notebooks/04_transpose_convolution.html",
]
LARGEST_FRONT_PAGE, LARGEST_LESSON, LARGEST_DEMO = 1_000_000, 2_500_000, 1_000_000
LESSONS = [path.stem for path in course_notebooks()]


@pytest.fixture(scope="module")
def pages(site_tools, tmp_path_factory) -> Path:
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    site.build(folder)
    return folder


class Visit:
    """A page opened as a file: what it asked for, and what the console complained about."""

    def __init__(self, browser, address: str, width: int = 1280, scheme: str = "light"):
        self.context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console", lambda message: message.type == "error" and self.complaints.append(message.text)
        )
        self.page.goto(address)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.context.close()

    def files(self) -> set[Path]:
        """The files that the page was made of; fails if it asked for anything else."""
        others = [url for url in self.requests if not url.startswith(("data:", "blob:", "file:"))]
        assert not others, f"requests to another host: {others}"
        return {Path(url2pathname(urlsplit(url).path)) for url in self.requests if url.startswith("file:")}


@pytest.fixture
def server(pages) -> Iterator[str]:
    """The address of a server of the pages, as `python -m http.server` is one."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            """Requests are not printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=pages)) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def address_of(pages: Path, name: str) -> str:
    file, _, query = name.partition("?")
    return (pages / file).as_uri() + (f"?{query}" if query else "")


# --- what stands in the files ---


def test_every_notebook_is_a_page_with_its_sections_solutions_and_pictures(pages):
    for name in LESSONS:
        text = (pages / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
        cells = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells
        assert text.count('<section class="deeper"') == len(
            lesson_of(NOTEBOOKS / f"{name}.ipynb").of(deeper=True)
        )
        assert text.count("<details>") == sum(cell.source.count("<details>") for cell in cells)
        outputs = json.dumps([cell.get("outputs", []) for cell in cells])
        pictures = re.findall(r'<img alt="([^"]*)" src="../_static/pictures/', text)
        assert len(pictures) == outputs.count("<img alt=") and all(len(alt.split()) >= 4 for alt in pictures)
        # A formula that was not made would keep its marks.
        assert 'class="katex"' in text and not re.search(r"<p>[^<]*\$", text)


def ids_in(page: Path) -> set[str]:
    return set(re.findall(r'\bid="([^"]*)"', page.read_text(encoding="utf-8"))) | {""}


def test_every_link_leads_to_a_file_and_a_place_in_it(pages):
    html = {
        path: path.read_text(encoding="utf-8")
        for path in pages.rglob("*.html")
        if "_static" not in path.parts
    }
    places = {path: ids_in(path) for path in html}
    broken = []
    for path, text in html.items():
        for link in map(unescape, LINK.findall(text)):
            target, _, place = link.partition("#")
            if re.match(r"https?:|mailto:|data:", link) or (path.name == "search.html" and not target):
                continue
            file = (path.parent / unquote(target.partition("?")[0])).resolve() if target else path
            if not file.is_file() or unquote(place) not in places.get(file, {""}):
                broken.append(f"{path.name}: {link}")
    assert len(html) >= len(LESSONS) + 6 and broken == []


# --- what a browser makes of it ---


@pytest.mark.parametrize("name", [*KINDS, "notebooks/08_vae.html", "notebooks/09_conditional_vae.html"])
def test_a_page_asks_no_other_host_fits_a_phone_and_stays_small(browser, pages, name):
    with Visit(browser, address_of(pages, name), width=390) as visit:
        visit.page.wait_for_load_state("networkidle")
        sizes = {file: file.stat().st_size for file in visit.files()}
        demos = [size for file, size in sizes.items() if file.parent.name == "demos"]
        if name.startswith("notebooks/"):
            assert sum(sizes.values()) - sum(demos) <= LARGEST_LESSON and demos and max(demos) <= LARGEST_DEMO
            assert visit.page.locator("[data-demo] .course-demo").count() == len(demos)
        else:
            assert sum(sizes.values()) <= LARGEST_FRONT_PAGE
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
        assert visit.complaints == []


@pytest.mark.parametrize("name", ["index.html", "notebooks/08_vae.html"])
def test_a_page_from_a_server_is_whole_and_live(browser, server, name):
    with Visit(browser, f"{server}/{name}") as visit:
        visit.page.wait_for_load_state("networkidle")
        assert [url for url in visit.requests if not url.startswith((server, "data:", "blob:"))] == []
        # A file that the server does not have is an error in the console.
        assert visit.complaints == []
        assert visit.page.locator("[data-demo] .course-demo").count() == 1


def test_a_request_to_another_host_would_be_found(browser, pages):
    with Visit(browser, address_of(pages, "index.html")) as visit:
        visit.page.evaluate("fetch('http://elsewhere.invalid').catch(() => {})")
        with pytest.raises(AssertionError, match="elsewhere"):
            visit.files()


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        *((name, scheme) for name in KINDS for scheme in ("light", "dark")),
        ("notebooks/01_feature_extraction_mlp.html", "dark"),
        ("notebooks/02_feature_extraction_cnn.html", "light"),
        ("notebooks/07_vae_notation_and_elbo.html", "dark"),
        ("notebooks/10_gan.html", "light"),
    ],
)
def test_axe_finds_nothing_of_ours(browser, pages, violations, name, scheme):
    with Visit(browser, address_of(pages, name), scheme=scheme) as visit:
        assert visit.page.evaluate("document.documentElement.dataset.theme") == scheme
        visit.page.wait_for_function("!document.querySelector('[data-demo] > img, [data-demo] > a')")
        assert violations(visit.page, "html", OF_THE_THEME) == []


def test_axe_would_find_a_picture_without_a_description(browser, pages, violations):
    with Visit(browser, address_of(pages, "README.html")) as visit:
        visit.page.evaluate("document.querySelector('article img').removeAttribute('alt')")
        (found,) = violations(visit.page, "html", OF_THE_THEME)
        assert found.startswith("image-alt")


def test_the_search_finds_a_notebook_by_its_words(browser, pages):
    with Visit(browser, address_of(pages, "search.html?q=checkerboard")) as visit:
        result = visit.page.locator("#search-results a", has_text="Transpose convolution").first
        result.click()
        visit.page.wait_for_url("**/04_transpose_convolution.html*")
        assert visit.complaints == []


def test_a_solution_is_folded_and_the_next_page_is_a_click_away(browser, pages):
    with Visit(browser, address_of(pages, "notebooks/04_transpose_convolution.html")) as visit:
        solution = visit.page.locator("details").first
        assert not solution.locator("pre").is_visible()
        solution.locator("summary").click()
        assert solution.locator("pre").first.is_visible()
        visit.page.locator("a.right-next").click()
        visit.page.wait_for_url("**/05_autoencoder_conv.html")
