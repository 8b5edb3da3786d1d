"""Take the still pictures of the demos that need no model, in a headless Chromium.

python -m workshop.stills              all of them
python -m workshop.stills NAME ...     only these

A still is what a saved notebook shows of a demo, and a page whose scripts do not run. The demo is made first, so a new
one begins with any picture of its name in web/stills/.
"""

import argparse
import io
import re
import sys

from PIL import Image
from playwright.sync_api import expect, sync_playwright

from course_utils.explorers.web_demo import WEB
from workshop.chromium import HOW_TO_GET_IT, find_chromium
from workshop.demos import page_script

# What the line that tells the state must contain when the picture is taken; if it needs training, Train is pressed.
STILLS = {
    "transpose_stepper": "",
    "elbo_laboratory": "",
    "playground_circles": "",
    "playground_spirals": "",
    "gan_theatre": "Step 1600 ",
}
MINUTES = 10


def main(arguments: list[str] | None = None) -> None:
    """Take the named stills, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *STILLS])
    names = parser.parse_args(arguments).names or list(STILLS)
    with sync_playwright() as playwright:
        path = find_chromium() or sys.exit(HOW_TO_GET_IT)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 900, "height": 1000})
        for name in names:
            page.set_content(f'<div data-demo="{name}"></div>')
            page.add_script_tag(content=page_script(name))
            if STILLS[name]:
                page.get_by_role("button", name="Train").click()
                expect(page.locator("[role=status]")).to_have_text(
                    re.compile(STILLS[name]), timeout=60_000 * MINUTES
                )
                page.get_by_role("button", name="Pause").click()
            picture = Image.open(io.BytesIO(page.locator(".picture").screenshot()))
            # A file of 256 colours is a third of one of full colours.
            picture.quantize(256).save(WEB / "stills" / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
