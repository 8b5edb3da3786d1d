"""What judges reconstructions and samples: a classifier that has nothing to do with the models it judges.

Images to judge are pixels (N, 1, 28, 28) in [0, 1], of any floating type. A `judge` is what `load_judge` returns, or
any function from such images to probabilities (N, K), one row of numbers that add up to 1 for each image. Say with
every measure how many images it was taken from, and what real images score: that is its floor.

scikit-learn and torchmetrics are imported by the functions that use them: every notebook imports this module, and would
otherwise wait for both, although many never call these functions.
"""

import time
from collections.abc import Callable
from numbers import Real

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from course_utils import checkpoints
from course_utils.classifier import DigitClassifier
from course_utils.data import ImageData, check_labels, check_whole, load_images, minibatches, to_pixels
from course_utils.environment import forked_random_numbers
from course_utils.settings import dataset_name

IMAGES_SEEN = 240_000
PEAK_RATE = 6e-3
# As many as fit into a processor's cache: on a CPU a quarter faster than a thousand.
IMAGES_AT_ONCE = 250

ToProbabilities = Callable[[torch.Tensor], torch.Tensor]


# --- the independent classifier ---


class Judge(nn.Module):
    """A classifier as a judge: pixels (B, 1, 28, 28) in [0, 1] to probabilities (B, 10), not to logits.

    `features(x)` are what the classifier's head is given, (B, 128).
    """

    def __init__(self, classifier: DigitClassifier):
        super().__init__()
        # On a CPU more than twice as fast as with channels first, and the same numbers up to rounding.
        self.classifier = classifier.to(memory_format=torch.channels_last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(x).softmax(dim=1)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier.extractor(x)


def load_judge(dataset: str | None = None) -> Judge:
    """The independent classifier as a judge, in eval mode on the CPU.

    `dataset` defaults to COURSE_DATASET, else `strokes`. The classifiers of `strokes` and `mnist` ship with the
    course. For another data set it is trained at the first call, which takes about a minute and needs the data, and
    kept for the next one. Raises ValueError for an unknown data set, DataError if its images cannot be had,
    CheckpointError if the file of a trained classifier is damaged.
    """
    dataset = dataset_name(dataset)
    if checkpoints.is_trained("classifier", dataset):
        return Judge(checkpoints.load_trained("classifier", dataset)).eval()
    data = load_images(dataset)
    print(f"Training the classifier for {dataset}, once: about a minute.")
    return Judge(_train_and_keep(data)).eval()


def _train_and_keep(data: ImageData) -> DigitClassifier:
    """The classifier of a data set, rounded to half precision as it is kept, with its accuracy on the test images.

    Where it cannot be kept, a line says why: the next call then trains again.
    """
    begin = time.perf_counter()
    model, steps = train_judge(data.train_images, data.train_labels)
    seconds = round(time.perf_counter() - begin, 1)
    model.half().float()
    metrics = {"accuracy": accuracy(model, data.test_images, data.test_labels)}
    try:
        checkpoints.write_trained(
            "classifier", model.half(), dataset=data.name, settings={}, seed=0, steps=steps, seconds=seconds,
            metrics=metrics,
        )  # fmt: skip
    except checkpoints.CheckpointError as error:
        print(f"The classifier is not kept for the next time, because {error}.")
    return model.float()


def train_judge(
    images: torch.Tensor, labels: torch.Tensor, seed: int = 0, images_seen: int | None = None
) -> tuple[DigitClassifier, int]:
    """A classifier trained on uint8 images (N, 28, 28) with labels (N,), in eval mode, and its number of steps.

    It sees about `images_seen` images (default: IMAGES_SEEN); every batch is shifted by at most one pixel. The
    random numbers of the caller are left alone.
    """
    with forked_random_numbers(seed):
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
    """The share of uint8 images (N, 28, 28) that a model in eval mode puts into their class (N,).

    Raises ValueError for other images, and for labels that are not one of the model's classes for each image.
    """
    outputs = torch.cat([model(to_pixels(part)) for part in images.split(1000)])
    check_labels(labels, count=len(images), classes=outputs.shape[1])
    return (outputs.argmax(dim=1) == labels).float().mean().item()


# --- what a judge says of images ---


@torch.no_grad()
def probabilities(judge: ToProbabilities, x: torch.Tensor) -> torch.Tensor:
    """The judge's probability of each class, (N, K), for pixels x (N, 1, 28, 28) in [0, 1].

    The images reach the judge in parts, float32 and on its device. Raises ValueError for anything but pixels, and for
    a judge that does not return probabilities.
    """
    p = torch.cat([judge(part) for part in _parts(judge, x)])
    if p.ndim != 2 or len(p) != len(x) or not bool((p >= 0).all() and (p.sum(dim=1) - 1).abs().max() < 1e-3):
        raise ValueError(
            "judge must return probabilities (N, K), one row for each image that adds up to 1; got shape "
            f"{tuple(p.shape)} with numbers from {p.min():.3g} to {p.max():.3g}: if they are logits, return "
            "logits.softmax(dim=1)"
        )
    return p


@torch.no_grad()
def features(judge: Judge, x: torch.Tensor) -> torch.Tensor:
    """What the head of the judge's classifier is given, (N, 128), for pixels x (N, 1, 28, 28) in [0, 1]."""
    _check_has_features(judge)
    return torch.cat([judge.features(part) for part in _parts(judge, x)])


def fidelity(judge: ToProbabilities, x: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of images x that the judge puts into the class they were asked for, `labels` (N,), whole numbers.

    Its control is the same with shuffled labels, near one tenth for ten classes. Raises ValueError for labels that are
    not one of the judge's classes for each image.
    """
    p = probabilities(judge, x)
    check_labels(labels, count=len(x), classes=p.shape[1])
    return (p.argmax(dim=1) == labels.to(p.device)).float().mean().item()


def acceptance(judge: ToProbabilities, x: torch.Tensor, confidence: float = 0.95) -> float:
    """The share of images x of whose class the judge is sure: its largest probability is at least `confidence`."""
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; got {confidence!r}")
    return (probabilities(judge, x).amax(dim=1) >= confidence).float().mean().item()


def class_shares(judge: ToProbabilities, x: torch.Tensor) -> torch.Tensor:
    """The share of the images x that the judge puts into each class, (K,), which adds up to 1.

    Real images have a tenth in each class. A share near 0 is a class that a generator does not draw: mode collapse.
    """
    p = probabilities(judge, x)
    return torch.bincount(p.argmax(dim=1), minlength=p.shape[1]) / len(p)


def frechet_distance(judge: Judge, real: torch.Tensor, x: torch.Tensor) -> float:
    """The Frechet distance of images x to real images, in the judge's features: 0 if mean and covariance agree.

    |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)) for means m, m' and covariances C, C' of the features: Heusel et al.
    (2017), "GANs trained by a two time-scale update rule ...", NeurIPS, equation 6, computed by torchmetrics in
    double precision. It falls with the number of images, so compare distances of equal numbers only, and give the
    floor beside them: the distance of two sets of real images.

    `real` and `x` are pixels (N, 1, 28, 28) in [0, 1], or uint8 images (N, 28, 28), or what `features` returned for
    them, so that images which are compared with many others are looked at once. Raises ValueError for other shapes,
    for features that are not finite, and for fewer images than twice the number of features, whose covariances would
    mean nothing.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance

    _check_has_features(judge)
    found = {name: _features_of_any(judge, images, name) for name, images in (("real", real), ("x", x))}
    network = nn.Identity()  # torchmetrics is given features, and passes them on
    network.num_features = found["x"].shape[1]
    metric = FrechetInceptionDistance(feature=network).to(found["x"].device)
    for name, rows in found.items():
        if len(rows) < 2 * network.num_features:
            raise ValueError(
                f"{name} must hold at least {2 * network.num_features} images for a covariance; got {len(rows)}"
            )
        _check_finite(rows, name)  # torchmetrics would end the kernel
        metric.update(rows.double(), real=name == "real")
    return metric.compute().item()


# --- what needs no classifier ---


def auroc(normal: torch.Tensor | np.ndarray, strange: torch.Tensor | np.ndarray) -> float:
    """The area under the ROC curve of scores (N,) and (M,): how often a strange image scores above a normal one.

    1 if every strange one scores higher, 0.5 if the score knows nothing (scikit-learn's roc_auc_score). Raises
    ValueError unless both hold at least one score, all of them finite.
    """
    from sklearn.metrics import roc_auc_score

    scores = [_scores("normal", normal), _scores("strange", strange)]
    return float(roc_auc_score(np.repeat([0, 1], [len(part) for part in scores]), np.concatenate(scores)))


def nearest_neighbours(
    queries: torch.Tensor, references: torch.Tensor, k: int = 1
) -> tuple[torch.Tensor, torch.Tensor]:
    """The k nearest references of each query: Euclidean distances and indices, both (N, k), the nearest first.

    `queries` (N, ...) and `references` (M, ...) are flattened: pixels, codes or features. The results lie on the CPU
    and carry no gradients. Raises ValueError if they are not finite or do not fit, or k is more than there are
    references.
    """
    from sklearn.neighbors import NearestNeighbors

    for name, values in (("queries", queries), ("references", references)):
        if not isinstance(values, torch.Tensor):
            raise ValueError(f"{name} must be a tensor; got {type(values).__name__}")
        _check_finite(values, name)
    if queries.ndim < 2 or queries.shape[1:] != references.shape[1:]:
        raise ValueError(
            f"queries (N, ...) and references (M, ...) must have rows of one shape; got {tuple(queries.shape)} and "
            f"{tuple(references.shape)}"
        )
    if len(references) == 0:
        raise ValueError("references must hold at least one row; got none")
    check_whole("k", k, 1, len(references))
    if len(queries) == 0:
        return torch.empty(0, k), torch.empty(0, k, dtype=torch.int64)
    # Brute force is a matrix product, which no tree beats in so many dimensions.
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(_rows(references))
    distances, indices = search.kneighbors(_rows(queries))
    return torch.from_numpy(distances), torch.from_numpy(indices)


def pca_reconstruction(train_images: torch.Tensor, x: torch.Tensor, numbers: int) -> torch.Tensor:
    """Pixels x (N, 1, 28, 28) through `numbers` numbers each and back, by a PCA of uint8 images (M, 28, 28).

    The best linear autoencoder of that code size, and so the reference for all others; not clipped to [0, 1]. Raises
    ValueError for other images, and for more numbers than M or the pixels of an image.
    """
    from sklearn.decomposition import PCA

    _check_type_of_pixels(x)
    check_whole("numbers", numbers, 1, min(len(train_images), 28 * 28))
    pca = PCA(n_components=numbers, svd_solver="covariance_eigh").fit(_rows(to_pixels(train_images)))
    restored = pca.inverse_transform(pca.transform(_rows(x)))
    return torch.from_numpy(restored).view_as(x).to(x.device)


# --- what is refused, and what is made of the rest ---


def _parts(judge: ToProbabilities, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The images in parts that fit into memory, on the device of the judge, which is put into eval mode."""
    _check_pixels(x)
    device = x.device
    if isinstance(judge, nn.Module):
        device = next((weights.device for weights in judge.eval().parameters()), device)
    return x.to(device, torch.float32).split(IMAGES_AT_ONCE)


def _check_finite(values: torch.Tensor, name: str) -> None:
    if not values.isfinite().all():
        raise ValueError(f"{name} must be finite; got {values[~values.isfinite()][0]}")


def _check_has_features(judge: Judge) -> None:
    if not isinstance(judge, Judge):
        raise ValueError(f"judge must be one of load_judge, which has features; got {type(judge).__name__}")


def _features_of_any(judge: Judge, images: torch.Tensor, name: str) -> torch.Tensor:
    """The features (N, 128) of pixels or of uint8 images; what is features already stays as it is."""
    if isinstance(images, torch.Tensor) and images.shape[1:] == (judge.classifier.head.in_features,):
        return images
    is_uint8 = isinstance(images, torch.Tensor) and images.dtype == torch.uint8
    x = to_pixels(images) if is_uint8 else images
    _check_pixels(x, name)
    return features(judge, x)


def _check_pixels(x: torch.Tensor, name: str = "x") -> None:
    _check_type_of_pixels(x, name)
    low, high = x.min().item(), x.max().item()
    if not (low >= 0 and high <= 1):
        # Nine digits show the 1.00000012 that rounding makes of 1.
        raise ValueError(f"{name} must lie in [0, 1]; got pixels from {low:.9g} to {high:.9g}")


def _check_type_of_pixels(x: torch.Tensor, name: str = "x") -> None:
    if not isinstance(x, torch.Tensor):
        raise ValueError(f"{name} must be a tensor of pixels (N, 1, 28, 28); got {type(x).__name__}")
    if x.ndim != 4 or x.shape[1:] != (1, 28, 28) or not x.is_floating_point() or len(x) == 0:
        raise ValueError(
            f"{name} must be pixels (N, 1, 28, 28), floating point and at least one image; got "
            f"{str(x.dtype).removeprefix('torch.')} of shape {tuple(x.shape)}"
        )


def _scores(name: str, values: torch.Tensor | np.ndarray) -> np.ndarray:
    scores = torch.as_tensor(values).detach().double().cpu().numpy()
    if scores.ndim != 1 or len(scores) == 0:
        raise ValueError(f"{name} must be scores (N,), at least one; got shape {scores.shape}")
    if not np.isfinite(scores).all():
        raise ValueError(f"{name} must be finite scores; got {scores[~np.isfinite(scores)][0]}")
    return scores


def _rows(values: torch.Tensor) -> np.ndarray:
    """Each of N things as one row of numbers for scikit-learn, which knows no half precision."""
    return values.detach().flatten(1).to(torch.promote_types(values.dtype, torch.float32)).cpu().numpy()
