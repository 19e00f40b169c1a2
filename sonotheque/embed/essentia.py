"""The space of Essentia's MusicExtractor. It needs the extra ``essentia``, which is under the AGPL.

Bogdanov et al. 2013, "Essentia: an audio analysis library for music information retrieval". This module selects the descriptors;
Essentia's documentation describes them.
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
"""Length of a window in s. It is longer than a segment because rhythm and key need more audio."""

MEAN_STDEV = ("mean", "stdev")
SPECTRAL = (
    "barkbands_crest barkbands_flatness_db barkbands_kurtosis barkbands_skewness barkbands_spread dissonance erbbands_crest "
    "erbbands_flatness_db erbbands_kurtosis erbbands_skewness erbbands_spread melbands_crest melbands_flatness_db "
    "melbands_kurtosis melbands_skewness melbands_spread pitch_salience spectral_centroid spectral_complexity spectral_entropy "
    "spectral_flux spectral_kurtosis spectral_rolloff spectral_skewness spectral_strongpeak zerocrossingrate"
)
ENERGY = (
    "hfc spectral_energy spectral_energyband_high spectral_energyband_low spectral_energyband_middle_high "
    "spectral_energyband_middle_low spectral_rms"
)
"""Energy descriptors, converted to dB with a floor of -100 dB."""

COLUMNS: tuple[tuple[str, int], ...] = (
    *((f"lowlevel.{name}.{part}", 1) for name in f"{SPECTRAL} {ENERGY}".split() for part in MEAN_STDEV),
    *((f"lowlevel.{name}.{part}", size) for name, size in (("barkbands", 27), ("erbbands", 40)) for part in MEAN_STDEV),
    *(
        (f"lowlevel.{name}.{part}", 6)
        for name in ("spectral_contrast_coeffs", "spectral_contrast_valleys")
        for part in MEAN_STDEV
    ),
    *((f"lowlevel.{name}", 1) for name in ("average_loudness", "dynamic_complexity")),
    *(("lowlevel.gfcc.mean", 13), ("lowlevel.mfcc.mean", 13)),
    *((f"lowlevel.loudness_ebu128.{name}", 1) for name in ("integrated", "loudness_range")),
    *((f"rhythm.{name}", 1) for name in ("bpm", "danceability", "onset_rate", "bpm_histogram_first_peak_weight")),
    *((f"rhythm.beats_loudness.{part}", 1) for part in MEAN_STDEV),
    *((f"rhythm.beats_loudness_band_ratio.{part}", 6) for part in MEAN_STDEV),
    *((f"tonal.{name}", 1) for name in ("chords_changes_rate", "chords_number_rate", "tuning_diatonic_strength")),
    *((f"tonal.{name}", 1) for name in ("tuning_equal_tempered_deviation", "tuning_nontempered_energy_ratio")),
    *((f"tonal.key_{name}.strength", 1) for name in ("edma", "krumhansl", "temperley")),
    *((f"tonal.{name}.{part}", 1) for name in ("chords_strength", "hpcp_crest", "hpcp_entropy") for part in MEAN_STDEV),
    *((f"tonal.hpcp.{part}", 36) for part in MEAN_STDEV),
    *(("tonal.chords_histogram", 24), ("tonal.thpcp", 36)),
)
"""Descriptors of MusicExtractor with their number of values."""

SPACE = Space(
    id="essentia-music-2.0-h30.0@1",
    embedder="essentia",
    dimensions=sum(size for _, size in COLUMNS),
    sample_rate=SAMPLE_RATE,
    frame=WINDOW,
    hop=WINDOW,
)


def column_names() -> tuple[str, ...]:
    """Return the names of all columns, in vector order.

    Examples
    --------
    >>> column_names()[0], len(column_names()) == SPACE.dimensions
    ('lowlevel.barkbands_crest.mean', True)
    """
    return tuple(name if size == 1 else f"{name}.{n:02d}" for name, size in COLUMNS for n in range(size))


def family_slices() -> dict[str, slice]:
    """Return the slice of the vector that each group of MusicExtractor occupies: ``lowlevel``, ``rhythm``, ``tonal``.

    Examples
    --------
    >>> list(family_slices()), family_slices()["tonal"].stop == SPACE.dimensions
    (['lowlevel', 'rhythm', 'tonal'], True)
    """
    groups = [name.partition(".")[0] for name in column_names()]
    return {name: slice(groups.index(name), len(groups) - groups[::-1].index(name)) for name in dict.fromkeys(groups)}


def check_installed() -> None:
    """Check that Essentia is installed.

    Raises
    ------
    SpaceError
        If it is not installed.
    """
    if importlib.util.find_spec("essentia") is None:
        raise SpaceError(
            "the embedder essentia needs Essentia, which is under the AGPL; "
            "install it with `pip install 'sonotheque[essentia]'`"
        )


@cache
def _extractor() -> Any:
    import essentia
    import essentia.standard

    essentia.log.infoActive = essentia.log.warningActive = False
    statistics = list(MEAN_STDEV)
    return essentia.standard.MusicExtractor(lowlevelStats=statistics, rhythmStats=statistics, tonalStats=statistics)


class Essentia:
    """Compute the descriptors of Essentia's MusicExtractor.

    Parameters
    ----------
    compute : Compute
        Not used; every embedder accepts it.

    Raises
    ------
    SpaceError
        If Essentia is not installed.
    """

    space = SPACE

    def __init__(self, *, compute: Compute = Compute()) -> None:
        check_installed()

    def frames(self, blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, Times]]:
        """Compute one vector for each 30 s of mono float32 blocks at 44.1 kHz.

        A tail of 15 s or more has a vector of its own. A shorter tail is dropped, unless it is the whole recording.

        Parameters
        ----------
        blocks : iterable of float32 arrays [any]

        Yields
        ------
        vectors : float32 array [1, D]
            In the order of `column_names`; always finite.
        starts : float64 array [1]
            Start of the window in s.
        """
        length = int(WINDOW * SAMPLE_RATE)
        held = np.zeros(0, dtype=np.float32)
        count = 0
        for block in blocks:
            held = np.concatenate([held, block])
            while len(held) >= length:
                yield self.extract(held[:length])[None], np.array([count * WINDOW])
                held, count = held[length:], count + 1
        if len(held) >= length // 2 or (count == 0 and len(held) > 0):
            yield self.extract(held)[None], np.array([count * WINDOW])

    def extract(self, samples: FloatArray) -> FloatArray:
        """Compute the vector, float32 [D], of mono float32 samples [n] at 44.1 kHz; zeros if MusicExtractor fails on silence."""
        import soundfile

        with tempfile.NamedTemporaryFile(suffix=".wav") as file:  # MusicExtractor reads only files
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
            if name.split(".")[1] in {*ENERGY.split(), "barkbands", "erbbands", "beats_loudness"}:
                values = 10 * np.log10(np.maximum(values, 1e-10))
            parts.append(values)
        vector: FloatArray = np.concatenate(parts).astype(np.float32)
        return vector
