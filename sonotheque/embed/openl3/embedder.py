"""OpenL3's embedder, its many spaces, and `embed` for one array of samples."""

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

from sonotheque.audio.resample import kaiser_blocks
from sonotheque.embed.openl3.convert import converted
from sonotheque.embed.openl3.frontend import FRONT_ENDS, PICTURES, SAMPLE_RATE, FrontEnd
from sonotheque.embed.runtime import Compute, SideBySide, batch_size, cores, load
from sonotheque.embed.space import Space, Times
from sonotheque.embed.weights.fetch import advice, cache_folder, cached, is_published
from sonotheque.embed.weights.openl3 import MODELS, PublishedModel
from sonotheque.errors import NoSamplesError, SpaceError, WeightsError
from sonotheque.types import FloatArray

VERSION = 1
SIZES = (512, 6144)
FIELDS = 12
"""Fields of the picture whose largest values make the 6,144 numbers; the largest over them makes the 512."""

NAME = re.compile(
    r"openl3(?:-(?P<content>music|env)-(?P<picture>mel256|mel128|linear)-(?P<size>512|6144)"
    r"-(?P<front_end>kapre|librosa|trained)-h(?P<hop>\d+(?:\.\d+)?)(?:-w(?P<weights>[0-9a-f]{8}))?(?:@1)?)?"
)


@dataclass(frozen=True)
class Variant:
    """One of OpenL3's spaces. The defaults are the official ones, but for hop (0.1 there) and size (6144 there)."""

    content: str = "music"
    picture: str = "mel256"
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
            "content": ("music", "env"), "picture": tuple(PICTURES), "size": SIZES, "front_end": FRONT_ENDS,
        }  # fmt: skip
        for name, values in known.items():
            if getattr(self, name) not in values:
                raise SpaceError(f"OpenL3: {name} {getattr(self, name)!r} is none of {', '.join(map(str, values))}")
        if not self.hop * SAMPLE_RATE >= 1:
            raise SpaceError(f"OpenL3: a hop of {self.hop} s is less than a sample; 1.0 and 0.1 are usual")

    @classmethod
    def parse(cls, name: str) -> Variant | None:
        """Read the name or the id of a space; None where it is none of OpenL3's."""
        match = NAME.fullmatch(name)
        if not match:
            return None
        if match["content"] is None:
            return cls()
        size, hop = int(match["size"]), float(match["hop"])
        return cls(match["content"], match["picture"], size, match["front_end"], hop)

    @property
    def published(self) -> PublishedModel:
        """The published weights of the variant."""
        return MODELS[f"openl3-{self.content}-{self.picture}"]

    def space(self, weights: Path) -> Space:
        """Return the space that these weights give: its id carries the hash of weights that are not the published ones."""
        foreign = _foreign(weights, weights.stat().st_mtime_ns, self.published)
        name = f"openl3-{self.content}-{self.picture}-{self.size}-{self.front_end}-h{self.hop}{foreign}"
        return Space(
            id=f"{name}@{VERSION}",
            embedder="openl3",
            dimensions=self.size,
            sample_rate=SAMPLE_RATE,
            frame=1.0,
            hop=self.hop,
            resampler="kaiser_best",
        )


def named_weights() -> Path | None:
    """Return the file that $SONOTHEQUE_OPENL3_WEIGHTS names, None where it names none.

    Raises
    ------
    WeightsError
        If there is no such file.
    """
    named = os.environ.get("SONOTHEQUE_OPENL3_WEIGHTS")
    if named and not Path(named).is_file():
        raise WeightsError(f"SONOTHEQUE_OPENL3_WEIGHTS={named}: no such file")
    return Path(named) if named else None


def local_weights(model: PublishedModel) -> Path:
    """Find the weights on this machine: the file in $SONOTHEQUE_OPENL3_WEIGHTS, else the cache's.

    Raises
    ------
    WeightsError
        If there are none; the message says what can be done.
    """
    found = named_weights() or cached(model)
    if not found:
        raise WeightsError(advice(model, "not on this machine"))
    return found


@cache
def _foreign(path: Path, changed: int, model: PublishedModel) -> str:
    """Mark weights that are not the published ones by their hash; `changed` makes a new file a new question."""
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
    weights : path or None
        An .h5 or .h5.gz file, by default as `local_weights` finds it.
    compute : Compute
        Device, precision, threads.
    center : bool
        Whether half a frame of zeros comes first, so that a frame's start is the time of its middle.

    Raises
    ------
    WeightsError
        If the weights are missing or no OpenL3 weights.
    """

    def __init__(
        self,
        variant: Variant = Variant(),
        *,
        weights: Path | None = None,
        compute: Compute = Compute(),
        center: bool = True,
    ) -> None:
        weights = weights or local_weights(variant.published)
        self.space = variant.space(weights)
        self._variant = variant
        self._center = center
        self._compute = compute
        self._model = converted(weights, picture=variant.picture, cache=cache_folder())
        self._batch = batch_size(compute.device)
        self._vectors = SideBySide(self._build, threads=compute.threads)

    def _build(self) -> Callable[[list[FloatArray]], FloatArray]:
        """Make a front end and a network; return the function that takes at most a batch of frames to vectors [n, D]."""
        picture = PICTURES[self._variant.picture]
        shape = (self._batch, 1, picture.rows, picture.columns)
        front_end = FrontEnd(self._variant.picture, self._variant.front_end)
        network = load(
            self._model,
            output="embedding",
            shape=shape,
            precision=self._compute.precision,
            device=self._compute.device,
        )

        def vectors(frames: list[FloatArray]) -> FloatArray:
            pictures = np.zeros(shape, dtype=np.float32)
            for number, frame in enumerate(frames):
                pictures[number, 0] = front_end(frame)
            whole: FloatArray = network(pictures)[: len(frames)]
            return whole if self._variant.size == 6144 else whole.reshape(len(frames), FIELDS, -1).max(axis=1)

        return vectors

    def vector(self, frame: FloatArray) -> FloatArray:
        """Embed one frame, float32 [48000], into float32 [D]."""
        vector: FloatArray = self._vectors([frame])[0]
        return vector

    def frames(self, blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, Times]]:
        """Turn mono float32 blocks at 48 kHz into vectors [n, D] with their times [n] in s."""
        frames = self.cut(blocks)
        first = 0
        for vectors in self._vectors.map(iter(lambda: list(islice(frames, self._batch)), [])):
            yield vectors, np.arange(first, first + len(vectors), dtype=np.float64) * self._variant.hop
            first += len(vectors)

    def cut(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """Cut mono blocks at 48 kHz into frames, float32 [48000], as openl3 0.4 does.

        Zeros fill the last frame, so that every sample is in one. No sample gives no frame.
        """
        hop = int(self._variant.hop * SAMPLE_RATE)
        samples = np.zeros(SAMPLE_RATE // 2 if self._center else 0, dtype=np.float32)
        first = start = 0  # the sample that `samples` begins with, and the one that the next frame begins with
        heard = False
        for block in blocks:
            heard = heard or len(block) > 0
            samples = np.concatenate([samples, block])
            while first + len(samples) >= start + SAMPLE_RATE:
                yield samples[start - first : start - first + SAMPLE_RATE]
                start += hop
            past = min(start - first, len(samples))
            samples, first = samples[past:], first + past
        end = first + len(samples)
        last = hop * max(0, -(-(end - SAMPLE_RATE) // hop)) if heard else -1
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
    """Embed samples with the music, mel256, kapre model: a drop-in for ``openl3.get_audio_embedding``.

    Weights are those of $SONOTHEQUE_OPENL3_WEIGHTS, else of the cache. Frames are embedded side by side on all processors; the
    numbers do not depend on how many there are.

    Parameters
    ----------
    audio : float32 or float64 array [n] or [n, channels]
    sr : int
        Sampling rate in Hz.
    hop : float
        Step between two frames in s (0.1 in openl3).
    center : bool
        Whether a frame's time is that of its middle.
    size : int
        512 or 6144 (the latter in openl3).
    precision : str
        ``auto``, ``f32`` or ``bf16``.

    Returns
    -------
    frames : float32 array [T, size]
    times : float64 array [T]
        In s.

    Raises
    ------
    NoSamplesError
        If there is no sample.
    SpaceError
        If hop, size or precision is none.
    WeightsError
        If the weights are missing.
    """
    from threadpoolctl import threadpool_limits

    if audio.size == 0:
        raise NoSamplesError("audio is empty; nothing to embed")
    if audio.ndim > 2:
        raise SpaceError(f"audio has {audio.ndim} dimensions; it must be [n] or [n, channels]")
    mono = audio.mean(axis=1) if audio.ndim == 2 else audio
    blocks: Iterable[np.ndarray[Any, Any]] = [mono]
    if sr != SAMPLE_RATE:
        blocks = kaiser_blocks([mono], source_rate=sr, target_rate=SAMPLE_RATE)
    compute = Compute(precision=precision, threads=cores())
    embedder = _embedder(Variant(size=size, hop=hop), local_weights(Variant().published), compute, center)
    with threadpool_limits(limits=1, user_api="blas"):  # its idle threads would spin beside the networks
        found = list(embedder.frames(block.astype(np.float32) for block in blocks))
    if not found:
        raise NoSamplesError("audio is shorter than a sample at 48 kHz; nothing to embed")
    vectors, times = zip(*found, strict=True)
    return np.concatenate(vectors), np.concatenate(times)


@cache
def _embedder(variant: Variant, weights: Path, compute: Compute, center: bool) -> OpenL3:
    return OpenL3(variant, weights=weights, compute=compute, center=center)
