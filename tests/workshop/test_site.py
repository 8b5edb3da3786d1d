"""What the site makes of a notebook, a link and a missing tool; the built pages are tested in tests/browser."""

import importlib.util
from pathlib import Path

import nbformat
import pytest

from workshop import site


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("[a](#Deeper:-z-=-mu,-in-a-test)", "[a](#deeper-z--mu-in-a-test)"),
        ("[a](07_vae.ipynb#P(z),-P(x-given-z):-who)", "[a](07_vae.ipynb#pz-px-given-z-who)"),
        ("[a](README.md#cpu-only) ![b](docs/A.png)", "[a](README.md#cpu-only) ![b](docs/A.png)"),
        ("[a](https://example.org/#Top) $f(x)$", "[a](https://example.org/#Top) $f(x)$"),
    ],
)
def test_anchors_become_those_of_github(text, changed):
    assert site.with_anchors(text) == changed


def test_a_page_says_how_to_run_it_and_which_sections_go_deeper():
    texts = ("# Title\n\nText.", "## Deeper: more", "More text.")
    cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
    cells[1].metadata["tags"] = cells[2].metadata["tags"] = ["deeper"]
    site.page_of(nbformat.v4.new_notebook(cells=cells), "08_vae", "Run it.")
    changed = ["# Title\n\n{.run}\nRun it.\n\nText.", "{.deeper}\n## Deeper: more", "More text."]
    assert [cell.source for cell in cells] == changed


def test_a_picture_becomes_a_file_and_a_demo_is_live(tmp_path):
    image = '<img alt="A map." src="data:image/png;base64,aGVsbG8=" style="max-width: 100%">'
    cells = [nbformat.v4.new_markdown_cell("# Title\n"), nbformat.v4.new_code_cell("CodePad(model)")]
    cells[1].outputs = [nbformat.v4.new_output("display_data", {"text/html": image})]
    notebook = nbformat.v4.new_notebook(cells=cells)
    site.move_pictures(notebook, tmp_path)
    (file,) = tmp_path.iterdir()
    assert file.read_bytes() == b"hello" and file.suffix == ".png"
    site.page_of(notebook, "08_vae", "Run it.")
    html = cells[1].outputs[0].data["text/html"]
    address = f"../_static/pictures/{file.name}"
    assert html == (
        f'<div data-demo="code_pad"><a href="{address}"><img alt="A map." src="{address}" style="max-width: 100%"></a>'
        '</div><script defer src="../_static/demos/code_pad.js"></script>'
    )


def test_colab_and_slides_are_named_only_if_they_are_known():
    unknown = site.where_to_run("08_vae", None, has_deck=False)
    assert "Colab" not in unknown and "slides" not in unknown
    known = site.where_to_run("08_vae", "https://github.com/someone/course/", has_deck=True)
    assert '<a href="../slides/08_vae.html">' in known
    assert "https://colab.research.google.com/github/someone/course/blob/main/notebooks/08_vae.ipynb" in known


def test_what_an_earlier_build_made_goes_and_what_others_put_there_stays(tmp_path, monkeypatch):
    built = tmp_path / "built"
    names = iter((["a.html", "pictures/1.png"], ["a.html", "pictures/2.png"]))

    def sphinx(command, **_):
        for name in next(names):
            (Path(command[-1]) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(command[-1]) / name).touch()

    for name in ("missing_tools", "lay_out", "keep_few_icons"):
        monkeypatch.setattr(site, name, lambda *_: "")
    monkeypatch.setattr(site.subprocess, "run", sphinx)
    site.build(built)
    for name in ("CNAME", "pictures/own.png", "slides/08_vae.html"):
        (built / name).parent.mkdir(exist_ok=True)
        (built / name).touch()
    site.build(built)
    left = {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()}
    assert left == {
        ".made", "CNAME", "a.html", "pictures/2.png", "pictures/own.png", "slides/08_vae.html",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("module", "name", "value", "sentence"),
    [
        (importlib.util, "find_spec", lambda name: None, "the packages of the extra [site]"),
        (site.shutil, "which", lambda name: None, "the site needs node"),
        (site, "KATEX", site.SITE / "nowhere", "npm ci"),
    ],
)
def test_a_missing_tool_is_named(module, name, value, sentence, monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: "found")
    monkeypatch.setattr(site.shutil, "which", lambda name: "found")
    monkeypatch.setattr(site, "KATEX", tmp_path)
    assert site.missing_tools() == ""
    monkeypatch.setattr(module, name, value)
    assert sentence in site.missing_tools()
    with pytest.raises(ValueError, match="the site needs"):
        site.build(tmp_path)
