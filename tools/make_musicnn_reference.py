"""Build tests/data/musicnn_reference.npz: the outputs of the original musicnn code for six seconds of free music.

    pip install "tensorflow-cpu==2.15.1" "librosa==0.10.2.post1" "numpy==1.26.4" soundfile
    pip download --no-deps musicnn==0.1.0
    python tools/make_musicnn_reference.py musicnn-0.1.0-py3-none-any.whl

Run it in a separate environment (Python 3.11): it needs TensorFlow 2.15, the last version that runs the original code. The
spectrogram is librosa's; the network is `models.py` of the wheel with the checkpoint of the wheel. It differs from the wheel's
`extractor()` in two points where the extractor is at fault: values are not rounded to float16, and `penultimate` is returned for
every patch.
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
SAMPLE_RATE, PATCH_LENGTH = 16_000, 187


def main(wheel: str) -> None:
    samples, _ = librosa.load(CLIP, sr=SAMPLE_RATE, duration=6.0)
    stored = np.round(samples * 32767).astype(np.int16)
    audio = stored.astype(np.float32) / 32767
    mel = librosa.feature.melspectrogram(y=audio, sr=SAMPLE_RATE, hop_length=256, n_fft=512, n_mels=96).T
    log_mel = np.log10(10_000 * mel + 1).astype(np.float32)
    patches = np.stack([log_mel[:PATCH_LENGTH], log_mel[PATCH_LENGTH : 2 * PATCH_LENGTH]])
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(wheel).extractall(folder)
        outputs = run_original(folder, patches)
    np.savez_compressed(ROOT / "tests" / "data" / "musicnn_reference.npz", samples=stored, log_mel=patches, **outputs)


def run_original(folder: str, patches: Any) -> dict[str, Any]:
    """Run the network of the unpacked wheel on each patch; return its outputs by name."""
    sys.path.insert(0, folder)
    import tensorflow as tf

    tf.compat.v1.disable_eager_execution()
    from musicnn import models

    with tf.name_scope("model"):
        x = tf.compat.v1.placeholder(tf.float32, [None, PATCH_LENGTH, 96])
        training = tf.compat.v1.placeholder(tf.bool)
        logits, *_, mean_pool, max_pool, penultimate = models.define_model(x, training, "MSD_musicnn", 50)
        fetches = {
            "taggram": tf.nn.sigmoid(logits),
            "penultimate": penultimate,
            "mean_pool": mean_pool,
            "max_pool": max_pool,
        }
    session = tf.compat.v1.Session()
    session.run(tf.compat.v1.global_variables_initializer())
    tf.compat.v1.train.Saver().restore(session, f"{folder}/musicnn/MSD_musicnn/")
    outputs = [session.run(fetches, {x: patch[None], training: False}) for patch in patches]
    return {name: np.concatenate([output[name] for output in outputs]) for name in fetches}


if __name__ == "__main__":
    main(sys.argv[1])
