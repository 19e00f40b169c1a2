"""The OpenL3 embedder, its spaces, and `embed` for an array of samples."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from sonotheque.audio.resample import resample_kaiser_best
from sonotheque.embed.openl3.convert import convert_weights
from sonotheque.embed.openl3.frontend import FRONT_ENDS, INPUT_REPRS, SAMPLE_RATE, FrontEnd
from sonotheque.embed.runtime import Compute, ParallelMap, batch_size, count_cores, load_network
from sonotheque.embed.space import Space, Times
from sonotheque.embed.weights.fetch import damaged_message, find_cached, is_published, missing_message
from sonotheque.embed.weights.openl3 import MODELS, PublishedModel
from sonotheque.errors import NoSamplesError, SpaceError, WeightsError
from sonotheque.types import FloatArray
from sonotheque.user_folders import cache_folder

VERSION = 1
SIZES = (512, 6144)
POOL_REGIONS = 12
"""Max-pooling regions of the spectrogram (4 x 3). Each gives 512 values, 6,144 in total; their maximum over the regions gives the
512-dimensional embedding."""

NAME_PATTERN = re.compile(
    r"openl3(?:-(?P<content>music|env)-(?P<input_repr>mel256|mel128|linear)(?:-(?P<size>512|6144)"
    r"-(?P<front_end>kapre|librosa|trained)-h(?P<hop>\d+(?:\.\d+)?)(?:-w(?P<weights>[0-9a-f]{8}))?(?:@1)?)?)?"
)


@dataclass(frozen=True)
class Variant:
    """A variant of OpenL3: the model, the size of the embedding, the front end and the hop.

    The defaults are those of the package openl3, except for the hop (0.1 there) and the size (6144 there).

    Attributes
    ----------
    content : str
        Training data: ``music`` or ``env`` (environmental videos).
    input_repr : str
        Input representation: ``mel256``, ``mel128`` or ``linear``.
    size : int
        Dimensions of a vector: 512 or 6144.
    front_end : str
        ``kapre``, ``librosa`` or ``trained``; see `sonotheque.embed.openl3.frontend`.
    hop : float
        Step between two frames in s.
    """

    content: str = "music"
    input_repr: str = "mel256"
    size: int = 512
    front_end: str = "kapre"
    hop: float = 1.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises
        ------
        SpaceError
            If one is unknown.
        """
        known: dict[str, tuple[object, ...]] = {
            "content": ("music", "env"), "input_repr": tuple(INPUT_REPRS), "size": SIZES, "front_end": FRONT_ENDS,
        }  # fmt: skip
        for name, values in known.items():
            if getattr(self, name) not in values:
                raise SpaceError(
                    f"OpenL3: unknown {name} {getattr(self, name)!r}; choose one of {', '.join(map(str, values))}"
                )
        if not self.hop * SAMPLE_RATE >= 1:
            raise SpaceError(
                f"OpenL3: a hop of {self.hop} s is shorter than one sample; typical values are 1.0 and 0.1"
            )

    @classmethod
    def parse(cls, name: str) -> Variant | None:
        """Parse an embedder name, the name of a model or a space id; return None if it is not one of OpenL3.

        Examples
        --------
        >>> Variant.parse("openl3") == Variant.parse("openl3-music-mel256") == Variant()
        True
        """
        match = NAME_PATTERN.fullmatch(name)
        if not match:
            return None
        if match["content"] is None:
            return cls()
        if match["size"] is None:
            return cls(match["content"], match["input_repr"])
        size, hop = int(match["size"]), float(match["hop"])
        return cls(match["content"], match["input_repr"], size, match["front_end"], hop)

    @property
    def published_model(self) -> PublishedModel:
        """The published weights of this variant."""
        return MODELS[f"openl3-{self.content}-{self.input_repr}"]

    def space(self, weights: Path) -> Space:
        """Return the space of these weights. If they are not the published ones, its id contains their hash."""
        suffix = _weights_suffix(weights, weights.stat().st_mtime_ns, self.published_model)
        name = f"openl3-{self.content}-{self.input_repr}-{self.size}-{self.front_end}-h{self.hop}{suffix}"
        return Space(
            id=f"{name}@{VERSION}",
            embedder="openl3",
            dimensions=self.size,
            sample_rate=SAMPLE_RATE,
            frame=1.0,
            hop=self.hop,
            resampler="kaiser_best",
        )


def weights_from_environment() -> Path | None:
    """Return the weights file given by $SONOTHEQUE_OPENL3_WEIGHTS, or None if the variable is not set.

    Raises
    ------
    WeightsError
        If the file does not exist.
    """
    named = os.environ.get("SONOTHEQUE_OPENL3_WEIGHTS")
    if named and not Path(named).is_file():
        raise WeightsError(f"SONOTHEQUE_OPENL3_WEIGHTS={named}: no such file; correct or unset the variable")
    return Path(named) if named else None


def find_weights(model: PublishedModel) -> Path:
    """Find the weights on this machine: the file given by $SONOTHEQUE_OPENL3_WEIGHTS, else the file in the cache.

    Raises
    ------
    WeightsError
        If there are none, or the file in the cache is damaged. The message says how to get them.
    """
    named = weights_from_environment()
    if named:
        return named
    cached = find_cached(model)
    if not cached:
        raise WeightsError(missing_message(model))
    if _weights_suffix(cached, cached.stat().st_mtime_ns, model):
        raise WeightsError(damaged_message(model, cached))
    return cached


@cache
def _weights_suffix(path: Path, mtime_ns: int, model: PublishedModel) -> str:
    """Return the part of a space id for unpublished weights (their hash); empty if they are published.

    `mtime_ns`, the file's modification time, only serves as a cache key, so that a changed file is read again.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from None
    return "" if is_published(content, model) else f"-w{hashlib.sha256(content).hexdigest()[:8]}"


class OpenL3:
    """The embedder of one variant.

    Parameters
    ----------
    variant : Variant
    weights : Path or None
        An .h5 or .h5.gz file; by default the result of `find_weights`.
    compute : Compute
        Device, precision and number of threads.
    center : bool
        Whether to prepend half a frame of zeros, so that each frame is centred on its time.

    Raises
    ------
    WeightsError
        If the weights are missing or are not OpenL3 weights.
    """

    def __init__(
        self,
        variant: Variant = Variant(),
        *,
        weights: Path | None = None,
        compute: Compute = Compute(),
        center: bool = True,
    ) -> None:
        weights = weights or find_weights(variant.published_model)
        self.space = variant.space(weights)
        self._variant = variant
        self._center = center
        self._compute = compute
        self._model = convert_weights(weights, input_repr=variant.input_repr, cache=cache_folder())
        self._batch = batch_size(compute.device)
        self._vectors = ParallelMap(self._build, threads=compute.threads)

    def _build(self) -> Callable[[list[FloatArray]], FloatArray]:
        """Create a front end and a network; return a function from at most one batch of frames to vectors [n, D]."""
        config = INPUT_REPRS[self._variant.input_repr]
        shape = (self._batch, 1, config.rows, config.columns)
        front_end = FrontEnd(self._variant.input_repr, self._variant.front_end)
        network = load_network(
            self._model,
            output="embedding",
            shape=shape,
            precision=self._compute.precision,
            device=self._compute.device,
        )

        def vectors(frames: list[FloatArray]) -> FloatArray:
            batch = np.zeros(shape, dtype=np.float32)
            for number, frame in enumerate(frames):
                batch[number, 0] = front_end(frame)
            embeddings: FloatArray = network(batch)[: len(frames)]
            return (
                embeddings
                if self._variant.size == 6144
                else embeddings.reshape(len(frames), POOL_REGIONS, -1).max(axis=1)
            )

        return vectors

    def embed_frame(self, frame: FloatArray) -> FloatArray:
        """Embed one frame, float32 [48000], as a vector, float32 [D]."""
        vector: FloatArray = self._vectors([frame])[0]
        return vector

    def frames(self, blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, Times]]:
        """Compute vectors, float32 [n, D], and their times, float64 [n] in s, from mono float32 blocks at 48 kHz."""
        frames = self.cut_frames(blocks)
        first = 0
        for vectors in self._vectors.map(iter(lambda: list(islice(frames, self._batch)), [])):
            yield vectors, np.arange(first, first + len(vectors), dtype=np.float64) * self._variant.hop
            first += len(vectors)

    def cut_frames(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """Cut mono blocks at 48 kHz into frames, float32 [48000], exactly as openl3 0.4 does.

        The last frame is padded with zeros, so that every sample belongs to a frame. Empty audio gives no frames.
        """
        hop = int(self._variant.hop * SAMPLE_RATE)
        samples = np.zeros(SAMPLE_RATE // 2 if self._center else 0, dtype=np.float32)
        first = start = 0  # index of the first sample of `samples`, and of the first sample of the next frame
        has_samples = False
        for block in blocks:
            has_samples = has_samples or len(block) > 0
            samples = np.concatenate([samples, block])
            while first + len(samples) >= start + SAMPLE_RATE:
                yield samples[start - first : start - first + SAMPLE_RATE]
                start += hop
            past = min(start - first, len(samples))
            samples, first = samples[past:], first + past
        end = first + len(samples)
        last = hop * max(0, -(-(end - SAMPLE_RATE) // hop)) if has_samples else -1
        for begin in range(start, last + 1, hop):
            rest = samples[begin - first :]
            yield np.pad(rest, (0, SAMPLE_RATE - len(rest)))


def embed(
    audio: np.ndarray[Any, Any],
    sr: int,
    *,
    hop: float = 1.0,
    center: bool = True,
    size: int = 512,
    precision: str = "auto",
) -> tuple[FloatArray, Times]:
    """Embed samples with the OpenL3 model for music and mel256: a replacement for ``openl3.get_audio_embedding``.

    The front end is ``kapre``. The weights are the file given by $SONOTHEQUE_OPENL3_WEIGHTS, else those in the cache. Frames are
    embedded in parallel on all cores; the result does not depend on their number.

    Parameters
    ----------
    audio : float32 or float64 array [n] or [n, channels]
    sr : int
        Sample rate in Hz.
    hop : float
        Step between two frames in s. The default of openl3 is 0.1.
    center : bool
        Whether each frame is centred on its time.
    size : int
        Dimensions of a vector: 512 or 6144. The default of openl3 is 6144.
    precision : str
        ``auto``, ``f32`` or ``bf16``.

    Returns
    -------
    frames : float32 array [T, size]
    times : float64 array [T]
        Times of the frames in s.

    Raises
    ------
    NoSamplesError
        If there are no samples.
    SpaceError
        If the hop, the size, the precision or the shape of `audio` is invalid.
    WeightsError
        If the weights are missing.
    """
    from threadpoolctl import threadpool_limits

    if audio.size == 0:
        raise NoSamplesError("the audio is empty; pass at least one sample")
    if audio.ndim > 2:
        raise SpaceError(f"the audio array has {audio.ndim} dimensions; its shape must be [n] or [n, channels]")
    mono = audio.mean(axis=1) if audio.ndim == 2 else audio
    blocks: Iterable[np.ndarray[Any, Any]] = [mono]
    if sr != SAMPLE_RATE:
        blocks = resample_kaiser_best([mono], source_rate=sr, target_rate=SAMPLE_RATE)
    compute = Compute(precision=precision, threads=count_cores())
    embedder = _embedder(Variant(size=size, hop=hop), find_weights(Variant().published_model), compute, center)
    with threadpool_limits(limits=1, user_api="blas"):  # idle BLAS threads would busy-wait while the networks run
        found = list(embedder.frames(block.astype(np.float32) for block in blocks))
    if not found:
        raise NoSamplesError("the audio is shorter than one sample at 48 kHz; pass longer audio")
    vectors, times = zip(*found, strict=True)
    return np.concatenate(vectors), np.concatenate(times)


@cache
def _embedder(variant: Variant, weights: Path, compute: Compute, center: bool) -> OpenL3:
    return OpenL3(variant, weights=weights, compute=compute, center=center)
