"""Networks that learn from the labels alone, with PyTorch (the extra ``deep``): a small convolutional one, and a head on frames.

As scikit-learn estimators. What they have learned is kept as NumPy arrays, so a saved classifier holds no code. They learn in one
thread: the same seed gives the same network however many cores there are, and networks so small gain little from more (on a machine
that has other work they lose a lot). PyTorch does not promise the same between machines, between its versions, or on a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from sonotheque.classify.data.folds import grouped_folds
from sonotheque.classify.models.base import ProbabilisticClassifier
from sonotheque.embed import mel
from sonotheque.errors import ClassifierError
from sonotheque.types import FloatArray

BATCH = 32
DECAY = 0.97
"""Of the running mean of the weights, per step (Polyak & Juditsky 1992): what is kept and judged is the mean."""

LEAST = 1e-3
"""Deviations of columns below this are taken for it."""

Batch = Any
"""A float32 tensor: torch is not imported for its types."""


def require_torch() -> Any:
    """Import PyTorch.

    Raises
    ------
    ClassifierError
        If it is not installed.
    """
    try:
        import torch
    except ImportError:
        raise ClassifierError(
            "models cnn and head need PyTorch; `pip install 'sonotheque[deep]'` brings it (its build for processors is enough)"
        ) from None
    return torch


def torch_installed() -> bool:
    """Whether PyTorch can be imported; it is not."""
    from importlib.util import find_spec

    return find_spec("torch") is not None


class NetworkClassifier(ProbabilisticClassifier):
    """A network that learns by gradient descent, stopped early on grouped folds.

    The artists are dealt to folds; for each, a network learns from the others' tracks until its log loss on the fold has not
    fallen for `patience` epochs, and its best state is kept. Answers are the mean of these networks. So every artist teaches,
    and none says when to stop a network that it taught. Genres count alike, however many tracks they have.

    Parameters
    ----------
    folds : int
        And so networks. Where the artists cannot be dealt, one network learns for half of the epochs.
    epochs : int
        At most.
    patience : int
    rate : float
        Of AdamW (Loshchilov & Hutter 2019), with weight decay 0.01.
    smoothing : float
        Of labels (Szegedy et al. 2016).
    seed : int

    Attributes
    ----------
    classes_ : array [C]
    center_, scale_ : float32 arrays
        Mean and deviation of the columns, or of mel bands.
    networks_ : list of dict of str to array
        Weights of each network.
    """

    def __init__(
        self,
        folds: int = 3,
        epochs: int = 60,
        patience: int = 12,
        rate: float = 2e-3,
        smoothing: float = 0.1,
        seed: int = 0,
    ) -> None:
        self.folds = folds
        self.epochs = epochs
        self.patience = patience
        self.rate = rate
        self.smoothing = smoothing
        self.seed = seed

    def _shaped(self, X: npt.NDArray[Any]) -> FloatArray:
        """Give vectors [N, D] the shape that the network takes, columns or mel bands last."""
        return np.asarray(X, dtype=np.float32)

    def _network(self, columns: int, n_classes: int) -> Any:
        raise NotImplementedError

    def _altered(self, batch: Batch, generator: np.random.Generator) -> Batch:
        """Alter what is learned in one step."""
        return batch

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Fit to vectors [N, D] with their labels [N] and artists [N]; without artists each vector is one."""
        torch = require_torch()
        self.classes_, codes = np.unique(y, return_inverse=True)
        artists = np.arange(len(codes)) if groups is None else np.asarray(groups)
        shaped = self._shaped(X)
        rest = tuple(range(shaped.ndim - 1))
        self.center_ = shaped.mean(axis=rest, dtype=np.float64).astype(np.float32)
        self.scale_ = np.maximum(shaped.std(axis=rest, dtype=np.float64), LEAST).astype(np.float32)
        scaled = self._scaled(shaped)
        folds = grouped_folds(codes, artists, folds=self.folds, seed=self.seed)
        everything = np.arange(len(codes))
        with _single_thread(torch):
            self.networks_ = [
                self._learn(torch, scaled, codes, train, test, seed=self.seed + number)
                for number, (train, test) in enumerate(folds or [(everything, everything[:0])])
            ]
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return probabilities, float64 [N, C]."""
        torch = require_torch()
        device = _device(torch)
        scaled = self._scaled(self._shaped(X))
        result = np.zeros((len(scaled), len(self.classes_)))
        with _single_thread(torch), torch.no_grad():
            for weights in self.networks_:
                network = self._network(len(self.center_), len(self.classes_)).to(device)
                network.load_state_dict({name: torch.as_tensor(array) for name, array in weights.items()})
                network.eval()
                for first in range(0, len(scaled), 256):
                    answers = network(torch.from_numpy(scaled[first : first + 256]).to(device))
                    result[first : first + 256] += torch.softmax(answers.double(), dim=1).cpu().numpy()
        return result / len(self.networks_)

    def _scaled(self, shaped: FloatArray) -> FloatArray:
        result: FloatArray = (shaped - self.center_) / self.scale_
        return result

    def _learn(
        self,
        torch: Any,
        X: FloatArray,
        codes: npt.NDArray[np.int64],
        train: npt.NDArray[np.int64],
        test: npt.NDArray[np.int64],
        *,
        seed: int,
    ) -> dict[str, npt.NDArray[Any]]:
        """Learn one network; return its best weights, or its last ones where nothing is held out."""
        from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

        torch.manual_seed(seed)
        generator = np.random.default_rng(seed)
        device = _device(torch)
        labels = len(self.classes_)
        network = self._network(X.shape[-1], labels).to(device)
        mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(DECAY), use_buffers=True)
        optimiser = torch.optim.AdamW(network.parameters(), lr=self.rate, weight_decay=0.01)
        shares = np.maximum(np.bincount(codes[train], minlength=labels), 1) / len(train)
        weights = torch.tensor(1 / (labels * shares), dtype=torch.float32, device=device)
        held, reference = torch.from_numpy(X[test]).to(device), torch.from_numpy(codes[test]).to(device)
        best, kept, since = np.inf, _arrays(mean.module), 0
        for _ in range(self.epochs if len(test) else self.epochs // 2):
            network.train()
            for rows in _batches(train, generator):
                batch = self._altered(torch.from_numpy(X[rows]).to(device), generator)
                answers = network(batch)
                loss = torch.nn.functional.cross_entropy(
                    answers,
                    torch.from_numpy(codes[rows]).to(device),
                    weight=weights,
                    label_smoothing=self.smoothing,
                )
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                mean.update_parameters(network)
            if not len(test):
                kept = _arrays(mean.module)
                continue
            mean.eval()
            with torch.no_grad():
                value = float(torch.nn.functional.cross_entropy(mean(held), reference, weight=weights))
            since += 1
            if value < best:
                best, kept, since = value, _arrays(mean.module), 0
            if since >= self.patience:
                break
        return kept


class ConvolutionalNetwork(NetworkClassifier):
    """A small convolutional network on mel spectrograms of 10 s.

    Three layers of 16, 32 and 64 channels with batch normalisation, the mean over time and bands, dropout of 0.4, one dense layer:
    after Choi et al. (2017, "Convolutional recurrent neural networks for music classification"), a tenth as large, for hundreds of
    tracks. In each step the pictures are turned in time and stripes of them are blanked (Park et al. 2019, SpecAugment).
    """

    def _shaped(self, X: npt.NDArray[Any]) -> FloatArray:
        return np.asarray(X, dtype=np.float32).reshape(len(X), 1, mel.PATCH_LENGTH, mel.N_MELS)

    def _network(self, columns: int, n_classes: int) -> Any:
        from torch import nn

        def layer(before: int, after: int, size: int, stride: int) -> list[Any]:
            convolution = nn.Conv2d(before, after, size, stride=stride, padding=size // 2, bias=False)
            return [convolution, nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]

        layers = [*layer(1, 16, 5, 2), *layer(16, 32, 3, 1), *layer(32, 64, 3, 1)]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.4), nn.Linear(64, n_classes))

    def _altered(self, batch: Batch, generator: np.random.Generator) -> Batch:
        import torch

        result = torch.roll(batch, int(generator.integers(mel.PATCH_LENGTH)), dims=2)
        for row in range(len(result)):
            for axis, most in ((1, mel.PATCH_LENGTH // 5), (2, mel.N_MELS // 5)):
                width = int(generator.integers(most))
                first = int(generator.integers(result.shape[axis + 1] - width))
                result[row].narrow(axis, first, width).zero_()
        return result


class FrameHead(NetworkClassifier):
    """A multilayer perceptron on single frames of a pretrained network: 128 units, dropout of 0.5 before and after."""

    def _network(self, columns: int, n_classes: int) -> Any:
        from torch import nn

        hidden = [nn.Dropout(0.5), nn.Linear(columns, 128), nn.BatchNorm1d(128), nn.ReLU()]
        return nn.Sequential(*hidden, nn.Dropout(0.5), nn.Linear(128, n_classes))


@contextmanager
def _single_thread(torch: Any) -> Iterator[None]:
    """Hold PyTorch to one thread, and leave its generators and its threads as they were."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng():
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _device(torch: Any) -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _batches(rows: npt.NDArray[np.int64], generator: np.random.Generator) -> list[npt.NDArray[np.int64]]:
    """Deal rows to batches of about `BATCH`, each of two at least: batch normalisation needs two."""
    return np.array_split(generator.permutation(rows), max(1, len(rows) // BATCH))


def _arrays(network: Any) -> dict[str, npt.NDArray[Any]]:
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in network.state_dict().items()}
