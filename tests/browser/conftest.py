"""A real JupyterLab in headless Chromium: `lab.open(path)` gives a notebook, used as a reader uses it.

A test module for a notebook starts with

    @pytest.fixture(scope="module")
    def notebook(lab):
        with lab.open("notebooks/00_start_here.ipynb") as notebook:
            notebook.run_all()
            yield notebook

or, where the notebook would only be trained once more, with a small one that builds its demo from shipped models:
`lab.open(lab.write_notebook("demo.ipynb", [code, ...]))`.

Leaving the `with` block asserts that the browser's console showed no error and that the page asked no other
host for anything.
"""

import base64
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, urlsplit

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from workshop.chromium import HOW_TO_GET_IT, find_chromium
from workshop.ports import free_ports
from workshop.site import SITE, missing_tools

PROJECT = Path(__file__).resolve().parents[2]
CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Containers have a /dev/shm of 64 MB, which is too little for a page full of pictures.
    "--disable-dev-shm-usage",
)
LAB_SETTINGS = {
    # No question about news at the first start, and all cells in the page instead of only the visible ones.
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}
# Without it JupyterLab asks which kernel to start.
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
SECONDS_TO_START = 60
SECONDS_TO_REDRAW = 20

KERNEL_IS_IDLE = """() => {
    const panel = window.jupyterapp?.shell?.currentWidget;
    return panel?.sessionContext?.session?.kernel?.status === "idle";
}"""
# The message of every cell that ended in an error.
FAILURES = """() => window.jupyterapp.shell.currentWidget.content.widgets
    .filter(cell => cell.model.type === "code")
    .flatMap(cell => cell.model.sharedModel.outputs)
    .filter(output => output.output_type === "error")
    .map(output => `${output.ename}: ${output.evalue}`)"""
# A cell that waits or runs reads [*]:, one that was not reached reads [ ]:; empty cells stay that way.
ALL_CELLS_HAVE_RUN = r"""() => {
    const panel = window.jupyterapp.shell.currentWidget;
    const cells = panel.content.widgets.filter(cell => cell.model.type === "code");
    const prompt = cell => cell.promptNode.innerText.trim();
    const done = cell => !cell.model.sharedModel.source.trim() || /^\[\d+\]:$/.test(prompt(cell));
    const failed = cell => cell.model.sharedModel.outputs.some(output => output.output_type === "error");
    const idle = panel.sessionContext.session.kernel.status === "idle";
    const waiting = cells.some(cell => prompt(cell).includes("*"));
    return idle && !waiting && (cells.every(done) || cells.some(failed));
}"""
# Pictures and drawings in outputs that have no description; JupyterLab gives such a picture the alt text "Image".
NAMELESS = """() => [...document.querySelectorAll(".jp-OutputArea-output :is(img, canvas, svg[role=img])")]
    .filter(picture => ["", "Image"].includes(picture.alt || picture.getAttribute("aria-label") || picture.title || ""))
    .map(picture => `without a description: ${picture.outerHTML.slice(0, 100)}`)"""
AXE = SITE / "node_modules" / "axe-core" / "axe.min.js"
# The sliders of ipywidgets have their label beside them only for the eye.
OF_IPYWIDGETS = ["aria-input-field-name"]
VIOLATIONS = """([within, ignored]) => axe.run(within, {
        resultTypes: ["violations"],  // which is quicker: axe keeps one node of each other result
        rules: Object.fromEntries(ignored.map(rule => [rule, {enabled: false}])),
    })
    .then(({violations}) => violations.map(({id, nodes}) => `${id}: ${nodes.map(node => node.html.slice(0, 200))}`))"""
BYTES_OF_IMAGE = """async image => {
    const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
    return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
}"""


def axe_violations(page: Page, within: str, ignored: Sequence[str]) -> list[str]:
    """The faults that axe-core finds in the elements with the selector `within`, but for the rules `ignored`."""
    page.add_script_tag(path=AXE)
    return page.evaluate(VIOLATIONS, [within, ignored])


def do_without(sentence: str) -> NoReturn:
    """Skip the tests that need what a reader's machine may lack; under CI, which installs it, fail."""
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@pytest.fixture(scope="package")
def chromium() -> str:
    """The browser's executable."""
    return find_chromium() or do_without(HOW_TO_GET_IT)


@pytest.fixture(scope="package")
def site_tools() -> None:
    """What the site and the slides are built with."""
    if missing := missing_tools():
        do_without(missing)


@pytest.fixture(scope="package")
def violations(site_tools) -> Callable[[Page, str, Sequence[str]], list[str]]:
    """`axe_violations`, for test modules."""
    return axe_violations


# Not for the whole session: as long as Playwright is on, an event loop runs, which the tests of the notebooks
# that come later could not stand.
@pytest.fixture(scope="package")
def browser(chromium) -> Iterator[Browser]:
    """One browser for all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def lab(browser, tmp_path_factory) -> Iterator["Lab"]:
    """One JupyterLab server for all tests of notebooks."""
    folder = tmp_path_factory.mktemp("lab")
    # Copies, because JupyterLab saves what it has open.
    shutil.copytree(PROJECT / "notebooks", folder / "root" / "notebooks", ignore=shutil.ignore_patterns(".*"))
    with _server(folder) as (address, token):
        yield Lab(folder / "root", address, token, browser)


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, str]]:
    """JupyterLab with settings of its own, at a free port: yields its address and token."""
    for name, values in LAB_SETTINGS.items():
        file = folder / "user-settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    token = secrets.token_hex(16)
    (port,) = free_ports(1)
    options = [
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder / 'root'}",
        f"--IdentityProvider.token={token}",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        f"--LabApp.user_settings_dir={folder / 'user-settings'}",
        f"--LabApp.workspaces_dir={folder / 'workspaces'}",
    ]
    private = {f"JUPYTER_{name.upper()}_DIR": str(folder / name) for name in ("config", "data", "runtime")}
    private["IPYTHONDIR"] = str(folder / "ipython")
    log = folder / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=os.environ | private,
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for_server(process, f"{address}/api/status?token={token}", log)
        yield address, token
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_server(process: subprocess.Popen, url: str, log: Path) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(
        f"JupyterLab did not start within {SECONDS_TO_START} seconds:\n{log.read_text()}", pytrace=False
    )


class Lab:
    """A running JupyterLab whose files lie in `root`, and the browser that looks at it."""

    def __init__(self, root: Path, address: str, token: str, browser: Browser):
        self.root = root
        self.address = address
        self.token = token
        self.browser = browser

    def write_notebook(self, name: str, cells: Sequence[str], metadata: Mapping = KERNEL) -> str:
        """Write a notebook of these code cells into the root, and return its path below the root."""
        notebook = nbformat.v4.new_notebook(metadata=metadata)
        notebook.cells = [nbformat.v4.new_code_cell(cell.strip()) for cell in cells]
        nbformat.write(notebook, self.root / name)
        return name

    @contextmanager
    def open(self, path: str) -> Iterator["Notebook"]:
        """Open the notebook at `path` below the root in a page of its own, with a kernel that is ready.

        Leaving ends the kernel and asserts that the page ran without errors and asked no other host.
        """
        context = self.browser.new_context(viewport={"width": 1200, "height": 1000})
        page = context.new_page()
        problems = _watch(page, self.address)
        try:
            page.goto(f"{self.address}/lab/tree/{quote(path)}?token={self.token}&reset")
            notebook = Notebook(page)
            notebook.wait_until_ready()
            yield notebook
        finally:
            self._end_kernels()
            context.close()
        assert not problems, "\n".join(problems)

    def _end_kernels(self) -> None:
        for session in json.loads(self._request("GET", "/api/sessions")):
            self._request("DELETE", f"/api/sessions/{session['id']}")

    def _request(self, method: str, path: str) -> bytes:
        headers = {"Authorization": f"token {self.token}"}
        with urllib.request.urlopen(
            urllib.request.Request(self.address + path, headers=headers, method=method), timeout=30
        ) as answer:
            return answer.read()


def _watch(page: Page, address: str) -> list[str]:
    """A list that fills with what no page of the course may do: errors, and requests to other hosts."""
    problems: list[str] = []

    def note_request(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != urlsplit(address).netloc:
            problems.append(f"request to another host: {url}")

    def note_message(message) -> None:
        if message.type == "error":
            problems.append(f"error in the browser's console: {message.text} ({message.location.get('url')})")

    page.on("console", note_message)
    page.on("pageerror", lambda error: problems.append(f"error in the browser: {error}"))
    page.on("request", lambda request: note_request(request.url))
    page.on("websocket", lambda socket: note_request(socket.url))
    return problems


class Notebook:
    """A notebook in the browser. Cells, controls and pictures are Playwright locators."""

    def __init__(self, page: Page):
        self.page = page

    def wait_until_ready(self, seconds: float = SECONDS_TO_START) -> None:
        """Wait until the kernel is idle: before that, Run All does nothing. A dialog fails the test."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(KERNEL_IS_IDLE):
            dialog = self.page.locator(".jp-Dialog")
            if dialog.count():
                pytest.fail(f"JupyterLab opened the notebook with a question: {dialog.inner_text()!r}")
            if time.monotonic() > end:
                pytest.fail(f"the kernel was not ready within {seconds} seconds")
            self.page.wait_for_timeout(100)

    def start_all(self) -> None:
        """Choose Run All Cells from the menu, without waiting for the end."""
        self.page.click('.lm-MenuBar-itemLabel:text-is("Run")')
        self.page.click('.lm-Menu-item[data-command="runmenu:run-all"]')

    def run_all(self, seconds: float = 120) -> None:
        """Run all cells, wait for the end, and assert that none failed, nor any demo in them."""
        self.start_all()
        self.wait_until_done(seconds)

    def wait_until_done(self, seconds: float = 120) -> None:
        """Wait until every cell has run, and assert that none failed, nor any demo in them."""
        self.page.wait_for_function(ALL_CELLS_HAVE_RUN, timeout=1000 * seconds, polling=200)
        self.assert_nothing_failed()

    def assert_nothing_failed(self) -> None:
        """Assert that no cell shows a traceback, no demo an error, and that every picture has a description."""
        alerts = self.page.locator('.jp-OutputArea [role="alert"], .jupyter-widgets-error-widget')
        failures = [*self.page.evaluate(FAILURES), *self.page.evaluate(NAMELESS), *alerts.all_inner_texts()]
        assert not failures, "\n".join(failures)

    def assert_axe_finds_nothing(self) -> None:
        """Assert that axe-core finds no fault of ours in the outputs; it takes the fixture `site_tools`."""
        assert axe_violations(self.page, ".jp-OutputArea-output", OF_IPYWIDGETS) == []

    def interrupt(self) -> None:
        """Press the stop button of the toolbar."""
        self.page.locator('[data-command="notebook:interrupt-kernel"] >> visible=true').first.click()

    def cell(self, text: str) -> Locator:
        """The one code cell whose code contains `text`."""
        cells = self.page.locator(".jp-CodeCell").filter(
            has=self.page.locator(".jp-InputArea-editor", has_text=text)
        )
        assert cells.count() == 1, f"{cells.count()} code cells contain {text!r}; a test needs exactly one"
        return cells

    def output_text(self, cell: Locator) -> str:
        """What the cell printed."""
        return "\n".join(cell.locator(".jp-OutputArea-output").all_inner_texts())

    def slider(self, cell: Locator, label: str) -> Locator:
        """The handle of the slider labelled `label`: it takes the keyboard's focus."""
        return self._control(cell, ".widget-slider", label).locator(".noUi-handle").first

    def dropdown(self, cell: Locator, label: str) -> Locator:
        """The drop-down labelled `label`."""
        return self._control(cell, ".widget-dropdown", label).locator("select")

    def button(self, cell: Locator, text: str) -> Locator:
        """The button that reads `text`."""
        return cell.locator("button.jupyter-button", has_text=re.compile(rf"^\s*{re.escape(text)}\s*$"))

    def _control(self, cell: Locator, kind: str, label: str) -> Locator:
        exactly = re.compile(rf"^\s*{re.escape(label)}\s*$")
        return cell.locator(kind).filter(has=self.page.locator(".widget-label", has_text=exactly))

    def press(self, control: Locator, *keys: str) -> None:
        """Give the control the keyboard's focus, then press the keys one after the other."""
        control.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def choose(self, dropdown: Locator, option: str) -> None:
        """Choose from a drop-down by the keyboard: the space bar opens it, and Enter closes it."""
        names = [" ".join(name.split()) for name in dropdown.locator("option").all_inner_texts()]
        steps = names.index(option) - dropdown.evaluate("select => select.selectedIndex")
        if sys.platform == "darwin":
            # There the keys open a menu of the system, which is outside the page.
            dropdown.select_option(index=names.index(option))
        else:
            # An arrow key alone would go to JupyterLab, which selects the next cell.
            self.press(dropdown, "Space", *["ArrowDown" if steps > 0 else "ArrowUp"] * abs(steps), "Enter")
        expect(dropdown).to_have_js_property("selectedIndex", names.index(option))

    def draw(self, canvas: Locator, stroke: list[tuple[float, float]]) -> None:
        """Draw with the mouse: a stroke through points given as shares of the canvas's width and height."""
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*point, steps=8)
        self.page.mouse.up()

    def picture(self, cell: Locator, number: int = 0) -> "Picture":
        """The picture of the demo in the cell; `number` counts them if there are several."""
        return Picture(cell.locator("img.widget-image").nth(number))


class Picture:
    """A demo's picture in the page."""

    def __init__(self, image: Locator):
        self.image = image

    def bytes(self) -> bytes:
        """The PNG bytes that the page shows now."""
        return base64.b64decode(self.image.evaluate(BYTES_OF_IMAGE))

    def after(self, action: Callable[[], None], seconds: float = SECONDS_TO_REDRAW) -> bytes:
        """Do `action` and return the bytes of the picture that it led to; fail if they are as before."""
        before = self.bytes()
        action()
        self.next(before, seconds)
        # Several keys lead to several pictures: the last one is the one that stays.
        now, earlier = self.bytes(), b""
        while now != earlier:
            self.image.page.wait_for_timeout(300)
            now, earlier = self.bytes(), now
        assert now != before, "the picture came back to what it was before the action"
        return now

    def next(self, before: bytes, seconds: float = SECONDS_TO_REDRAW) -> bytes:
        """Wait for a picture of other bytes than `before`, and return them; fail if none comes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if (now := self.bytes()) != before:
                return now
            self.image.page.wait_for_timeout(20)
        pytest.fail(f"the picture's bytes were still the same after {seconds} seconds")
