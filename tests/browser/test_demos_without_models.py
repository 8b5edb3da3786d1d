"""The demos that compute and train in the page: keyboard and pointer, training, pausing and starting over."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, expect

from workshop.demos import page_script

NAMES = ("transpose_stepper", "elbo_laboratory", "playground_circles", "gan_theatre")
SHOWN = "(demo) => demo.innerText + [...demo.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL()).join()"


class Demo:
    """A demo in the page, by the name of its group."""

    def __init__(self, page: Page, name: str):
        self.page = page
        self.root = self.page.get_by_role("group", name=name, exact=True)
        self.status = self.root.locator("[role=status]")

    def slider(self, label: str) -> Locator:
        return self.root.get_by_role("slider", name=re.compile(f"^{re.escape(label)}"))

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    def after(self, action: Callable[[], None], seconds: float = 20) -> str:
        """Do `action`, and return what the demo shows once that is another thing than before."""
        before = self.root.evaluate(SHOWN)
        action()
        end = time.monotonic() + seconds
        while (now := self.root.evaluate(SHOWN)) == before:
            assert time.monotonic() < end, f"the demo showed the same for {seconds} seconds"
            self.page.wait_for_timeout(20)
        return now


@contextmanager
def plain_page(browser) -> Iterator[Page]:
    """A page without a kernel, with the demos, which must run without a problem."""
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.set_content("".join(f'<div data-demo="{name}"></div>' for name in NAMES))
    for name in NAMES:
        page.add_script_tag(content=page_script(name))
    yield page
    page.close()
    assert not problems, "\n".join(problems)


@contextmanager
def page_of_jupyterlab(lab) -> Iterator[Page]:
    """The demos below the cells of a notebook."""
    cells = [f'from workshop.demos import DEMOS\n\nDEMOS["{name}"].make()' for name in NAMES]
    with lab.open(lab.write_notebook("demos_without_models.ipynb", cells)) as notebook:
        notebook.run_all()
        yield notebook.page


@pytest.fixture(scope="module", params=["page", "JupyterLab"])
def page(request, browser) -> Iterator[Page]:
    """The demos on a page without a kernel, and in JupyterLab."""
    opened = (
        plain_page(browser) if request.param == "page" else page_of_jupyterlab(request.getfixturevalue("lab"))
    )
    with opened as page:
        expect(page.locator(".course-demo")).to_have_count(len(NAMES))
        yield page


def test_the_stepper_follows_the_keyboard_and_the_pointer(page):
    demo = Demo(page, "Transpose convolution, one input pixel at a time")
    lit = demo.root.locator("table", has_text="input").locator("td.lit").first
    assert lit.inner_text() == "5"
    demo.after(lambda: demo.slider("input pixel").press("ArrowRight"))
    assert lit.inner_text() == "6"
    demo.after(lambda: demo.root.get_by_role("cell", name="8", exact=True).first.click())
    assert lit.inner_text() == "8" and demo.slider("input pixel").input_value() == "8"
    demo.after(lambda: demo.slider("padding").press("ArrowRight"))
    expect(demo.status).to_have_text(re.compile(r"= 5\.$"))
    demo.after(lambda: demo.slider("output padding").press("End"))
    expect(demo.status).to_have_text(re.compile("must be smaller than the stride"))
    demo.after(lambda: demo.button("Play").press(" "))
    expect(demo.button("Play")).to_be_visible(timeout=10_000)  # it has come to the last pixel
    assert lit.inner_text() == "9"


def test_the_elbo_laboratory_follows_the_keyboard_and_the_pointer(page):
    demo = Demo(page, "ELBO laboratory")
    for slider, key in (("mean of q", "ArrowRight"), ("width of q", "ArrowLeft"), ("x", "ArrowRight")):
        demo.after(lambda slider=slider, key=key: demo.slider(slider).press(key))
    demo.after(lambda: demo.button("Jump to the best q").press(" "))
    expect(demo.status).to_have_text(re.compile(r"gap \+0\.000"))
    curves = demo.root.get_by_role("img").first
    box = curves.bounding_box()
    demo.after(lambda: curves.click(position={"x": 0.8 * box["width"], "y": 0.5 * box["height"]}))
    assert 1.5 < float(demo.slider("mean of q").input_value()) < 2.5
    assert not demo.slider("mean, latent 2").is_visible()
    demo.after(lambda: demo.root.get_by_role("combobox").select_option("two latents, both used"))
    assert demo.slider("mean, latent 2").is_visible()
    demo.after(lambda: demo.button("Jump to the best q").press(" "))
    expect(demo.status).to_have_text(re.compile(r"gap \+0\.27"))


@pytest.mark.parametrize("name", ["Playground of small networks", "Theatre of a GAN in the plane"])
def test_training_runs_pauses_steps_and_starts_over(page, name):
    demo = Demo(page, name)
    demo.after(lambda: demo.button("Train").press(" "))
    expect(demo.status).not_to_have_text(re.compile(r"Paused|Step \d "), timeout=20_000)
    demo.button("Pause").press(" ")
    paused = demo.root.evaluate(SHOWN)
    demo.page.wait_for_timeout(300)
    assert demo.root.evaluate(SHOWN) == paused
    demo.after(lambda: demo.button("Step").press(" "))
    demo.after(lambda: demo.button("Reset").press(" "))
    expect(demo.status).to_have_text(re.compile("Step 0[ ,]"))


def test_a_change_of_the_network_starts_over_and_one_of_the_learning_rate_does_not(page):
    demo = Demo(page, "Playground of small networks")
    demo.after(lambda: demo.button("Step").press(" "))
    demo.slider("learning rate").press("ArrowLeft")
    expect(demo.status).to_have_text(re.compile("Step 1,"))
    assert not demo.slider("units in 2").is_visible()
    demo.after(lambda: demo.slider("layers").press("ArrowRight"))
    expect(demo.status).to_have_text(re.compile("Step 0,"))
    assert demo.slider("units in 2").is_visible()
    demo.after(lambda: demo.root.get_by_role("combobox").first.select_option("spirals"))


def test_a_player_that_does_not_learn_is_held_still(page):
    demo = Demo(page, "Theatre of a GAN in the plane")
    demo.after(lambda: demo.slider("start").press("ArrowRight"))
    demo.root.get_by_role("checkbox", name="D learns").uncheck()
    demo.root.get_by_role("checkbox", name="G learns").uncheck()
    plane = demo.root.get_by_role("img").first
    before = plane.evaluate("(canvas) => canvas.toDataURL()")
    for _ in range(6):
        demo.button("Step").press(" ")
    expect(demo.status).to_have_text(re.compile("Step 1 of"))
    assert plane.evaluate("(canvas) => canvas.toDataURL()") == before
