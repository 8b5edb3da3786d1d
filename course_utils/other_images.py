"""Images that belong to none of the data sets: characters as a printer writes them."""

import string
from pathlib import Path

import matplotlib
import torch
from PIL import Image, ImageDraw, ImageFont

from course_utils.data import to_pixels
from course_utils.drawings import prepare_drawing

# The typefaces that matplotlib brings along, four cuts of each.
FONTS = tuple(
    f"{family}{cut}.ttf"
    for family, cuts in {
        "DejaVuSans": ("", "-Bold", "-Oblique", "-BoldOblique"),
        "DejaVuSansMono": ("", "-Bold", "-Oblique", "-BoldOblique"),
        "DejaVuSerif": ("", "-Bold", "-Italic", "-BoldItalic"),
        "STIXGeneral": ("", "Bol", "Italic", "BolIta"),
    }.items()
    for cut in cuts
)
PAGE, TYPE = 160, 90  # the side of the page and the size of the type, in pixels


def printed(characters: str = string.ascii_uppercase) -> torch.Tensor:
    """Printed characters as pixels (N, 1, 28, 28) in [0, 1], of the size and in the place of the data sets' digits.

    Each character comes once in each of 16 fonts, all characters of a font together: N is 16 times their number.
    """
    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    fonts = [ImageFont.truetype(folder / name, TYPE) for name in FONTS]
    pages = [_page(character, font) for font in fonts for character in characters]
    return to_pixels(torch.stack([torch.from_numpy(prepare_drawing(page)) for page in pages]))


def _page(character: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    page = Image.new("L", (PAGE, PAGE), "white")
    ImageDraw.Draw(page).text((PAGE / 2, PAGE / 2), character, fill="black", font=font, anchor="mm")
    return page
