"""What musicnn would call a recording: its last layer turns a vector of the space into the strengths of 50 listeners' tags.

The layer is linear before its sigmoid, so the tag strengths of a mean of frames are the mean of the frames' tag strengths. It is
read from the shipped network itself. Nothing here listens to audio.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from sonotheque.audio.decode import FloatArray
from sonotheque.embed.musicnn import OUTPUTS, SPACE
from sonotheque.embed.weights import shipped
from sonotheque.errors import SpaceError

TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock", "jazz",
    "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "Mellow", "electronica", "80s",
    "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic",
    "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country", "easy listening", "sexy", "catchy",
    "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb", "indie pop", "sad", "House", "happy",
)  # fmt: skip
"""The 50 most frequent tags of Last.fm's listeners in the Million Song Dataset, in the order of the network's outputs
(``MSD_LABELS`` of the package musicnn 0.1.0)."""


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
