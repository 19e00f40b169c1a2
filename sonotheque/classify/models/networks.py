"""Neural networks trained from scratch with PyTorch (the extra ``deep``): a small convolutional network and an MLP on frames.

They are scikit-learn estimators. Their weights are stored as NumPy arrays, so a saved classifier contains no code. Training uses
one thread, so that the same seed gives the same network on any number of cores. Networks this small gain little from more
threads, and on a busy machine more threads make them much slower. PyTorch does not guarantee equal results on other machines, in
other versions of PyTorch, or on a GPU.
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

BATCH_SIZE = 32
EMA_DECAY = 0.97
"""Decay per step of the exponential moving average of the weights (Polyak & Juditsky 1992). The average is evaluated and stored."""

MIN_DEVIATION = 1e-3
"""Smaller standard deviations of columns are replaced by this."""

Batch = Any
"""A float32 tensor. It is not typed as one, so that torch need not be imported."""


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
            "models cnn and head need PyTorch; `pip install 'sonotheque[deep]'` installs it (the CPU build is enough)"
        ) from None
    return torch


def torch_installed() -> bool:
    """Whether PyTorch is installed. It is not imported."""
    from importlib.util import find_spec

    return find_spec("torch") is not None


class NetworkClassifier(ProbabilisticClassifier):
    """An ensemble of networks, each trained with early stopping on one artist-grouped fold.

    Each network is trained on the other folds until its log loss on its own fold has not improved for `patience` epochs, and its
    best weights are stored. The prediction is the mean of these networks. So all artists are used for training, and early
    stopping never uses an artist on whom the network was trained. All genres have the same weight, whatever their numbers of
    tracks.

    Parameters
    ----------
    folds : int
        Number of folds, and of networks. If the artists cannot be divided into folds, one network is trained for half the epochs.
    epochs : int
        Maximum number of epochs.
    patience : int
        Epochs without improvement after which training stops.
    rate : float
        Learning rate of AdamW (Loshchilov & Hutter 2019), with weight decay 0.01.
    smoothing : float
        Label smoothing (Szegedy et al. 2016).
    seed : int

    Attributes
    ----------
    classes_ : array [C]
    center_, scale_ : float32 arrays
        Mean and standard deviation of each column or mel band.
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

    def _reshape(self, X: npt.NDArray[Any]) -> FloatArray:
        """Reshape vectors [N, D] into inputs of the network, with the columns or mel bands as the last axis."""
        return np.asarray(X, dtype=np.float32)

    def _build_network(self, columns: int, n_classes: int) -> Any:
        raise NotImplementedError

    def _augment(self, batch: Batch, generator: np.random.Generator) -> Batch:
        """Augment the inputs of one training step."""
        return batch

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Fit to vectors [N, D] with their labels [N] and artists [N]. Without artists each vector is a group of its own."""
        torch = require_torch()
        self.classes_, codes = np.unique(y, return_inverse=True)
        artists = np.arange(len(codes)) if groups is None else np.asarray(groups)
        inputs = self._reshape(X)
        axes = tuple(range(inputs.ndim - 1))
        self.center_ = inputs.mean(axis=axes, dtype=np.float64).astype(np.float32)
        self.scale_ = np.maximum(inputs.std(axis=axes, dtype=np.float64), MIN_DEVIATION).astype(np.float32)
        inputs = self._standardize(inputs)
        folds = grouped_folds(codes, artists, folds=self.folds, seed=self.seed)
        all_rows = np.arange(len(codes))
        with _single_thread(torch):
            self.networks_ = [
                self._train_network(torch, inputs, codes, train, validation, seed=self.seed + number)
                for number, (train, validation) in enumerate(folds or [(all_rows, all_rows[:0])])
            ]
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return probabilities, float64 [N, C]."""
        torch = require_torch()
        device = _device(torch)
        inputs = self._standardize(self._reshape(X))
        result = np.zeros((len(inputs), len(self.classes_)))
        with _single_thread(torch), torch.no_grad():
            for weights in self.networks_:
                network = self._build_network(len(self.center_), len(self.classes_)).to(device)
                network.load_state_dict({name: torch.as_tensor(array) for name, array in weights.items()})
                network.eval()
                for first in range(0, len(inputs), 256):
                    logits = network(torch.from_numpy(inputs[first : first + 256]).to(device))
                    result[first : first + 256] += torch.softmax(logits.double(), dim=1).cpu().numpy()
        return result / len(self.networks_)

    def _standardize(self, inputs: FloatArray) -> FloatArray:
        result: FloatArray = (inputs - self.center_) / self.scale_
        return result

    def _train_network(
        self,
        torch: Any,
        X: FloatArray,
        codes: npt.NDArray[np.int64],
        train: npt.NDArray[np.int64],
        validation: npt.NDArray[np.int64],
        *,
        seed: int,
    ) -> dict[str, npt.NDArray[Any]]:
        """Train one network. Return its best weights or, without validation tracks, its last weights."""
        from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

        torch.manual_seed(seed)
        generator = np.random.default_rng(seed)
        device = _device(torch)
        n_classes = len(self.classes_)
        network = self._build_network(X.shape[-1], n_classes).to(device)
        averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(EMA_DECAY), use_buffers=True)
        optimizer = torch.optim.AdamW(network.parameters(), lr=self.rate, weight_decay=0.01)
        frequencies = np.maximum(np.bincount(codes[train], minlength=n_classes), 1) / len(train)
        class_weights = torch.tensor(1 / (n_classes * frequencies), dtype=torch.float32, device=device)
        validation_inputs = torch.from_numpy(X[validation]).to(device)
        validation_codes = torch.from_numpy(codes[validation]).to(device)
        best_loss, best_weights, epochs_since_best = np.inf, _to_arrays(averaged.module), 0
        for _ in range(self.epochs if len(validation) else self.epochs // 2):
            network.train()
            for rows in _make_batches(train, generator):
                batch = self._augment(torch.from_numpy(X[rows]).to(device), generator)
                logits = network(batch)
                loss = torch.nn.functional.cross_entropy(
                    logits,
                    torch.from_numpy(codes[rows]).to(device),
                    weight=class_weights,
                    label_smoothing=self.smoothing,
                )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                averaged.update_parameters(network)
            if not len(validation):
                best_weights = _to_arrays(averaged.module)
                continue
            averaged.eval()
            with torch.no_grad():
                logits = averaged(validation_inputs)
                validation_loss = float(
                    torch.nn.functional.cross_entropy(logits, validation_codes, weight=class_weights)
                )
            epochs_since_best += 1
            if validation_loss < best_loss:
                best_loss, best_weights, epochs_since_best = validation_loss, _to_arrays(averaged.module), 0
            if epochs_since_best >= self.patience:
                break
        return best_weights


class ConvolutionalNetwork(NetworkClassifier):
    """A small convolutional network on mel spectrograms of 10 s.

    Three convolutional layers of 16, 32 and 64 channels with batch normalisation, the mean over time and mel bands, dropout of
    0.4, and one dense layer. The design follows Choi et al. (2017, "Convolutional recurrent neural networks for music
    classification") at a tenth of the size, for hundreds of training tracks. In each training step the spectrograms are rotated
    in time, and stripes in time and frequency are masked (Park et al. 2019, SpecAugment).
    """

    def _reshape(self, X: npt.NDArray[Any]) -> FloatArray:
        return np.asarray(X, dtype=np.float32).reshape(len(X), 1, mel.PATCH_LENGTH, mel.N_MELS)

    def _build_network(self, columns: int, n_classes: int) -> Any:
        from torch import nn

        def layer(in_channels: int, out_channels: int, size: int, stride: int) -> list[Any]:
            convolution = nn.Conv2d(in_channels, out_channels, size, stride=stride, padding=size // 2, bias=False)
            return [convolution, nn.BatchNorm2d(out_channels), nn.ReLU(), nn.MaxPool2d(2)]

        layers = [*layer(1, 16, 5, 2), *layer(16, 32, 3, 1), *layer(32, 64, 3, 1)]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.4), nn.Linear(64, n_classes))

    def _augment(self, batch: Batch, generator: np.random.Generator) -> Batch:
        import torch

        result = torch.roll(batch, int(generator.integers(mel.PATCH_LENGTH)), dims=2)
        for row in range(len(result)):
            for axis, max_width in ((1, mel.PATCH_LENGTH // 5), (2, mel.N_MELS // 5)):
                width = int(generator.integers(max_width))
                first = int(generator.integers(result.shape[axis + 1] - width))
                result[row].narrow(axis, first, width).zero_()
        return result


class FrameHead(NetworkClassifier):
    """A multilayer perceptron on single frames of a pretrained network: 128 hidden units, dropout of 0.5 before and after."""

    def _build_network(self, columns: int, n_classes: int) -> Any:
        from torch import nn

        hidden = [nn.Dropout(0.5), nn.Linear(columns, 128), nn.BatchNorm1d(128), nn.ReLU()]
        return nn.Sequential(*hidden, nn.Dropout(0.5), nn.Linear(128, n_classes))


@contextmanager
def _single_thread(torch: Any) -> Iterator[None]:
    """Restrict PyTorch to one thread, and restore its number of threads and its random state afterwards."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng():
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _device(torch: Any) -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _make_batches(rows: npt.NDArray[np.int64], generator: np.random.Generator) -> list[npt.NDArray[np.int64]]:
    """Split shuffled rows into batches of about `BATCH_SIZE`. Batch normalisation needs at least two rows in each."""
    return np.array_split(generator.permutation(rows), max(1, len(rows) // BATCH_SIZE))


def _to_arrays(network: Any) -> dict[str, npt.NDArray[Any]]:
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in network.state_dict().items()}
