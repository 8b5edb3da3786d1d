"""The independent classifier: the shipped one is good enough to judge, another one is trained once and kept."""

import pytest
import torch

from course_utils import checkpoints, judges
from course_utils.checkpoints import SHIPPED, CheckpointError
from course_utils.data import CLASSES, ImageData, load_images


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
    monkeypatch.setattr(checkpoints, "OWN", tmp_path / "own")
    monkeypatch.setattr(checkpoints, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(judges, "IMAGES_SEEN", 600)
    monkeypatch.delenv("COURSE_DATASET", raising=False)
    return loaded


def test_the_shipped_judge_reads_99_percent_of_held_out_strokes():
    data = load_images("strokes")
    model, _ = checkpoints.read(
        SHIPPED / "strokes" / "classifier.safetensors", SHIPPED / "strokes" / "classifier.json"
    )
    assert not model.training
    assert judges.accuracy(model, data.test_images, data.test_labels) >= 0.99


def test_strokes_need_no_training(monkeypatch):
    monkeypatch.delenv("COURSE_DATASET", raising=False)
    monkeypatch.setattr(judges, "train_judge", lambda *arguments: 1 / 0)
    assert judges.load_judge()(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_another_judge_is_trained_once_and_kept(toy_data, tmp_path, capsys):
    first = judges.load_judge("mnist")
    assert "Training the classifier for mnist, once" in capsys.readouterr().out
    again = judges.load_judge("mnist")
    assert capsys.readouterr().out == "" and toy_data == ["mnist"]
    x = torch.rand(3, 1, 28, 28)
    assert torch.equal(first(x), again(x)) and not first.training
    assert sorted(path.suffix for path in (tmp_path / "own" / "mnist").iterdir()) == [".json", ".safetensors"]


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


def test_training_learns_the_classes_and_is_repeatable():
    images, labels = bars(600)
    models = [judges.train_judge(images, labels, seed=1, images_seen=12_000)[0] for _ in range(2)]
    assert judges.accuracy(models[0], images, labels) >= 0.95
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
    with pytest.raises(ValueError, match=r"dataset must be one of strokes, .*; got 'letters'"):
        judges.load_judge("letters")


def test_accuracy_is_the_share_of_right_answers():
    class AlwaysThree(torch.nn.Module):
        def forward(self, x):
            return torch.eye(10)[3].expand(len(x), 10)

    labels = torch.tensor([3, 3, 1, 0])
    assert judges.accuracy(AlwaysThree(), torch.zeros(4, 28, 28, dtype=torch.uint8), labels) == 0.5


def test_a_missing_judge_names_the_function_that_makes_it(toy_data):
    assert not checkpoints.is_trained("classifier", "kmnist")
    with pytest.raises(
        CheckpointError, match=r"no trained classifier for kmnist yet: load_judge\('kmnist'\) makes"
    ):
        checkpoints.load_trained("classifier", "kmnist")
