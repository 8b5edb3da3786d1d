"""What judges reconstructions and samples: a classifier that has nothing to do with the models it judges.

Images to judge are pixels (N, 1, 28, 28) in [0, 1]; a `judge` is what `load_judge` returns. Say with every measure how
many images it was taken from, and what real images score: that is its floor.
"""

import os
import time

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from torchmetrics.image.fid import FrechetInceptionDistance

from course_utils import checkpoints
from course_utils.data import ImageData, load_images, minibatches, to_pixels
from course_utils.models import DigitClassifier

IMAGES_SEEN = 240_000
PEAK_RATE = 6e-3
IMAGES_AT_ONCE = 1000


# --- the independent classifier ---


def load_judge(dataset: str | None = None) -> DigitClassifier:
    """The independent classifier: pixels (B, 1, 28, 28) in [0, 1] to logits (B, 10), in eval mode on the CPU.

    `dataset` defaults to COURSE_DATASET, else `strokes`, whose classifier ships with the course. For another data
    set it is trained at the first call, which takes about a minute and needs the data, and kept for the next one.
    Raises ValueError for an unknown data set, DataError if its images cannot be had, CheckpointError if the file of
    a trained classifier is damaged or cannot be written.
    """
    dataset = dataset or os.environ.get("COURSE_DATASET") or "strokes"
    if not checkpoints.is_trained("classifier", dataset):
        data = load_images(dataset)
        print(f"Training the classifier for {dataset}, once: about a minute.")
        keep_judge(data, folder=checkpoints.OWN)
    return checkpoints.load_trained("classifier", dataset)


def keep_judge(data: ImageData, folder, seed: int = 0) -> None:
    """Train the classifier of a data set, measure it on the test images, and save it in `folder`, half precision."""
    begin = time.perf_counter()
    model, steps = train_judge(data.train_images, data.train_labels, seed)
    seconds = round(time.perf_counter() - begin, 1)
    model.half()
    metrics = {"accuracy": accuracy(model.float(), data.test_images, data.test_labels)}
    checkpoints.save_trained(
        "classifier", model.half(), dataset=data.name, settings={}, seed=seed, steps=steps, seconds=seconds,
        metrics=metrics, folder=folder,
    )  # fmt: skip


def train_judge(
    images: torch.Tensor, labels: torch.Tensor, seed: int = 0, images_seen: int | None = None
) -> tuple[DigitClassifier, int]:
    """A classifier trained on uint8 images (N, 28, 28) with labels (N,), in eval mode, and its number of steps.

    It sees about `images_seen` images (default: IMAGES_SEEN); every batch is shifted by at most one pixel. The
    random numbers of the caller are left alone.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = DigitClassifier().to(images.device, memory_format=torch.channels_last)
        epochs = max(1, round((images_seen or IMAGES_SEEN) / len(images)))
        batches = minibatches(images, labels, batch_size=256, epochs=epochs, seed=seed)
        optimizer = torch.optim.Adam(model.parameters(), lr=PEAK_RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=len(batches))
        for x, y in batches:
            shift = torch.randint(-1, 2, (2,)).tolist()
            loss = F.cross_entropy(model(x.roll(shift, dims=(2, 3))), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval(), len(batches)


@torch.no_grad()
def accuracy(model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of uint8 images (N, 28, 28) that a model in eval mode puts into their class (N,)."""
    guesses = torch.cat([model(to_pixels(part)).argmax(dim=1) for part in images.split(1000)])
    return (guesses == labels).float().mean().item()


# --- what the classifier says of images ---


@torch.no_grad()
def probabilities(judge: DigitClassifier, x: torch.Tensor) -> torch.Tensor:
    """The judge's probability of each class, (N, 10), for pixels x (N, 1, 28, 28) in [0, 1]."""
    return torch.cat([judge(part) for part in _parts(judge, x)]).softmax(dim=1)


@torch.no_grad()
def features(judge: DigitClassifier, x: torch.Tensor) -> torch.Tensor:
    """What the judge's head is given, (N, 128), for pixels x (N, 1, 28, 28) in [0, 1]."""
    return torch.cat([judge.extractor(part) for part in _parts(judge, x)])


def fidelity(judge: DigitClassifier, x: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of images x that the judge puts into the class they were asked for, `labels` (N,).

    Its control is the same with shuffled labels, near one tenth for ten classes. Raises ValueError if images and labels
    are not as many.
    """
    if labels.shape != (len(x),):
        raise ValueError(f"labels must be one per image, ({len(x)},); got shape {tuple(labels.shape)}")
    return (probabilities(judge, x).argmax(dim=1) == labels.to(x.device)).float().mean().item()


def acceptance(judge: DigitClassifier, x: torch.Tensor, confidence: float = 0.95) -> float:
    """The share of images x of whose class the judge is sure: its largest probability is at least `confidence`."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; got {confidence}")
    return (probabilities(judge, x).amax(dim=1) >= confidence).float().mean().item()


def class_shares(judge: DigitClassifier, x: torch.Tensor) -> torch.Tensor:
    """The share of the images x that the judge puts into each class, (10,), which adds up to 1.

    Real images have a tenth in each class. A share near 0 is a class that a generator does not draw: mode collapse.
    """
    guesses = probabilities(judge, x).argmax(dim=1)
    return torch.bincount(guesses, minlength=judge.head.out_features) / len(guesses)


def frechet_distance(judge: DigitClassifier, real: torch.Tensor, x: torch.Tensor) -> float:
    """The Frechet distance of images x to real images, in the judge's features: 0 if mean and covariance agree.

    |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)) for means m, m' and covariances C, C' of the features: Heusel et al.
    (2017), "GANs trained by a two time-scale update rule ...", NeurIPS, equation 6, computed by torchmetrics in
    double precision. It falls with the number of images, so compare distances of equal numbers only, and give the
    floor beside them: the distance of two sets of real images.

    `real` and `x` are pixels (N, 1, 28, 28) in [0, 1], or uint8 images (N, 28, 28). Raises ValueError for other shapes,
    and for fewer images than twice the number of features, whose covariances would mean nothing.
    """
    network = torch.nn.Identity()  # torchmetrics is given features, and passes them on
    network.num_features = judge.head.in_features
    metric = FrechetInceptionDistance(feature=network).to(_device_of(judge))
    for name, images in (("real", real), ("x", x)):
        if len(images) < 2 * network.num_features:
            raise ValueError(
                f"{name} must hold at least {2 * network.num_features} images for a covariance; got {len(images)}"
            )
        pixels = to_pixels(images) if images.dtype == torch.uint8 else images
        metric.update(features(judge, pixels).double(), real=name == "real")
    return metric.compute().item()


# --- what needs no classifier ---


def auroc(normal: torch.Tensor | np.ndarray, strange: torch.Tensor | np.ndarray) -> float:
    """The area under the ROC curve of scores (N,) and (M,): how often a strange image scores above a normal one.

    1 if every strange one scores higher, 0.5 if the score knows nothing (scikit-learn's roc_auc_score).
    """
    scores = np.concatenate([np.asarray(normal), np.asarray(strange)])
    return float(roc_auc_score(np.repeat([0, 1], [len(normal), len(strange)]), scores))


def nearest_neighbours(
    queries: torch.Tensor, references: torch.Tensor, k: int = 1
) -> tuple[torch.Tensor, torch.Tensor]:
    """The k nearest references of each query: Euclidean distances and indices, both (N, k), the nearest first.

    `queries` (N, ...) and `references` (M, ...) are flattened: pixels, codes or features. Raises ValueError if they
    do not fit, or k is more than there are references.
    """
    if queries.shape[1:] != references.shape[1:]:
        raise ValueError(
            f"queries and references must have rows of one shape; got {tuple(queries.shape[1:])} and "
            f"{tuple(references.shape[1:])}"
        )
    if not 1 <= k <= len(references):
        raise ValueError(f"k must be between 1 and the {len(references)} references; got {k}")
    # Brute force is a matrix product, which no tree beats in so many dimensions.
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(references.flatten(1).cpu().numpy())
    distances, indices = search.kneighbors(queries.flatten(1).cpu().numpy())
    return torch.from_numpy(distances), torch.from_numpy(indices)


def pca_reconstruction(train_images: torch.Tensor, x: torch.Tensor, numbers: int) -> torch.Tensor:
    """Pixels x (N, 1, 28, 28) through `numbers` numbers each and back, by a PCA of uint8 images (M, 28, 28).

    The best linear autoencoder of that code size, and so the reference for all others; not clipped to [0, 1].
    """
    pca = PCA(n_components=numbers, svd_solver="covariance_eigh").fit(
        to_pixels(train_images).flatten(1).cpu().numpy()
    )
    restored = pca.inverse_transform(pca.transform(x.flatten(1).cpu().numpy()))
    return torch.from_numpy(restored).view_as(x).to(x.device)


def _device_of(judge: DigitClassifier) -> torch.device:
    return judge.head.weight.device


def _parts(judge: DigitClassifier, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The images in parts that fit into memory, on the judge's device, which is put into eval mode."""
    if x.ndim != 4 or x.shape[1:] != (1, 28, 28) or not x.is_floating_point() or len(x) == 0:
        raise ValueError(
            f"x must be pixels (N, 1, 28, 28), floating point and at least one image; got "
            f"{str(x.dtype).removeprefix('torch.')} of shape {tuple(x.shape)}"
        )
    low, high = x.min().item(), x.max().item()
    if not (low >= 0 and high <= 1):
        raise ValueError(f"x must lie in [0, 1]; got pixels from {low:.3g} to {high:.3g}")
    judge.eval()
    return x.to(_device_of(judge)).split(IMAGES_AT_ONCE)
