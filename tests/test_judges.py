"""The independent classifier: the shipped one is good enough to judge, another one is trained once and kept."""

import numpy as np
import pytest
import torch

from course_utils import checkpoints, judges
from course_utils.checkpoints import CheckpointError
from course_utils.classifier import DigitClassifier
from course_utils.data import CLASSES, ImageData, load_images
from course_utils.judges import Judge
from course_utils.settings import SHIPPED


def bars(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (count, 28, 28) of a bright bar in one of ten places, which is the label (count,)."""
    labels = torch.arange(count) % 10
    images = torch.zeros(count, 28, 28, dtype=torch.uint8)
    for image, label in zip(images, labels.tolist()):
        image[4 + 2 * label : 6 + 2 * label, 4:24] = 255 if label % 2 else 200
    return images, labels


@pytest.fixture
def toy_data(tmp_path, monkeypatch):
    """A small data set in the place of MNIST, empty folders for trained models, and a short training."""
    images, labels = bars(200)
    data = ImageData("mnist", CLASSES["mnist"], images, labels, images[:50], labels[:50])
    loaded = []

    def load(name):
        loaded.append(name)
        return data

    monkeypatch.setattr(judges, "load_images", load)
    monkeypatch.setattr(checkpoints, "own_folder", lambda: tmp_path / "own")
    (tmp_path / "shipped").mkdir()
    monkeypatch.setattr(checkpoints, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(judges, "IMAGES_SEEN", 600)
    monkeypatch.delenv("COURSE_DATASET", raising=False)
    return loaded


def test_the_shipped_judge_reads_99_percent_of_held_out_strokes():
    data = load_images("strokes")
    model, _ = checkpoints.read(SHIPPED / "strokes" / "classifier.safetensors")
    assert not model.training
    assert judges.accuracy(model, data.test_images, data.test_labels) >= 0.99


def test_strokes_need_no_training_and_the_judge_answers_with_probabilities(monkeypatch):
    monkeypatch.delenv("COURSE_DATASET", raising=False)
    monkeypatch.setattr(judges, "train_judge", lambda *arguments: 1 / 0)
    judge, x = judges.load_judge(), torch.rand(2, 1, 28, 28)
    p = judge(x)
    assert p.shape == (2, 10) and not judge.training and not judge.classifier.training
    assert torch.allclose(p.sum(dim=1), torch.ones(2)) and p.min() >= 0
    assert torch.equal(judges.probabilities(judge, x), p)


def test_another_judge_is_trained_once_and_kept(toy_data, tmp_path, capsys):
    first = judges.load_judge("mnist")
    assert "Training the classifier for mnist, once" in capsys.readouterr().out
    again = judges.load_judge("mnist")
    assert capsys.readouterr().out == "" and toy_data == ["mnist"]
    x = torch.rand(3, 1, 28, 28)
    assert torch.allclose(first(x), again(x), atol=1e-6) and not first.training
    assert [path.name for path in (tmp_path / "own" / "mnist").iterdir()] == ["classifier.safetensors"]


def test_a_judge_that_cannot_be_kept_judges_all_the_same(toy_data, tmp_path, capsys):
    (tmp_path / "own").write_text("in the way")
    judge = judges.load_judge("mnist")
    assert "not kept for the next time, because the folder" in capsys.readouterr().out
    assert judge(torch.rand(3, 1, 28, 28)).shape == (3, 10)


def test_its_manifest_says_how_it_came_about(toy_data):
    judges.load_judge("mnist")
    model, manifest = checkpoints.load_with_manifest("classifier", "mnist")
    images, labels = bars(50)
    assert manifest.metrics == {"accuracy": pytest.approx(judges.accuracy(model, images, labels))}
    assert (manifest.dataset, manifest.seed, manifest.steps) == ("mnist", 0, 3)


def test_the_data_set_comes_from_the_environment(toy_data, monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", "mnist")
    judges.load_judge()
    assert toy_data == ["mnist"]


def test_training_learns_the_classes():
    images, labels = bars(600)
    model, _ = judges.train_judge(images, labels, seed=1, images_seen=12_000)
    assert judges.accuracy(model, images, labels) >= 0.95


def test_training_is_repeatable():
    images, labels = bars(600)
    models = [judges.train_judge(images, labels, seed=1, images_seen=600)[0] for _ in range(2)]
    assert torch.equal(models[0].head.weight, models[1].head.weight)


def test_training_leaves_the_random_numbers_alone():
    images, labels = bars(20)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    judges.train_judge(images, labels, images_seen=20)
    assert torch.equal(torch.rand(2), expected)


def test_a_damaged_judge_is_told_and_not_trained_anew(toy_data, tmp_path):
    judges.load_judge("mnist")
    (tmp_path / "own" / "mnist" / "classifier.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="cannot be used"):
        judges.load_judge("mnist")


def test_an_unknown_data_set_is_told_in_a_sentence():
    with pytest.raises(ValueError, match=r"name must be one of strokes, .*; got 'letters'"):
        judges.load_judge("letters")


def test_the_names_of_data_sets_are_those_of_the_settings(toy_data):
    judges.load_judge("MNIST")
    assert toy_data == ["mnist"]


def test_accuracy_is_the_share_of_right_answers():
    class AlwaysThree(torch.nn.Module):
        def forward(self, x):
            return torch.eye(10)[3].expand(len(x), 10)

    labels = torch.tensor([3, 3, 1, 0])
    images = torch.zeros(4, 28, 28, dtype=torch.uint8)
    assert judges.accuracy(AlwaysThree(), images, labels) == 0.5
    with pytest.raises(ValueError, match=r"one for each image, \(4,\); got int64 of shape \(4, 1\)"):
        judges.accuracy(AlwaysThree(), images, labels[:, None])


def test_a_missing_judge_names_the_function_that_makes_it(toy_data):
    assert not checkpoints.is_trained("classifier", "kmnist")
    with pytest.raises(CheckpointError, match="kmnist has no trained classifier: load_judge makes it"):
        checkpoints.load_trained("classifier", "kmnist")


# --- what judges say of images ---


class FirstTen(torch.nn.Module):
    def forward(self, x):
        return x.flatten(1)[:, :10]


class BrightestOfTen(DigitClassifier):
    """A classifier whose features are the image's first ten pixels, and whose class is the brightest of them."""

    def __init__(self):
        super().__init__()
        self.certainty = 20.0
        self.extractor = FirstTen()
        self.head = torch.nn.Linear(10, 10)

    def forward(self, x):
        return self.certainty * self.extractor(x)


@pytest.fixture
def toy_judge():
    return Judge(BrightestOfTen()).train()


def dots(labels) -> torch.Tensor:
    """Images (N, 1, 28, 28) that the toy judge puts into the classes `labels`."""
    x = torch.zeros(len(labels), 1, 28, 28)
    x[torch.arange(len(labels)), 0, 0, torch.as_tensor(labels)] = 1
    return x


def test_probabilities_are_the_judges_softmax_in_eval_mode(toy_judge):
    p = judges.probabilities(toy_judge, dots([3, 7]))
    assert p.shape == (2, 10) and p.argmax(dim=1).tolist() == [3, 7] and not toy_judge.training
    assert torch.allclose(p.sum(dim=1), torch.ones(2))
    assert p[0, 3].item() == pytest.approx(1 / (1 + 9 * torch.e**-20), rel=1e-6)


def test_more_images_than_fit_at_once_keep_their_order(toy_judge, monkeypatch):
    x = dots([i % 10 for i in range(23)])
    expected = judges.features(toy_judge, x)
    monkeypatch.setattr(judges, "IMAGES_AT_ONCE", 4)
    assert torch.equal(judges.features(toy_judge, x), expected) and expected.shape == (23, 10)


@pytest.mark.parametrize(
    "measure", [judges.probabilities, judges.acceptance, judges.class_shares], ids=lambda f: f.__name__
)
def test_a_network_that_returns_logits_is_no_judge(measure, toy_judge):
    with pytest.raises(
        ValueError, match=r"judge must return probabilities .*from 0 to 20: .*return logits.softmax\(dim=1\)"
    ):
        measure(toy_judge.classifier, dots([1, 2]))


def test_a_function_that_returns_probabilities_is_a_judge(toy_judge):
    x = dots([3, 7])
    as_function = lambda x: toy_judge.classifier(x).softmax(dim=1)  # noqa: E731
    assert judges.fidelity(as_function, x, torch.tensor([3, 6])) == 0.5
    assert judges.acceptance(as_function, x) == 1


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_images_of_any_precision_are_judged(toy_judge, dtype):
    x = dots([3, 7])
    assert torch.equal(judges.probabilities(toy_judge, x.to(dtype)), judges.probabilities(toy_judge, x))
    assert judges.features(toy_judge, x.to(dtype)).dtype == torch.float32


def test_fidelity_is_the_share_in_the_asked_class(toy_judge):
    x = dots([0, 1, 2, 3])
    assert judges.fidelity(toy_judge, x, torch.tensor([0, 1, 2, 9])) == 0.75


def test_acceptance_counts_images_that_the_judge_is_sure_of(toy_judge):
    x = dots([1, 1, 1, 1])
    x[0, 0, 0, 2] = 1  # two classes alike: at most one half each
    assert judges.acceptance(toy_judge, x) == 0.75
    toy_judge.classifier.certainty = 0.1
    assert judges.acceptance(toy_judge, x) == 0


def test_class_shares_show_a_class_that_is_missing(toy_judge):
    shares = judges.class_shares(toy_judge, dots([0, 0, 0, 5]))
    assert shares.tolist() == [0.75, 0, 0, 0, 0, 0.25, 0, 0, 0, 0]


def test_the_frechet_distance_of_gaussians_is_the_formula(toy_judge):
    # Features N(m, s^2 I) and N(m', s'^2 I): |m - m'|^2 + 10 (s - s')^2, up to the error of 20,000 samples.
    torch.manual_seed(0)

    def images(mean, deviation):
        x = torch.zeros(20_000, 1, 28, 28)
        x[:, 0, 0, :10] = mean + deviation * torch.randn(20_000, 10)
        return x.clamp(0, 1)

    distance = judges.frechet_distance(toy_judge, images(0.5, 0.02), images(0.7, 0.08))
    assert distance == pytest.approx(10 * 0.2**2 + 10 * 0.06**2, rel=0.01)


def test_the_frechet_distance_takes_images_of_both_kinds_and_is_0_for_the_same(toy_judge):
    images = torch.randint(0, 256, (300, 28, 28), dtype=torch.uint8)
    x = images.unsqueeze(1) / 255
    assert judges.frechet_distance(toy_judge, images, x) == pytest.approx(0, abs=1e-6)


def test_the_frechet_distance_to_features_is_the_one_to_their_images(toy_judge):
    real, x = torch.rand(2, 300, 1, 28, 28)
    to_features = judges.frechet_distance(toy_judge, judges.features(toy_judge, real), x)
    assert to_features == judges.frechet_distance(toy_judge, real, x) > 0
    with pytest.raises(ValueError, match=r"real must be pixels \(N, 1, 28, 28\).*\(300, 784\)"):
        judges.frechet_distance(toy_judge, real.flatten(1), x)


def test_the_frechet_distance_leaves_the_judge_as_it_is():
    judge = judges.load_judge("strokes")
    x = torch.rand(300, 1, 28, 28)
    before = judges.features(judge, x)
    judges.frechet_distance(judge, x, x)
    assert torch.equal(judges.features(judge, x), before) and before.dtype == torch.float32


def test_auroc_is_the_share_of_pairs_in_the_right_order():
    assert judges.auroc(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])) == 1
    assert judges.auroc(torch.tensor([1.0, 3.0]), torch.tensor([2.0, 4.0])) == 0.75
    assert judges.auroc(torch.tensor([3.0, 4.0]), torch.tensor([1.0])) == 0


def test_neighbours_come_with_their_distances_the_nearest_first():
    references = torch.tensor([[0.0, 0.0], [3.0, 4.0], [1.0, 0.0]]).view(3, 1, 1, 2)
    distances, indices = judges.nearest_neighbours(torch.zeros(1, 1, 1, 2), references, k=3)
    assert indices.tolist() == [[0, 2, 1]]
    assert torch.allclose(distances, torch.tensor([[0.0, 1.0, 5.0]], dtype=distances.dtype), atol=1e-5)


def test_neighbours_that_are_nearly_equal_and_far_from_the_origin_keep_their_order():
    torch.manual_seed(0)
    references = 1000 + torch.rand(300, 20)
    queries = references + 1e-3 * torch.rand(300, 20)
    right = (queries.double()[:, None] - references.double()).norm(dim=2).sort(dim=1)
    distances, indices = judges.nearest_neighbours(queries, references, k=3)
    assert torch.equal(indices, right.indices[:, :3])
    assert torch.allclose(distances.double(), right.values[:, :3], rtol=1e-5)


def test_measures_take_tensors_with_gradients_and_of_half_precision():
    z = torch.tensor([[0.0, 0.0], [3.0, 4.0]], requires_grad=True)
    for queries in (z, z.half()):
        distances, indices = judges.nearest_neighbours(queries, z, k=np.int64(2))
        assert indices.tolist() == [[0, 1], [1, 0]] and not distances.requires_grad
    assert judges.auroc(z[0], z[1]) == 1
    train = torch.randint(0, 256, (5, 28, 28), dtype=torch.uint8)
    x = torch.rand(2, 1, 28, 28, requires_grad=True)
    assert judges.pca_reconstruction(train, x, numbers=1).shape == x.shape


def test_no_query_has_no_neighbours():
    distances, indices = judges.nearest_neighbours(torch.zeros(0, 2), torch.zeros(3, 2), k=2)
    assert distances.shape == indices.shape == (0, 2)


def test_pca_restores_what_lies_in_its_directions_and_nothing_else():
    torch.manual_seed(0)
    train = torch.zeros(50, 28, 28, dtype=torch.uint8)
    train[:, 0, 0], train[:, 0, 1] = torch.randint(0, 255, (2, 50), dtype=torch.uint8)
    x = torch.zeros(4, 1, 28, 28)
    x[:, 0, 0, 0], x[:, 0, 5, 5] = 0.3, 1.0
    restored = judges.pca_reconstruction(train, x, numbers=2)
    x[:, 0, 5, 5] = 0
    assert restored.shape == x.shape and torch.allclose(restored, x, atol=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda j, x: judges.probabilities(j, x[:, 0]), r"x must be pixels \(N, 1, 28, 28\).*\(4, 28, 28\)"),
        (lambda j, x: judges.features(j, (255 * x).byte()), "got uint8 of shape"),
        (lambda j, x: judges.features(j, 2 * x - 1), r"must lie in \[0, 1\]; got pixels from -1 to 1"),
        (lambda j, x: judges.class_shares(j, x * torch.nan), "got pixels from nan"),
        (lambda j, x: judges.class_shares(j, x + 2**-23), r"got pixels from .* to 1\.00000012"),
        (lambda j, x: judges.class_shares(j, x[:0]), "at least one image"),
        (lambda j, x: judges.probabilities(j, x.numpy()), "x must be a tensor of pixels.*; got ndarray"),
        (
            lambda j, x: judges.fidelity(j, x, torch.tensor([1, 2, 3])),
            r"one for each image, \(4,\); got int64",
        ),
        (lambda j, x: judges.fidelity(j, x, torch.zeros(4)), r"labels must be whole .*; got float32"),
        (
            lambda j, x: judges.fidelity(j, x, torch.tensor([0, 1, 2, 11])),
            "0 to 9, .*; got labels from 0 to 11",
        ),
        (lambda j, x: judges.fidelity(j, x, [0, 1, 2, 3]), "labels must be whole .*; got list"),
        (lambda j, x: judges.acceptance(j, x, 95), "confidence must lie between 0 and 1; got 95"),
        (lambda j, x: judges.frechet_distance(j, x, x), "real must hold at least 20 images"),
        (lambda j, x: judges.frechet_distance(j, x.repeat(9, 1, 1, 1), x), "x must hold at least 20 images"),
        (lambda j, x: judges.nearest_neighbours(x, x[..., :9]), "rows of one shape"),
        (
            lambda j, x: judges.frechet_distance(j, x.numpy(), x),
            "real must be a tensor of pixels.*; got ndarray",
        ),
        (
            lambda j, x: judges.frechet_distance(j, torch.rand(20, 10), torch.full((20, 10), torch.nan)),
            "x must be finite; got nan",
        ),
        (
            lambda j, x: judges.frechet_distance(j, torch.full((20, 10), -torch.inf), torch.rand(20, 10)),
            "real must be finite; got -inf",
        ),
        (lambda j, x: judges.acceptance(j, x, "a"), "confidence must lie between 0 and 1; got 'a'"),
        (
            lambda j, x: judges.frechet_distance(j, x, 2 * x),
            r"x must lie in \[0, 1\]; got pixels from 0 to 2",
        ),
        (
            lambda j, x: judges.features(j.classifier, x),
            "judge must be one of load_judge.*; got BrightestOfTen",
        ),
        (lambda j, x: judges.nearest_neighbours(x, x, 5), "k must be a whole number from 1 to 4; got 5"),
        (
            lambda j, x: judges.nearest_neighbours(x, x[:0]),
            "references must hold at least one row; got none",
        ),
        (lambda j, x: judges.nearest_neighbours(x.numpy(), x), "queries must be a tensor; got ndarray"),
        (lambda j, x: judges.nearest_neighbours(x, x * torch.nan), "references must be finite; got nan"),
        (lambda j, x: judges.nearest_neighbours(x, x, 2.0), "k must be a whole number from 1 to 4; got 2.0"),
        (
            lambda j, x: judges.nearest_neighbours(x[:, 0, 0, 0], x[:, 0, 0, 0]),
            r"rows of one shape; got \(4,\)",
        ),
        (
            lambda j, x: judges.pca_reconstruction(x[:, 0].byte(), x, 2.0),
            "numbers must be a whole .*; got 2.0",
        ),
        (
            lambda j, x: judges.pca_reconstruction(x[:, 0].byte(), x[:, 0].byte(), 2),
            r"x must be pixels \(N, 1, 28, 28\), .*; got uint8 of shape \(4, 28, 28\)",
        ),
        (
            lambda j, x: judges.auroc(x[:0, 0, 0, 0], x[:, 0, 0, 0]),
            r"normal must be scores \(N,\), at least one",
        ),
        (lambda j, x: judges.auroc(x[:, 0, 0, 0], []), r"strange must be scores .*; got shape \(0,\)"),
        (
            lambda j, x: judges.auroc(x[:, 0, 0, 0], x[:, 0]),
            r"strange must be scores .*; got shape \(4, 28, 28\)",
        ),
        (lambda j, x: judges.auroc([0.0, float("nan")], [1.0]), "normal must be finite scores; got nan"),
    ],
)
def test_what_cannot_be_judged_is_told_in_a_sentence(toy_judge, call, message):
    with pytest.raises(ValueError, match=message):
        call(toy_judge, dots([0, 1, 2, 3]))
