"""Drawings: parts stand where they say, the SVG is the same each time, and its alt text reaches the page."""

import base64
import re
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from matplotlib import rc_context

from course_utils.plots import ORANGE
from course_utils.schematics import Schematic


def drawing() -> Schematic:
    schematic = Schematic(12, 5)
    x = schematic.grid(2, 2, torch.tensor([[1, 0], [3, 1.5]]), marked={(0, 1): ORANGE}, title="x")
    encoder = schematic.box(6, 2, "encoder", taper=0.5)
    schematic.arrow(x.right, encoder.left, "$w$")
    schematic.arrow(encoder.right, schematic.node(10, 2, "$z$", observed=True).left, bend=0.2, dashed=True)
    schematic.frame(8, 2.5, 7.5, 4.5, "trained")
    return schematic


def test_parts_know_where_their_sides_are():
    place = Schematic(10, 5).box(4, 2, "encoder", width=3, height=2)
    assert (
        place.left == (2.5, 2) and place.right == (5.5, 2) and place.top == (4, 3) and place.bottom == (4, 1)
    )
    node = Schematic(10, 5).node(4, 2, "z", radius=1)
    assert node.left == (3, 2) and node.middle == (4, 2)


def test_the_drawing_is_well_formed_and_the_same_each_time_whatever_the_readers_settings():
    first = drawing().svg()
    assert ElementTree.fromstring(first).tag.endswith("svg")
    with rc_context({"text.usetex": True, "svg.hashsalt": None, "svg.fonttype": "none"}):
        assert drawing().svg() == first


def test_the_alt_text_stands_in_the_page_and_cannot_break_it(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr("course_utils.schematics.display", lambda data, raw: shown.append(data))
    drawing().show('An encoder, "q(z|x)", makes z of x < 1.')
    (data,) = shown
    alt, source = re.fullmatch(
        r'<img alt="([^"]*)" src="data:image/svg\+xml;base64,([^"]*)".*>', data["text/html"]
    ).groups()
    assert alt == "An encoder, &quot;q(z|x)&quot;, makes z of x &lt; 1."
    assert base64.b64decode(source).decode() == drawing().svg()
    with pytest.raises(ValueError, match="alt must be a sentence"):
        drawing().show(" ")
