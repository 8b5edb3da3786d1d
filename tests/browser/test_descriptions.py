"""What a screen reader finds in JupyterLab: every picture and demo has a description, and axe-core finds no fault."""

from workshop.site import SITE

AXE = SITE / "node_modules" / "axe-core" / "axe.min.js"
# The sliders of ipywidgets have their label beside them only for the eye.
OF_IPYWIDGETS = ["aria-input-field-name"]
VIOLATIONS = """ignored => axe.run({include: [[".jp-OutputArea-output"]]},
    {rules: Object.fromEntries(ignored.map(rule => [rule, {enabled: false}]))})
    .then(({violations}) => violations.map(({id, nodes}) => `${id}: ${nodes.map(node => node.html.slice(0, 200))}`))"""
PICTURES = """() => [...document.querySelectorAll(".jp-OutputArea-output img")].map(picture => picture.alt)"""
DEMO = """
from course_utils.data import load_images
from course_utils.explorers.data_browser import DataBrowser

DataBrowser(load_images("strokes"))
"""


def test_every_picture_of_a_saved_notebook_has_its_description(lab, site_tools):
    saved = (lab.root / "notebooks/08_vae.ipynb").read_text(encoding="utf-8").count("<img alt=")
    with lab.open("notebooks/08_vae.ipynb") as notebook:
        descriptions = notebook.page.evaluate(PICTURES)
        assert len(descriptions) == saved and all(len(text.split()) >= 4 for text in descriptions)
        notebook.page.add_script_tag(path=AXE)
        assert notebook.page.evaluate(VIOLATIONS, OF_IPYWIDGETS) == []


def test_a_demo_has_its_description(lab, site_tools):
    with lab.open(lab.write_notebook("described.ipynb", [DEMO])) as notebook:
        notebook.run_all()
        notebook.page.add_script_tag(path=AXE)
        assert notebook.page.evaluate(VIOLATIONS, OF_IPYWIDGETS) == []
