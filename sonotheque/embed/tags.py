"""What musicnn would call a recording: its last layer turns a vector of the space into the strengths of 50 listeners' tags.

The layer is linear before its sigmoid, so the tag strengths of a mean of frames are the mean of the frames' tag strengths. It is
read from the shipped network itself. Each tag speaks of style, mood, instruments or era. Nothing here listens to audio.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from sonotheque.embed.musicnn import OUTPUTS, SPACE
from sonotheque.embed.weights import shipped
from sonotheque.errors import SpaceError
from sonotheque.types import FloatArray

TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock", "jazz",
    "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "Mellow", "electronica", "80s",
    "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic",
    "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country", "easy listening", "sexy", "catchy",
    "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb", "indie pop", "sad", "House", "happy",
)  # fmt: skip
"""The 50 most frequent tags of Last.fm's listeners in the Million Song Dataset, in the order of the network's outputs
(``MSD_LABELS`` of the package musicnn 0.1.0)."""

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
"""What a tag speaks of: each tag is in one group. Voices, and that there is none, count as instruments."""


def tag_group(tag: str) -> str:
    """Say what a tag speaks of: ``style``, ``mood``, ``instruments`` or ``era``.

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
    raise SpaceError(f"musicnn has no tag {tag!r}; TAGS lists them, such as {TAGS[0]}")


def tag_probabilities(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Compute how likely musicnn holds each tag to be: the logistic function of `tag_strengths`.

    For a track this is the geometric mean of its frames' odds, as odds: a tag that a few frames alone show stays unlikely.

    Parameters
    ----------
    vectors : float array [N, 200]
        As for `tag_strengths`.

    Returns
    -------
    float64 array [N, 50]
        In the order of `TAGS`, in (0, 1); the tags of a track do not exclude each other.

    Raises
    ------
    SpaceError
        If the vectors have another length.
    WeightsError
        If the shipped network is damaged.
    """
    result: npt.NDArray[np.float64] = 0.5 * (1 + np.tanh(0.5 * tag_strengths(vectors)))
    return result


def tag_strengths(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Compute how strongly musicnn hears each tag.

    Parameters
    ----------
    vectors : float array [N, 200]
        Of the space ``musicnn-msd-penultimate-h3.0@1``: frames, segments or tracks.

    Returns
    -------
    float64 array [N, 50]
        In the order of `TAGS`, before the sigmoid: the logarithm of the odds.

    Raises
    ------
    SpaceError
        If the vectors have another length.
    WeightsError
        If the shipped network is damaged.

    Examples
    --------
    >>> strengths = tag_strengths(np.zeros((3, 200)))
    >>> strengths.shape == (3, len(TAGS))
    True
    """
    if vectors.ndim != 2 or vectors.shape[1] != OUTPUTS["penultimate"]:
        raise SpaceError(f"tags need vectors [N, {OUTPUTS['penultimate']}] of {SPACE.id}, not {list(vectors.shape)}")
    weights, shift = _layer()
    result: npt.NDArray[np.float64] = vectors.astype(np.float64) @ weights + shift
    return result


@cache
def _layer() -> tuple[FloatArray, FloatArray]:
    """Read the weights float32 [200, 50] and the shift float32 [50] of the last layer."""
    import openvino

    network = openvino.Core().read_model(shipped("musicnn-msd.onnx"))
    named = {node.get_friendly_name(): node for node in network.get_ops()}
    return np.array(named["tags_w"].data), np.array(named["tags_b"].data)
