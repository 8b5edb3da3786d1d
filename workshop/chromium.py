"""Where Chromium or Google Chrome lies on this machine, for what is measured, drawn or tested in a browser."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
HOW_TO_GET_IT = (
    "Chromium or Google Chrome is needed, and none was found: install it (Debian: apt-get install chromium; macOS: "
    "brew install --cask google-chrome) or name it in the environment variable COURSE_CHROMIUM."
)


def find_chromium() -> str | None:
    """The browser's executable: what COURSE_CHROMIUM names, else the first known one that is installed, else None.

    Raises ValueError if COURSE_CHROMIUM names no executable file.
    """
    if named := os.environ.get("COURSE_CHROMIUM"):
        if shutil.which(named) is None:
            raise ValueError(f"COURSE_CHROMIUM must name an executable file; got {named!r}")
        return shutil.which(named)
    return next((found for name in (*NAMES, *PLACES) if (found := shutil.which(name))), None)
