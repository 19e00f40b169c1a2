"""Build tests/data/musicnn_reference.npz: the original musicnn code's outputs on six seconds of free music.

    pip install "tensorflow-cpu==2.15.1" "librosa==0.10.2.post1" "numpy==1.26.4" soundfile
    pip download --no-deps musicnn==0.1.0
    python tools/make_musicnn_reference.py musicnn-0.1.0-py3-none-any.whl

Run it in an environment of its own (Python 3.11): it wants TensorFlow 2.15, the last one that runs the original's code. The
spectrogram is librosa's, the network is the wheel's own `models.py` with its own checkpoint. It differs from the wheel's
`extractor()` in two points that are the extractor's faults: no rounding to float16, and `penultimate` of every patch.
"""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import librosa
import numpy as np

ROOT = Path(__file__).parent.parent
CLIP = ROOT / "sonotheque" / "demo" / "new" / "yd-galactic-temple.ogg"  # CC0
RATE, PATCH = 16_000, 187


def main(wheel: str) -> None:
    samples, _ = librosa.load(CLIP, sr=RATE, duration=6.0)
    stored = np.round(samples * 32767).astype(np.int16)
    audio = stored.astype(np.float32) / 32767
    mel = librosa.feature.melspectrogram(y=audio, sr=RATE, hop_length=256, n_fft=512, n_mels=96).T
    log_mel = np.log10(10_000 * mel + 1).astype(np.float32)
    patches = np.stack([log_mel[:PATCH], log_mel[PATCH : 2 * PATCH]])
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(wheel).extractall(folder)
        outputs = original(folder, patches)
    np.savez_compressed(ROOT / "tests" / "data" / "musicnn_reference.npz", samples=stored, log_mel=patches, **outputs)


def original(folder: str, patches: Any) -> dict[str, Any]:
    sys.path.insert(0, folder)
    import tensorflow as tf

    tf.compat.v1.disable_eager_execution()
    from musicnn import models

    with tf.name_scope("model"):
        x = tf.compat.v1.placeholder(tf.float32, [None, PATCH, 96])
        training = tf.compat.v1.placeholder(tf.bool)
        logits, *_, mean_pool, max_pool, penultimate = models.define_model(x, training, "MSD_musicnn", 50)
        wanted = {
            "taggram": tf.nn.sigmoid(logits),
            "penultimate": penultimate,
            "mean_pool": mean_pool,
            "max_pool": max_pool,
        }
    session = tf.compat.v1.Session()
    session.run(tf.compat.v1.global_variables_initializer())
    tf.compat.v1.train.Saver().restore(session, f"{folder}/musicnn/MSD_musicnn/")
    each = [session.run(wanted, {x: patch[None], training: False}) for patch in patches]
    return {name: np.concatenate([output[name] for output in each]) for name in wanted}


if __name__ == "__main__":
    main(sys.argv[1])
