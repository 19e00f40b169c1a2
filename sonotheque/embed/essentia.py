"""The columns of Essentia's MusicExtractor as a space, where the extra ``essentia`` is installed (it is under the AGPL).

Bogdanov et al. 2013, "Essentia: an audio analysis library for music information retrieval". Which numbers of its result are
taken is said here; what they mean is in Essentia's own documentation.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import numpy as np

from sonotheque.embed.runtime import Compute
from sonotheque.embed.space import Space, Times
from sonotheque.errors import SpaceError
from sonotheque.types import FloatArray

SAMPLE_RATE = 44_100
WINDOW = 30.0
"""Seconds that are described at once: rhythm and key need more than a segment."""

BOTH = ("mean", "stdev")
SPECTRUM = (
    "barkbands_crest barkbands_flatness_db barkbands_kurtosis barkbands_skewness barkbands_spread dissonance erbbands_crest "
    "erbbands_flatness_db erbbands_kurtosis erbbands_skewness erbbands_spread melbands_crest melbands_flatness_db "
    "melbands_kurtosis melbands_skewness melbands_spread pitch_salience spectral_centroid spectral_complexity spectral_entropy "
    "spectral_flux spectral_kurtosis spectral_rolloff spectral_skewness spectral_strongpeak zerocrossingrate"
)
ENERGIES = (
    "hfc spectral_energy spectral_energyband_high spectral_energyband_low spectral_energyband_middle_high "
    "spectral_energyband_middle_low spectral_rms"
)
"""Taken as 10 log10, from -100 dB."""

COLUMNS: tuple[tuple[str, int], ...] = (
    *((f"lowlevel.{name}.{part}", 1) for name in f"{SPECTRUM} {ENERGIES}".split() for part in BOTH),
    *((f"lowlevel.{name}.{part}", size) for name, size in (("barkbands", 27), ("erbbands", 40)) for part in BOTH),
    *(
        (f"lowlevel.{name}.{part}", 6)
        for name in ("spectral_contrast_coeffs", "spectral_contrast_valleys")
        for part in BOTH
    ),
    *((f"lowlevel.{name}", 1) for name in ("average_loudness", "dynamic_complexity")),
    *(("lowlevel.gfcc.mean", 13), ("lowlevel.mfcc.mean", 13)),
    *((f"lowlevel.loudness_ebu128.{name}", 1) for name in ("integrated", "loudness_range")),
    *((f"rhythm.{name}", 1) for name in ("bpm", "danceability", "onset_rate", "bpm_histogram_first_peak_weight")),
    *((f"rhythm.beats_loudness.{part}", 1) for part in BOTH),
    *((f"rhythm.beats_loudness_band_ratio.{part}", 6) for part in BOTH),
    *((f"tonal.{name}", 1) for name in ("chords_changes_rate", "chords_number_rate", "tuning_diatonic_strength")),
    *((f"tonal.{name}", 1) for name in ("tuning_equal_tempered_deviation", "tuning_nontempered_energy_ratio")),
    *((f"tonal.key_{name}.strength", 1) for name in ("edma", "krumhansl", "temperley")),
    *((f"tonal.{name}.{part}", 1) for name in ("chords_strength", "hpcp_crest", "hpcp_entropy") for part in BOTH),
    *((f"tonal.hpcp.{part}", 36) for part in BOTH),
    *(("tonal.chords_histogram", 24), ("tonal.thpcp", 36)),
)
"""Descriptors of MusicExtractor, with how many numbers each has."""

SPACE = Space(
    id="essentia-music-2.0-h30.0@1",
    embedder="essentia",
    dimensions=sum(size for _, size in COLUMNS),
    sample_rate=SAMPLE_RATE,
    frame=WINDOW,
    hop=WINDOW,
)


def columns() -> tuple[str, ...]:
    """Name the numbers of a vector, in order.

    Examples
    --------
    >>> columns()[0], len(columns()) == SPACE.dimensions
    ('lowlevel.barkbands_crest.mean', True)
    """
    return tuple(name if size == 1 else f"{name}.{n:02d}" for name, size in COLUMNS for n in range(size))


def families() -> dict[str, slice]:
    """Say where in a vector each of MusicExtractor's groups lies: ``lowlevel``, ``rhythm``, ``tonal``.

    Examples
    --------
    >>> list(families()), families()["tonal"].stop == SPACE.dimensions
    (['lowlevel', 'rhythm', 'tonal'], True)
    """
    groups = [name.partition(".")[0] for name in columns()]
    return {name: slice(groups.index(name), len(groups) - groups[::-1].index(name)) for name in dict.fromkeys(groups)}


def require() -> None:
    """Check that Essentia is installed.

    Raises
    ------
    SpaceError
        If it is not.
    """
    if importlib.util.find_spec("essentia") is None:
        raise SpaceError(
            "the embedder essentia needs the extra: pip install 'sonotheque[essentia]' (it is under the AGPL)"
        )


@cache
def _extractor() -> Any:
    import essentia
    import essentia.standard

    essentia.log.infoActive = essentia.log.warningActive = False
    statistics = list(BOTH)
    return essentia.standard.MusicExtractor(lowlevelStats=statistics, rhythmStats=statistics, tonalStats=statistics)


class Essentia:
    """The embedder of MusicExtractor's columns.

    Parameters
    ----------
    compute : Compute
        Nothing in it matters here.

    Raises
    ------
    SpaceError
        If Essentia is not installed.
    """

    space = SPACE

    def __init__(self, *, compute: Compute = Compute()) -> None:
        require()

    def frames(self, blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, Times]]:
        """Turn mono float32 blocks at 44.1 kHz into one vector for each 30 s.

        A tail of 15 s or more has a vector of its own; a shorter one is dropped, but not where it is the whole recording.

        Yields
        ------
        vectors : float32 array [1, D]
            In the order of `columns`; always finite.
        starts : float64 array [1]
            In s.
        """
        length = int(WINDOW * SAMPLE_RATE)
        held = np.zeros(0, dtype=np.float32)
        count = 0
        for block in blocks:
            held = np.concatenate([held, block])
            while len(held) >= length:
                yield self.vector(held[:length])[None], np.array([count * WINDOW])
                held, count = held[length:], count + 1
        if len(held) >= length // 2 or (count == 0 and len(held) > 0):
            yield self.vector(held)[None], np.array([count * WINDOW])

    def vector(self, samples: FloatArray) -> FloatArray:
        """Describe float32 samples [n] at 44.1 kHz by a vector float32 [D]; zeros where Essentia finds nothing to describe."""
        import soundfile

        with tempfile.NamedTemporaryFile(suffix=".wav") as file:  # MusicExtractor takes files alone
            soundfile.write(
                file, np.resize(samples, max(len(samples), SAMPLE_RATE)), SAMPLE_RATE, subtype="FLOAT", format="WAV"
            )
            file.flush()
            try:
                pool, _ = _extractor()(file.name)
            except RuntimeError:  # silence
                return np.zeros(SPACE.dimensions, dtype=np.float32)
        parts = []
        for name, size in COLUMNS:
            values = np.resize(np.nan_to_num(np.ravel(pool[name]).astype(np.float64), posinf=0, neginf=0), size)
            if name.split(".")[1] in {*ENERGIES.split(), "barkbands", "erbbands", "beats_loudness"}:
                values = 10 * np.log10(np.maximum(values, 1e-10))
            parts.append(values)
        vector: FloatArray = np.concatenate(parts).astype(np.float32)
        return vector
