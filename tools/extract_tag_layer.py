"""Write the output layer of the shipped musicnn network to a file of its own, so that auto-tags need no inference runtime.

Run it after tools/convert_musicnn.py, and put the SHA-256 that it prints into sonotheque/embed/weights/__init__.py.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from sonotheque.embed import weights
from sonotheque.embed.runtime_openvino import import_openvino


def main() -> None:
    """Write the weights [200, 50] and, as the last row, the bias [50]."""
    network = import_openvino().Core().read_model(weights.read_shipped("musicnn-msd.onnx"))
    nodes = {node.get_friendly_name(): node for node in network.get_ops()}
    layer = np.concatenate([np.array(nodes["tags_w"].data), np.array(nodes["tags_b"].data).reshape(1, -1)])
    path = Path(weights.__file__).with_name("musicnn-msd-tags.npy")
    np.save(path, layer.astype("<f4"))
    print(hashlib.sha256(path.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
