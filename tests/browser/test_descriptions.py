"""What a screen reader finds in a saved notebook in JupyterLab: every picture has its description."""

PICTURES = """() => [...document.querySelectorAll(".jp-OutputArea-output img")].map(picture => picture.alt)"""


def test_every_picture_of_a_saved_notebook_has_its_description(lab, site_tools):
    saved = (lab.root / "notebooks/08_vae.ipynb").read_text(encoding="utf-8").count("<img alt=")
    with lab.open("notebooks/08_vae.ipynb") as notebook:
        descriptions = notebook.page.evaluate(PICTURES)
        assert len(descriptions) == saved and all(len(text.split()) >= 4 for text in descriptions)
        notebook.assert_axe_finds_nothing()
