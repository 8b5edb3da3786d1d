"""Every row of the catalogue is true: its class, its notebook, what is measured, and the model that ships for it."""

import functools
import inspect

import pytest

from course_utils import classifier, models
from course_utils.catalogue import CATALOGUE, row_of
from course_utils.checkpoints import read
from course_utils.data import load_images
from course_utils.settings import DATASETS, NOTEBOOKS, SHIPPED, data_folder
from workshop.measures import MEASURES, SLOW
from workshop.notebooks import tagged_sources

LARGEST_FILE = 2_000_000
FILES = sorted(SHIPPED.glob("*/*"))
# Measured by its notebook alone: it does not ship.
NOT_SHIPPED = {"conditional_gan_discriminator"}


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_class_stands_in_the_notebook_of_its_row(name):
    row = row_of(name)
    if row.notebook is None:
        assert inspect.isclass(getattr(classifier, row.class_name))
    else:
        assert any(f"class {row.class_name}(" in cell for cell in tagged_sources(row.notebook, "model"))
        assert inspect.isclass(getattr(models, row.class_name))


@pytest.mark.parametrize("name", [name for name, row in CATALOGUE.items() if row.made_by is None])
def test_the_notebook_of_a_row_has_saved_it(name):
    text = (NOTEBOOKS / f"{row_of(name).notebook}.ipynb").read_text(encoding="utf-8")
    assert f'"saved: {name} for strokes after ' in text


def test_an_unknown_name_is_told_with_the_known_ones():
    with pytest.raises(ValueError, match=r"name must be one of mlp_autoencoder, .*; got 'VAE'"):
        row_of("VAE")


def test_every_model_ships_and_nothing_else():
    assert {path.stem for path in FILES} == CATALOGUE.keys() - NOT_SHIPPED
    assert all(path.suffix == ".safetensors" and path.stat().st_size <= LARGEST_FILE for path in FILES)


def test_every_measure_can_be_taken():
    assert {measure for row in CATALOGUE.values() for measure in row.measures} <= MEASURES.keys()


@functools.cache
def images_of(dataset: str):
    """A data set, without a download: the tests that ask for one which is not on this machine are skipped."""
    if dataset != "strokes" and not (data_folder() / DATASETS[dataset].torchvision / "raw").is_dir():
        pytest.skip(f"{dataset} is not in {data_folder()}")
    return load_images(dataset)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.stem}-{path.parent.name}")
def test_a_shipped_model_reaches_what_its_manifest_says(path):
    model, manifest = read(path)
    assert (manifest.name, manifest.dataset) == (path.stem, path.parent.name)
    assert tuple(manifest.metrics) == row_of(manifest.name).measures
    data = images_of(manifest.dataset)
    for measure in manifest.metrics.keys() - SLOW:
        assert MEASURES[measure](model, data) == pytest.approx(manifest.metrics[measure], rel=1e-3)
