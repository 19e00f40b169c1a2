"""Auto-tags: the 50 tags that musicnn predicts, computed from stored vectors of its space.

The tags are the network's output layer, which ships as a file of its own, so that no inference runtime is needed. The layer is
linear before its sigmoid, so the logits of a mean of frames are the mean of the frames' logits. No audio is decoded here. Each tag
describes the style, the mood, the instruments or the era.
"""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import numpy.typing as npt

from sonotheque.embed.musicnn import OUTPUTS, SPACE
from sonotheque.embed.weights import read_shipped
from sonotheque.errors import SpaceError
from sonotheque.types import FloatArray

TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock", "jazz",
    "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "Mellow", "electronica", "80s",
    "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic",
    "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country", "easy listening", "sexy", "catchy",
    "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb", "indie pop", "sad", "House", "happy",
)  # fmt: skip
"""The 50 most frequent Last.fm tags in the Million Song Dataset, in the order of the network's outputs (``MSD_LABELS`` of the
package musicnn 0.1.0)."""

GROUPS = {
    "style": (
        "rock", "pop", "alternative", "indie", "electronic", "dance", "alternative rock", "jazz", "metal", "classic rock", "soul",
        "indie rock", "electronica", "folk", "punk", "blues", "hard rock", "ambient", "experimental", "Hip-Hop", "country", "funk",
        "electro", "heavy metal", "Progressive rock", "rnb", "indie pop", "House",
    ),
    "mood": (
        "beautiful", "chillout", "Mellow", "chill", "party", "easy listening", "sexy", "catchy", "sad", "happy",
    ),
    "instruments": (
        "female vocalists", "male vocalists", "instrumental", "acoustic", "female vocalist", "guitar",
    ),
    "era": ("00s", "80s", "90s", "oldies", "70s", "60s"),
}  # fmt: skip
"""Groups of tags; each tag is in exactly one. Vocals, and their absence (``instrumental``), count as instruments."""


def tag_group(tag: str) -> str:
    """Return the group of a tag: ``style``, ``mood``, ``instruments`` or ``era``.

    Raises
    ------
    SpaceError
        If there is no such tag.

    Examples
    --------
    >>> tag_group("blues"), tag_group("female vocalists"), tag_group("Mellow"), tag_group("80s")
    ('style', 'instruments', 'mood', 'era')
    """
    for group, tags in GROUPS.items():
        if tag in tags:
            return group
    raise SpaceError(f"musicnn has no tag {tag!r}; use one of sonotheque.embed.auto_tags.TAGS, for example {TAGS[0]}")


def find_tag(name: str) -> str:
    """Return the tag with a name, in any case.

    Raises
    ------
    SpaceError
        If there is no such tag.

    Examples
    --------
    >>> find_tag("hip-hop"), find_tag("Female Vocalists")
    ('Hip-Hop', 'female vocalists')
    """
    for tag in TAGS:
        if tag.casefold() == name.strip().casefold():
            return tag
    raise SpaceError(f"there is no auto-tag {name!r}; the tags are {', '.join(sorted(TAGS, key=str.casefold))}")


def tag_probabilities(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Compute the probability of each tag: the logistic function of `tag_logits`.

    The odds of a track are the geometric mean of the odds of its frames, so a tag that appears in a few frames only stays unlikely.

    Parameters
    ----------
    vectors : float array [N, 200]
        Vectors of the space ``musicnn-msd-penultimate-h3.0@1``: frames, segments or tracks.

    Returns
    -------
    float64 array [N, 50]
        Probabilities in the order of `TAGS`, in [0, 1]. The tags are not mutually exclusive.

    Raises
    ------
    SpaceError
        If the array does not have this shape.
    WeightsError
        If the shipped network is damaged.
    """
    return logistic(tag_logits(vectors))


def logistic(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Convert logits into probabilities, of the same shape.

    Examples
    --------
    >>> logistic(np.array([0.0, 1000.0]))
    array([0.5, 1. ])
    """
    result: npt.NDArray[np.float64] = 0.5 * (1 + np.tanh(0.5 * logits))
    return result


def tag_logits(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Compute the logit of each tag.

    Parameters
    ----------
    vectors : float array [N, 200]
        Vectors of the space ``musicnn-msd-penultimate-h3.0@1``: frames, segments or tracks.

    Returns
    -------
    float64 array [N, 50]
        Logits (log-odds, before the sigmoid) in the order of `TAGS`.

    Raises
    ------
    SpaceError
        If the array does not have this shape.
    WeightsError
        If the shipped network is damaged.

    Examples
    --------
    >>> logits = tag_logits(np.zeros((3, 200)))
    >>> logits.shape == (3, len(TAGS))
    True
    """
    if vectors.ndim != 2 or vectors.shape[1] != OUTPUTS["penultimate"]:
        raise SpaceError(
            f"auto-tags need vectors of shape [N, {OUTPUTS['penultimate']}] of {SPACE.id}, not {list(vectors.shape)}; "
            "embed the tracks with musicnn"
        )
    weights, bias = _output_layer()
    result: npt.NDArray[np.float64] = vectors.astype(np.float64) @ weights + bias
    return result


@cache
def _output_layer() -> tuple[FloatArray, FloatArray]:
    """Read the weights float32 [200, 50] and the bias float32 [50] of the network's output layer, without a runtime."""
    layer = np.load(io.BytesIO(read_shipped("musicnn-msd-tags.npy")), allow_pickle=False)
    return layer[:-1], layer[-1]
