"""No notebook needs more than its data set has: neither factors, nor trained models, nor trainings that ended.

Each runs here on a small data set of another name, whose models have learnt nothing, with trainings that stop at once.
"""

import ast
import gzip
import hashlib
import re
from functools import partialmethod
from itertools import islice

import nbformat
import pytest
import torch
from PIL import Image
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torchvision import datasets

from course_utils import checkpoints
from course_utils.checkpoints import load_images_with_models
from course_utils.data import Minibatches, load_images
from course_utils.environment import forked_random_numbers
from course_utils.explorers import what_breaks
from course_utils.judges import Judge
from course_utils.scoreboard import MODELS
from course_utils.settings import NOTEBOOKS, course_notebooks
from course_utils.training import TrainingRun
from workshop.cells import Notebook, names_of

PATHS = course_notebooks()


def code_cells(path) -> list:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def idx_file(values: torch.Tensor) -> bytes:
    """uint8 values in the format of MNIST's files: kind and number of dimensions, each size, the bytes."""
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.numpy().tobytes()


@pytest.fixture
def small_kmnist(tmp_path, monkeypatch):
    """COURSE_DATASET is `kmnist`: 3,000 and 3,000 digits of `strokes`, in files as torchvision publishes them."""
    strokes = load_images("strokes")
    files = {
        "train-images-idx3-ubyte": strokes.train_images[:3000],
        "train-labels-idx1-ubyte": strokes.train_labels[:3000].byte(),
        "t10k-images-idx3-ubyte": strokes.test_images[:3000],
        "t10k-labels-idx1-ubyte": strokes.test_labels[:3000].byte(),
    }
    folder = tmp_path / "KMNIST" / "raw"
    folder.mkdir(parents=True)
    resources = []
    for name, values in files.items():
        content = idx_file(values)
        archive = gzip.compress(content, compresslevel=1)
        (folder / name).write_bytes(content)
        (folder / f"{name}.gz").write_bytes(archive)
        resources.append((f"{name}.gz", hashlib.md5(archive).hexdigest()))
    monkeypatch.setattr(datasets.KMNIST, "resources", resources)
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COURSE_DATASET", "kmnist")


@pytest.fixture
def own_models(tmp_path, monkeypatch):
    """This machine's own models lie in a folder of the test: none at first."""
    monkeypatch.setattr(checkpoints, "own_folder", lambda: tmp_path / "own")


def keep_untrained(name: str, dataset: str = "kmnist") -> None:
    model, manifest = checkpoints.load_with_manifest(name, "strokes")
    untrained = type(model)(**manifest.settings)
    if name == "classifier":  # a judge that is sure of nothing, and takes all for the first class
        nn.init.zeros_(untrained.head.weight)
        nn.init.zeros_(untrained.head.bias)
    checkpoints.write_trained(
        name, untrained, dataset=dataset, settings=manifest.settings, seed=0, steps=0, seconds=0.0, metrics={}
    )  # fmt: skip


# --- a whole notebook ---


@pytest.fixture
def trainings_stop(monkeypatch):
    """A training ends after its first step, other loops over minibatches after two, EM and k-means after a round."""
    monkeypatch.setattr(TrainingRun, "_draw_if_due", lambda run: setattr(run, "stopped", True))
    whole = Minibatches.__iter__
    monkeypatch.setattr(Minibatches, "__iter__", lambda batches: islice(whole(batches), 2))
    for estimator in (GaussianMixture, KMeans):
        monkeypatch.setattr(estimator, "fit", partialmethod(fit_in_one_round, estimator.fit))


@pytest.fixture
def judge_takes_no_time(monkeypatch):
    """The judge says what one does that has learnt nothing, and its features are products with the same weights."""
    weights = torch.randn(784, 128, generator=torch.Generator().manual_seed(0)) / 28
    monkeypatch.setattr(Judge, "forward", lambda judge, x: x.new_full((len(x), 10), 0.1))
    monkeypatch.setattr(Judge, "features", lambda judge, x: x.flatten(1) @ weights)


def fit_in_one_round(estimator, fit, x, *rest, **keywords):
    return fit(estimator.set_params(max_iter=1), x, *rest, **keywords)


def cells_of_the_data_set(name: str) -> list:
    """The code cells of a notebook that use a data set, directly or not, and those that they need."""
    notebook = Notebook(name)
    wanted, of_data = set(), {"load_images", "load_images_with_models"}
    for place, source in enumerate(notebook.sources()):
        needs, defines = names_of(source)
        if needs & of_data:
            wanted.add(place)
            of_data |= defines
    return [notebook.code[place] for place in notebook.with_what_they_need(wanted, notebook.sources())]


def names_after(path, monkeypatch, until: str = "") -> dict:
    """All names that these cells of a notebook define, one after the other, until a name is among them."""
    monkeypatch.chdir(NOTEBOOKS)
    names: dict = {}
    with forked_random_numbers():
        for cell in cells_of_the_data_set(path.stem):
            exec(compile(cell.source, f"<{path.name}, cell {cell.id}>", "exec"), names)
            if until in names:
                break
    return names


# Notebook 13 keeps no training, and its processes take a minute.
@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("path", PATHS[:-1], ids=lambda path: path.stem)
def test_a_notebook_goes_on_where_nothing_was_learnt(
    path, small_kmnist, own_models, trainings_stop, judge_takes_no_time, monkeypatch
):
    monkeypatch.setattr(what_breaks, "BATCH_SIZE", 8)
    for name in ("mlp_autoencoder", *MODELS, "vae_prior", "classifier"):
        keep_untrained(name)
    names = names_after(path, monkeypatch)
    assert names["data"].name == "kmnist"


@pytest.fixture
def own_pictures(tmp_path, monkeypatch):
    """COURSE_DATASET is a folder of own pictures: 150 of each of three classes."""
    strokes, root = load_images("strokes"), tmp_path / "pictures"
    for label in (2, 4, 7):
        (root / f"class {label}").mkdir(parents=True)
        for i, image in enumerate(strokes.train_images[strokes.train_labels == label][:150]):
            Image.fromarray(255 - image.numpy()).save(root / f"class {label}" / f"{i:03d}.png")
    monkeypatch.setenv("COURSE_DATASET", str(root))
    return root


# Notebook 06 needs models that 03 and 05 trained, and goes on with strokes.
@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("path", [*PATHS[:6], PATHS[7]], ids=lambda path: path.stem)
def test_a_notebook_runs_on_few_own_pictures_of_three_classes(
    path, own_pictures, own_models, trainings_stop, monkeypatch
):
    keep_untrained("classifier", own_pictures.resolve().as_posix())
    names = names_after(path, monkeypatch)
    assert names["data"].name == own_pictures.resolve().as_posix()


@pytest.mark.parametrize("path", PATHS[8:12], ids=lambda path: path.stem)
def test_a_notebook_that_judges_samples_goes_on_with_strokes(path, own_pictures, monkeypatch):
    names = names_after(path, monkeypatch, until="data")
    assert names["data"].name == "strokes"


# --- what a data set has not ---


def test_without_trained_models_a_notebook_goes_on_with_strokes_and_says_so(small_kmnist, own_models, capsys):
    keep_untrained("conv_autoencoder")
    assert load_images_with_models("conv_autoencoder").name == "kmnist"
    assert capsys.readouterr().out == ""
    assert load_images_with_models("conv_autoencoder", "mlp_autoencoder", "vae").name == "strokes"
    assert capsys.readouterr().out == (
        "kmnist has no trained mlp_autoencoder, vae: this notebook goes on with strokes "
        "(run 03_autoencoder_mlp, 08_vae with kmnist first).\n"
    )


def test_with_strokes_nothing_is_said(own_models, capsys):
    assert load_images_with_models(*MODELS, dataset="strokes").name == "strokes"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_no_compared_cell_is_silent_on_another_data_set(path):
    for cell in code_cells(path):
        if "nbval-check-output" in cell.metadata.get("tags", []):
            for statement in ast.parse(cell.source).body:
                silent = isinstance(statement, ast.If) and not statement.orelse
                assert not silent, f"what it prints depends on the data set: {cell.source}"


# --- displayed solutions on a graphics card, of which PyTorch only computes shapes and devices ---


class OnTheCard(nn.Module):
    """Encoder, decoder and generator in one, for 2 numbers of code or noise and ten classes."""

    noise_size, num_classes = 2, 10

    def __init__(self):
        super().__init__()
        self.down, self.up, self.of_class = nn.Linear(784, 2), nn.Linear(2, 784), nn.Embedding(10, 2)

    def encode(self, x, y=None):
        z = self.down(x.flatten(1))
        return z if y is None else (z + self.of_class(y), z)

    def decode(self, z, y=None):
        return self.up(z if y is None else z + self.of_class(y)).view(-1, 1, 28, 28)

    forward = decode


@pytest.mark.parametrize(
    ("notebook", "exercise", "arguments", "shape"),
    [
        ("06", "walk_between", lambda x, y: (x[:1], x[1:], 5), (5, 1, 28, 28)),
        ("09", "in_every_class", lambda x, y: (x[:1], y[:1]), (10, 1, 28, 28)),
    ],
)
def test_displayed_solutions_work_with_a_model_on_a_graphics_card(notebook, exercise, arguments, shape):
    (path,) = NOTEBOOKS.glob(f"{notebook}_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    (solution,) = [
        cell.source for cell in cells if "```python\n" in cell.source and f"def {exercise}(" in cell.source
    ]
    names = {"torch": torch, "mix": lambda a, b, t: (1 - t) * a + t * b}
    exec(re.search(r"```python\n(.*?)```", solution, re.DOTALL)[1], names)
    with FakeTensorMode():
        with torch.device("cuda"):
            model, x, y = OnTheCard(), torch.zeros(2, 1, 28, 28), torch.zeros(2, dtype=torch.long)
        images = names[exercise](model, *arguments(x, y))
    assert images.device.type == "cuda" and images.shape == shape
