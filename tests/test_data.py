"""The data sets: every way in which a file can be missing or damaged, and the minibatches made of them."""

import errno
import functools
import gzip
import hashlib
import http.client
import http.server
import os
import shutil
import struct
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torchvision import datasets

from course_utils import data, settings
from course_utils.data import (
    DataError,
    check_labels,
    load_folder,
    load_images,
    minibatches,
    strokes_if_few_pictures,
    to_pixels,
    with_ten_classes,
)

# --- strokes, which ships with the course ---

TORCHVISION = {name: known.torchvision for name, known in settings.DATASETS.items() if known.torchvision}


def test_strokes_have_the_promised_shapes_and_factors():
    strokes = load_images("strokes")
    assert strokes.train_images.shape == (20_000, 28, 28) and strokes.train_images.dtype == torch.uint8
    assert strokes.test_images.shape == (4_000, 28, 28) and strokes.test_images.dtype == torch.uint8
    assert strokes.train_labels.dtype == strokes.test_labels.dtype == torch.int64
    assert set(strokes.train_factors) == {"slant", "rotation", "stretch", "pen_width", "variant"}
    for factors, size in ((strokes.train_factors, 20_000), (strokes.test_factors, 4_000)):
        assert all(values.shape == (size,) for values in factors.values())
    assert strokes.classes == tuple("0123456789")


def test_strokes_is_the_default_and_the_environment_changes_it(monkeypatch):
    monkeypatch.delenv("COURSE_DATASET", raising=False)
    assert load_images().name == "strokes"
    monkeypatch.setenv("COURSE_DATASET", "letters")
    with pytest.raises(ValueError, match=r"name must be one of strokes, mnist, .*; got 'letters'"):
        load_images()


@pytest.fixture
def own_strokes(tmp_path, monkeypatch):
    """A copy of the shipped file that a test may damage."""
    for name in ("strokes.npz", "strokes.npz.sha256"):
        shutil.copy(settings.DATA / name, tmp_path)
    monkeypatch.setattr(data, "STROKES_FILE", tmp_path / "strokes.npz")
    return tmp_path / "strokes.npz"


def test_damaged_strokes_are_refused(own_strokes):
    content = bytearray(own_strokes.read_bytes())
    content[len(content) // 2] ^= 1
    own_strokes.write_bytes(content)
    with pytest.raises(DataError, match=r"strokes.npz is damaged \(its checksum is wrong\).*git checkout"):
        load_images("strokes")


def test_strokes_with_an_empty_checksum_are_refused(own_strokes):
    own_strokes.with_name("strokes.npz.sha256").write_text("")
    with pytest.raises(DataError, match=r"strokes.npz is damaged \(its checksum is wrong\).*git checkout"):
        load_images("strokes")


@pytest.mark.parametrize("name", ["strokes.npz", "strokes.npz.sha256"])
def test_missing_strokes_are_refused(own_strokes, name):
    own_strokes.with_name(name).unlink()
    with pytest.raises(DataError, match=f"{name} is missing.*git checkout"):
        load_images("strokes")


def test_an_installation_without_the_rest_of_the_course_is_told_so(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "NOTEBOOKS", tmp_path / "notebooks")
    with pytest.raises(
        DataError, match=r"installed without the rest of the course: clone .*pip install -e \."
    ):
        load_images("strokes")


# --- the data sets that are downloaded: a local server with small files in the publishers' format ---


def idx_file(array: torch.Tensor) -> bytes:
    header = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.numpy().tobytes()


def small_files(seed: int) -> dict[str, bytes]:
    generator = torch.Generator().manual_seed(seed)
    files = {}
    for split, size in (("train", 30), ("t10k", 20)):
        images = torch.randint(0, 256, (size, 28, 28), generator=generator, dtype=torch.uint8)
        labels = torch.randint(0, 10, (size,), generator=generator, dtype=torch.uint8)
        files[f"{split}-images-idx3-ubyte"] = idx_file(images)
        files[f"{split}-labels-idx1-ubyte"] = idx_file(labels)
    return files


class Publisher:
    """A web server on this machine that publishes small data sets, and counts what is fetched."""

    def __init__(self, folder, monkeypatch):
        self.requests = []
        handler = functools.partial(self.Handler, self, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        # Its shutdown waits for the next look at the clock, every half second by default.
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        for number, (name, class_name) in enumerate(TORCHVISION.items()):
            self.publish(folder / name, small_files(number), getattr(datasets, class_name), monkeypatch)
        mnist_sums = {name: hashlib.sha256(content).hexdigest() for name, content in small_files(0).items()}
        monkeypatch.setattr(data, "MNIST_SHA256", mnist_sums)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, publisher, *arguments, **keywords):
            self.publisher = publisher
            super().__init__(*arguments, **keywords)

        def do_GET(self):
            self.publisher.requests.append(self.path)
            super().do_GET()

        def log_message(self, *arguments):
            pass

    def publish(self, folder, files, dataset_class, monkeypatch):
        folder.mkdir()
        resources = []
        for name, content in files.items():
            archive = gzip.compress(content, mtime=0)
            (folder / f"{name}.gz").write_bytes(archive)
            resources.append((f"{name}.gz", hashlib.md5(archive).hexdigest()))
        port = self.server.server_address[1]
        monkeypatch.setattr(dataset_class, "mirrors", [f"http://127.0.0.1:{port}/{folder.name}/"])
        monkeypatch.setattr(dataset_class, "resources", resources)


@pytest.fixture
def publisher(tmp_path, monkeypatch):
    (tmp_path / "web").mkdir()
    publisher = Publisher(tmp_path / "web", monkeypatch)
    yield publisher
    publisher.server.shutdown()
    publisher.server.server_close()


@pytest.fixture
def root(tmp_path):
    return tmp_path / "home"


NAMES = list(TORCHVISION)


def raw_folder(root, name):
    return root / TORCHVISION[name] / "raw"


@pytest.mark.parametrize("name", NAMES)
def test_a_download_arrives_whole_and_is_not_repeated(publisher, root, name):
    first = load_images(name, root)
    assert first.train_images.shape == (30, 28, 28) and first.test_labels.shape == (20,)
    assert idx_file(first.train_images) == small_files(NAMES.index(name))["train-images-idx3-ubyte"]
    assert idx_file(first.test_labels.byte()) == small_files(NAMES.index(name))["t10k-labels-idx1-ubyte"]
    assert first.train_labels.dtype == torch.int64 and len(first.classes) == 10 and not first.train_factors
    fetched = len(publisher.requests)
    again = load_images(name, root)
    assert torch.equal(first.train_images, again.train_images)
    assert len(publisher.requests) == fetched
    assert [entry.name for entry in root.iterdir()] == [TORCHVISION[name]]


def test_the_environment_points_at_the_folder(publisher, root, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(root))
    monkeypatch.setenv("COURSE_DATASET", "MNIST")
    assert load_images().name == "mnist"
    assert raw_folder(root, "mnist").is_dir()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("inside", ["MNIST", "MNIST/raw"])
def test_a_folder_inside_the_right_one_is_recognised(publisher, root, name, inside):
    load_images("mnist", root)
    load_images(name, root / inside)
    assert {entry.name for entry in root.iterdir()} == {"MNIST", TORCHVISION[name]}
    assert [entry.name for entry in (root / "MNIST").iterdir()] == ["raw"]


def test_a_folder_that_is_only_named_like_a_data_set_is_taken_as_it_is(publisher, tmp_path):
    load_images("mnist", tmp_path / "MNIST")
    assert raw_folder(tmp_path / "MNIST", "mnist").is_dir()
    assert load_images("mnist", tmp_path / "MNIST").name == "mnist"


def test_what_an_old_torchvision_left_beside_the_verified_files_is_not_read(publisher, root):
    expected = load_images("mnist", root)
    (root / "MNIST" / "processed").mkdir()
    for file in ("training.pt", "test.pt"):
        other = torch.full((5, 28, 28), 77, dtype=torch.uint8), torch.full((5,), 9)
        torch.save(other, root / "MNIST" / "processed" / file)
    found = load_images("mnist", root)
    assert torch.equal(found.train_images, expected.train_images)
    assert torch.equal(found.test_labels, expected.test_labels)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", ["zeroed", "truncated"])
def test_a_damaged_file_is_noticed_on_every_load(publisher, root, name, damage):
    load_images(name, root)
    path = raw_folder(root, name) / "t10k-images-idx3-ubyte"
    content = path.read_bytes()
    path.write_bytes(content[:16] + bytes(len(content) - 16) if damage == "zeroed" else content[:-100])
    with pytest.raises(
        DataError, match=r"t10k-images-idx3-ubyte is damaged \(its checksum is wrong\): delete it"
    ):
        load_images(name, root)
    path.unlink()
    assert load_images(name, root).test_images.shape == (20, 28, 28)


def test_a_damaged_archive_is_noticed(publisher, root):
    load_images("kmnist", root)
    archive = raw_folder(root, "kmnist") / "t10k-images-idx3-ubyte.gz"
    archive.write_bytes(archive.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte.gz is damaged"):
        load_images("kmnist", root)


def test_unpacked_files_without_their_archive_cannot_be_verified(publisher, root):
    load_images("fashion_mnist", root)
    (raw_folder(root, "fashion_mnist") / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte.gz is missing, and .* cannot be verified"):
        load_images("fashion_mnist", root)


def test_mnist_needs_no_archives(publisher, root):
    load_images("mnist", root)
    for archive in raw_folder(root, "mnist").glob("*.gz"):
        archive.unlink()
    assert load_images("mnist", root).train_images.shape == (30, 28, 28)


@pytest.mark.parametrize("name", NAMES)
def test_without_a_network_one_sentence_says_what_to_do_and_nothing_is_left(publisher, root, name):
    publisher.server.shutdown()
    publisher.server.server_close()
    with pytest.raises(
        DataError, match=rf"^{name} could not be downloaded into .*COURSE_DATASET=strokes"
    ) as caught:
        load_images(name, root)
    assert "\n" not in str(caught.value)
    assert list(root.iterdir()) == []


def test_a_download_that_breaks_off_leaves_nothing(publisher, root, tmp_path):
    archive = tmp_path / "web" / "mnist" / "t10k-images-idx3-ubyte.gz"
    archive.write_bytes(archive.read_bytes()[:50])
    with pytest.raises(DataError, match="mnist could not be downloaded"):
        load_images("mnist", root)
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "cannot be written: set COURSE_DATA_DIR"),
        (OSError(errno.EROFS, "Read-only file system"), "cannot be written: set COURSE_DATA_DIR"),
        (OSError(errno.ENOSPC, "No space left on device"), "does not fit into .*No space left on device"),
        (OSError(errno.EDQUOT, "Quota exceeded"), "does not fit into .*Quota exceeded"),
        (OSError(errno.EFBIG, "File too large"), "does not fit into .*File too large"),
        (FileExistsError(errno.EEXIST, "File exists"), "a file stands where a folder is needed"),
        (
            ConnectionResetError(errno.ECONNRESET, "Connection reset"),
            r"check the network.*Connection reset\)",
        ),
        (http.client.IncompleteRead(b"half", 10), r"check the network.*IncompleteRead\(4 bytes read"),
        (RuntimeError(), r"check the network.*\(RuntimeError\)"),
        (RuntimeError("Error:\n tried a mirror"), r"check the network.*\(Error: tried a mirror\)"),
    ],
    ids=lambda value: repr(value) if isinstance(value, Exception) else "",
)
def test_each_reason_has_its_own_sentence_and_nothing_is_left(publisher, root, monkeypatch, error, sentence):
    def fail(self):
        raise error

    monkeypatch.setattr(datasets.MNIST, "download", fail)
    with pytest.raises(DataError, match=f"^mnist .*{sentence}") as caught:
        load_images("mnist", root)
    assert "\n" not in str(caught.value) and list(root.iterdir()) == []


@pytest.mark.parametrize("file", ["", "MNIST", "MNIST/raw"])
def test_a_file_in_the_place_of_a_folder_is_named(publisher, root, file):
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text("in the way")
    with pytest.raises(DataError, match=r"^mnist cannot be stored in .*MNIST: a file stands where a folder"):
        load_images("mnist", root)
    assert (root / file).read_text() == "in the way"


def test_the_rest_of_an_earlier_attempt_is_not_taken_for_the_whole(publisher, root):
    folder = raw_folder(root, "mnist")
    folder.mkdir(parents=True)
    (folder / "train-images-idx3-ubyte").write_bytes(b"half")
    assert load_images("mnist", root).train_images.shape == (30, 28, 28)
    assert (folder / "train-images-idx3-ubyte").read_bytes() == small_files(0)["train-images-idx3-ubyte"]


def test_several_notebooks_may_download_at_once(publisher, root):
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _: load_images("kmnist", root), range(6)))
    assert all(torch.equal(result.train_images, results[0].train_images) for result in results)
    assert [entry.name for entry in root.iterdir()] == ["KMNIST"]


@pytest.fixture
def read_only():
    """Makes a folder read-only. File permissions do not bind root, so root becomes nobody for the test."""
    if os.name == "nt":
        pytest.skip("Windows has no read-only folders of this kind")
    was_root = os.geteuid() == 0

    def make(folder):
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        if was_root:
            os.seteuid(65534)

    yield make
    if was_root:
        os.seteuid(0)


@pytest.fixture
def open_folder():
    """A folder that every user of the machine can reach, as pytest's own cannot be."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_read_only_folder_that_holds_the_data_serves(publisher, open_folder, read_only):
    load_images("kmnist", open_folder)
    read_only(open_folder)
    assert load_images("kmnist", open_folder).train_images.shape == (30, 28, 28)


def test_a_read_only_folder_without_the_data_is_named(publisher, open_folder, read_only):
    read_only(open_folder)
    with pytest.raises(
        DataError, match=f"mnist is not in {open_folder}, and that folder cannot be written: set COURSE_"
    ):
        load_images("mnist", open_folder)


# --- what networks take ---


def test_pixels_lie_between_0_and_1():
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(3, 1, 1).expand(3, 28, 28)
    pixels = to_pixels(images)
    assert pixels.shape == (3, 1, 28, 28) and pixels.dtype == torch.float32
    assert pixels[:, 0, 0, 0].tolist() == pytest.approx([0.0, 0.2, 1.0])


def test_images_with_channels_keep_them():
    colours = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(1, 3, 1, 1).expand(2, 3, 32, 32)
    pixels = to_pixels(colours)
    assert pixels.shape == (2, 3, 32, 32) and pixels[1, :, 0, 0].tolist() == pytest.approx([0.0, 0.2, 1.0])
    assert to_pixels(colours[:, :1]).shape == (2, 1, 32, 32)


@pytest.mark.parametrize(
    ("images", "got"),
    [
        (torch.zeros(3, 28, 28), r"got float32 of shape \(3, 28, 28\)"),
        (torch.zeros(28, 28, dtype=torch.uint8), r"got uint8 of shape \(28, 28\)"),
        (torch.zeros(2, 32, 32, 3, dtype=torch.uint8), r"got uint8 of shape \(2, 32, 32, 3\)"),
        (np.zeros((2, 28, 28), dtype=np.uint8), "a tensor; got ndarray"),
    ],
)
def test_pixels_of_something_else_are_refused(images, got):
    with pytest.raises(ValueError, match=f"images must be .*{got}"):
        to_pixels(images)


def test_an_epoch_visits_every_example_once_with_its_label():
    images = torch.arange(10, dtype=torch.uint8).reshape(10, 1, 1).expand(10, 28, 28)
    labels = torch.arange(10)
    batches = list(minibatches(images, labels, batch_size=4, epochs=2))
    assert len(batches) == len(minibatches(images, labels, batch_size=4, epochs=2)) == 6
    assert [len(y) for _, y in batches] == [4, 4, 2, 4, 4, 2]
    epochs = [torch.cat([y for _, y in batches[:3]]), torch.cat([y for _, y in batches[3:]])]
    assert all(sorted(epoch.tolist()) == list(range(10)) for epoch in epochs)
    assert epochs[0].tolist() != epochs[1].tolist()
    for x, y in batches:
        assert torch.equal((x[:, 0, 0, 0] * 255).round().long(), y)


def test_minibatches_of_one_tensor_are_no_tuples_and_repeat_with_their_seed():
    points = torch.rand(10, 2)
    orders = [torch.cat(list(minibatches(points, batch_size=3, epochs=1, seed=seed))) for seed in (1, 1, 2)]
    assert torch.equal(orders[0], orders[1]) and not torch.equal(orders[0], orders[2])


def test_minibatches_leave_the_random_numbers_of_the_notebook_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    list(minibatches(torch.arange(8), batch_size=2, epochs=1))
    assert torch.equal(torch.rand(3), expected)


def test_colour_images_come_out_as_pixels():
    colours = torch.full((4, 3, 32, 32), 255, dtype=torch.uint8)
    (batch,) = minibatches(colours, batch_size=4, epochs=1)
    assert batch.shape == (4, 3, 32, 32) and batch.dtype == torch.float32 and batch.max() == 1


def test_each_loop_has_new_orders_and_all_repeat_with_the_seed():
    def three_loops():
        batches = minibatches(torch.arange(100), batch_size=10, epochs=1, seed=3)
        return torch.stack([torch.cat(list(batches)) for _ in range(3)])

    loops = three_loops()
    assert len(loops.unique(dim=0)) == 3
    assert torch.equal(loops, three_loops())
    # Three loops of one epoch train as one loop of three epochs does.
    whole = torch.cat(list(minibatches(torch.arange(100), batch_size=10, epochs=3, seed=3)))
    assert torch.equal(loops.flatten(), whole)


@pytest.mark.parametrize(
    ("count", "batch_size", "sizes"),
    [
        (61, 30, [30, 31]),
        (62, 30, [30, 30, 2]),
        (60, 30, [30, 30]),
        (3, 2, [3]),
        (1, 30, [1]),
        (3, 1, [1] * 3),
    ],
)
def test_a_single_example_that_is_left_over_joins_the_minibatch_before(count, batch_size, sizes):
    batches = minibatches(torch.arange(count), batch_size=batch_size, epochs=2)
    assert [len(x) for x in batches] == 2 * sizes and len(batches) == 2 * len(sizes)
    assert sorted(torch.cat(list(batches)[: len(sizes)]).tolist()) == list(range(count))


def test_whole_numbers_of_numpy_are_whole_numbers():
    batches = minibatches(torch.arange(4), batch_size=np.int64(2), epochs=np.int64(1), seed=np.int64(5))
    assert [len(x) for x in batches] == [2, 2]


@pytest.mark.parametrize(
    ("tensors", "numbers", "sentence"),
    [
        ((), {}, r"tensors must be at least one, all of the same length; got lengths \[\]"),
        ((torch.zeros(3), torch.zeros(4)), {}, r"got lengths \[3, 4\]"),
        ((torch.zeros(0),), {}, "tensors must hold at least one example; got length 0"),
        (([1, 2, 3],), {}, r"minibatches takes tensors of shape \(N, ...\).*; got list"),
        ((np.zeros(3),), {}, r"minibatches takes tensors of shape \(N, ...\).*; got ndarray"),
        ((torch.tensor(3.0),), {}, r"minibatches takes tensors of shape \(N, ...\).*; got a single number"),
        ((torch.zeros(3), torch.zeros(3, device="meta")), {}, "must lie on one device; got cpu and meta"),
        ((torch.zeros(3),), {"batch_size": 0}, "batch_size must be a whole number, at least 1; got 0"),
        ((torch.zeros(3),), {"batch_size": 32.0}, "batch_size must be a whole number, at least 1; got 32.0"),
        ((torch.zeros(3),), {"batch_size": True}, "batch_size must be a whole number, at least 1; got True"),
        ((torch.zeros(3),), {"batch_size": None}, "batch_size must be a whole number, at least 1; got None"),
        ((torch.zeros(3),), {"epochs": 0}, "epochs must be a whole number, at least 1; got 0"),
        ((torch.zeros(3),), {"seed": None}, "seed must be a whole number, at least 0; got None"),
    ],
)
def test_impossible_minibatches_are_refused(tensors, numbers, sentence):
    with pytest.raises(ValueError, match=sentence):
        minibatches(*tensors, **{"batch_size": 2, "epochs": 1, **numbers})


def test_minibatches_of_a_whole_data_set_are_refused():
    with pytest.raises(ValueError, match=r"such as data\.train_images; got ImageData"):
        minibatches(load_images("strokes"), batch_size=2, epochs=1)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8])
def test_whole_numbers_of_any_kind_are_labels(dtype):
    check_labels(torch.tensor([0, 9, 4], dtype=dtype), count=3, classes=10)


@pytest.mark.parametrize(
    ("labels", "got"),
    [
        (torch.tensor([0, 10, 4]), "labels from 0 to 10"),
        (torch.tensor([0, -1, 4]), "labels from -1 to 4"),
        (torch.tensor([0.0, 1.0, 4.0]), r"float32 of shape \(3,\)"),
        (torch.tensor([True, False, True]), r"bool of shape \(3,\)"),
        (torch.tensor([[0], [1], [4]]), r"int64 of shape \(3, 1\)"),
        (torch.tensor(4), r"int64 of shape \(\)"),
        (torch.tensor([4]), r"int64 of shape \(1,\)"),
        ([0, 1, 4], "list"),
    ],
)
def test_what_cannot_be_labels_is_told_in_a_sentence(labels, got):
    with pytest.raises(
        ValueError, match=rf"y must be whole numbers from 0 to 9, one for each image, \(3,\); got {got}"
    ):
        check_labels(labels, count=3, classes=10, name="y")


# --- a folder of own pictures ---


@pytest.fixture
def signs(tmp_path):
    """A folder `signs` with two classes, round and straight, drawn in colour on pages of another colour and size."""
    root = tmp_path / "signs"
    for label in ("round", "straight"):
        (root / label).mkdir(parents=True)
        for i in range(7):
            page = Image.new("RGB", (80 + 10 * i, 90), "ivory")
            draw = ImageDraw.Draw(page)
            box = (20, 15, 50 + i, 70)
            draw.ellipse(box, outline="navy", width=5) if label == "round" else draw.line(box, "navy", 5)
            page.save(root / label / f"picture{i}.{'png' if i % 2 else 'jpg'}")
    return root


def test_a_folder_of_pictures_becomes_a_data_set(signs):
    (signs / ".DS_Store").write_bytes(b"")
    (signs / "round" / ".hidden").write_bytes(b"")
    (signs / "notes.txt").write_text("beside the folders of the classes")
    own = load_folder(signs)
    assert own.name == signs.resolve().as_posix() and own.classes == ("round", "straight")
    assert own.train_images.shape == (10, 28, 28) and own.train_images.dtype == torch.uint8
    assert own.test_images.shape == (4, 28, 28) and own.test_labels.dtype == torch.int64
    assert own.train_labels.bincount().tolist() == [5, 5] and own.test_labels.bincount().tolist() == [2, 2]
    assert own.train_factors == {}
    # Each image still has its own label: only a ring has no ink in the middle.
    images = torch.cat([own.train_images, own.test_images])
    labels = torch.cat([own.train_labels, own.test_labels])
    assert ((images[:, 12:16, 12:16].amax(dim=(1, 2)) > 100) == (labels == 1)).all()
    assert images.amax(dim=(1, 2)).min() > 200
    assert own.train_labels.diff().count_nonzero() > 1  # not class by class


def test_parts_that_need_ten_classes_go_on_with_strokes_and_say_so(signs, capsys):
    own, strokes = load_folder(signs), load_images("strokes")
    capsys.readouterr()
    assert with_ten_classes(strokes) is strokes and capsys.readouterr().out == ""
    assert with_ten_classes(own).name == "strokes"
    assert capsys.readouterr().out == (
        f"{own.name} has 2 classes: this part needs ten, and goes on with strokes.\n"
    )


def test_few_pictures_are_told_what_they_are_too_few_for(signs, capsys):
    load_folder(signs)
    assert capsys.readouterr().out == (
        "own pictures: 14 in 2 classes. Notebooks that judge what a model draws need 10 classes and 15,000 pictures, "
        "and go on with strokes.\n"
    )


def test_notebooks_that_judge_samples_go_on_with_strokes(signs, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_DATASET", str(signs))
    strokes_if_few_pictures()
    assert capsys.readouterr().out.startswith("own pictures: 14 in 2 classes.")
    assert settings.dataset_name() == "strokes"


def test_a_known_data_set_stays(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_DATASET", "mnist")
    strokes_if_few_pictures()
    assert capsys.readouterr().out == "" and settings.dataset_name() == "mnist"


def test_the_same_pictures_are_held_out_each_time(signs):
    first, second = load_folder(signs), load_folder(str(signs))
    assert torch.equal(first.test_images, second.test_images)
    held_out = {data.prepare_drawing(Image.open(signs / "round" / f"picture{i}.{end}")).tobytes()
                for i, end in ((0, "jpg"), (5, "png"))}  # fmt: skip
    assert {image.numpy().tobytes() for image in first.test_images[first.test_labels == 0]} == held_out


def test_a_folder_is_named_by_the_argument_or_the_environment(signs, monkeypatch):
    assert load_images(signs).classes == load_images(str(signs)).classes == ("round", "straight")
    monkeypatch.setenv("COURSE_DATASET", str(signs))
    own = load_images()
    assert own.classes == ("round", "straight")
    assert load_images(own.name).name == own.name
    monkeypatch.chdir(signs.parent)
    assert load_folder("signs").name == load_images("./signs").name == own.name


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (shutil.rmtree, "signs is not a folder: name one that holds a folder of pictures for each class"),
        (lambda signs: shutil.rmtree(signs / "round"), "signs must hold 2 to 10 folders of pictures, one for each "
         "class; it holds 1"),
        (lambda signs: [(signs / str(i)).mkdir() for i in range(9)], "one for each class; it holds 11"),
        (lambda signs: [(signs / "round" / f"picture{i}.{'png' if i % 2 else 'jpg'}").unlink() for i in range(1, 7)],
         "round must hold at least two pictures, one to train on and one to test; it holds 1"),
        (lambda signs: (signs / "round" / "a.txt").write_text("no picture"), "a.txt cannot be read as a picture: take "
         "it out of its folder, or save it again as PNG or JPEG"),
        (lambda signs: (signs / "round" / "more").mkdir(), "more cannot be read as a picture"),
        (lambda signs: (signs / "round" / "picture1.png").write_bytes(
            (signs / "round" / "picture1.png").read_bytes()[:150]), "picture1.png cannot be read as a picture"),
        (lambda signs: Image.new("RGB", (50, 50), "ivory").save(signs / "round" / "blank.png"), "blank.png shows "
         "nothing but background: take it out of its folder"),
    ],
)  # fmt: skip
def test_what_a_folder_cannot_give_is_told_in_one_sentence(change, sentence, signs):
    change(signs)
    with pytest.raises(DataError) as error:
        load_folder(signs)
    assert sentence in str(error.value) and "\n" not in str(error.value)
