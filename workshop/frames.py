"""How soon the demos in the page follow the hand: `python -m workshop.frames` (part of make bench).

For each demo with a slider, the median time from its input to the end of the next frame, in milliseconds: on a page
that is opened as a file, and in JupyterLab. A screen shows 60 frames a second, 16.7 ms each. Needs Chromium
(COURSE_CHROMIUM names it) and the extra [test].
"""

import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page, sync_playwright

from workshop.chromium import HOW_TO_GET_IT, find_chromium
from workshop.demos import DEMOS, page_script
from workshop.ports import free_ports

INPUTS = 60
KERNEL_IS_IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
MINUTE = 60_000  # in milliseconds, as long as anything may take
MEASURE = """async (demo, inputs) => {
    const slider = demo.querySelector("input[type=range]");
    const times = [];
    for (let i = 0; i < inputs; i++) {
        await new Promise(resolve => setTimeout(resolve, 40 + 20 * Math.random()));
        const begin = performance.now();
        slider.value = i % 2 ? slider.max : slider.min;
        slider.dispatchEvent(new Event("input"));
        // The demo has asked for the next frame before: it draws first, and the time-out comes after the frame.
        await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
        times.push(performance.now() - begin);
    }
    return times;
}"""


def median_of(demo: Locator) -> str:
    """The median for a demo, as a text in milliseconds; a line if it has no slider."""
    demo.wait_for(timeout=MINUTE)
    if demo.locator("input[type=range]").count() == 0:
        return "-"
    return f"{statistics.median(demo.evaluate(MEASURE, INPUTS)):.1f}"


def on_pages(page: Page, folder: Path) -> Iterator[str]:
    """The median of each demo, on a page of its own without a kernel."""
    file = folder / "page.html"
    for name in DEMOS:
        body = f'<div data-demo="{name}"></div><script>{page_script(name)}</script>'
        file.write_text(f'<!doctype html><meta charset="utf-8">{body}', encoding="utf-8")
        page.goto(file.as_uri())
        yield median_of(page.locator(".course-demo"))


def in_jupyterlab(page: Page, folder: Path) -> Iterator[str]:
    """The median of each demo, all in one notebook."""
    sources = [f'from workshop.demos import DEMOS\n\nDEMOS["{name}"].make()' for name in DEMOS]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "demos.ipynb")
    with jupyterlab(folder) as address:
        page.goto(address)
        page.wait_for_function(KERNEL_IS_IDLE, timeout=MINUTE)
        page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
        for number in range(len(DEMOS)):
            yield median_of(page.locator(".jp-CodeCell").nth(number).locator(".course-demo"))


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """JupyterLab over a folder: the address of the notebook demos.ipynb in it."""
    (port,) = free_ports(1)
    token = secrets.token_hex(16)
    options = [
        "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={token}", "--LabApp.news_url=",
        "--LabApp.expose_app_in_browser=True",
    ]  # fmt: skip
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/lab/tree/demos.ipynb?token={token}&reset"
    finally:
        server.terminate()
        server.wait()


def wait_for(port: int) -> None:
    """Wait until somebody listens at a port of this machine."""
    end = time.monotonic() + MINUTE / 1000
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("JupyterLab did not start within a minute")


def table() -> str:
    """The medians of all demos, in milliseconds: a row for each."""
    path = find_chromium() or sys.exit(HOW_TO_GET_IT)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1200, "height": 1000})
        medians = {
            "page": list(on_pages(page, Path(name))),
            "JupyterLab": list(in_jupyterlab(page, Path(name))),
        }
        browser.close()
    rows = [("input to the end of the next frame, ms", *medians), *zip(DEMOS, *medians.values())]
    return "\n".join("".join([f"{first:40}", *(f"{one:>12}" for one in rest)]) for first, *rest in rows)


if __name__ == "__main__":
    print(table())
