"""Build sonotheque/embed/weights/musicnn-msd.onnx from the wheel of the Python package musicnn 0.1.0.

    python tools/convert_musicnn.py musicnn-0.1.0-py3-none-any.whl

Needs numpy and onnx. It reads the TensorFlow checkpoint inside the wheel without TensorFlow and writes the same bytes
each time. `pip download --no-deps musicnn==0.1.0` fetches the wheel.
"""

from __future__ import annotations

import argparse
import hashlib
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TARGET = Path(__file__).parent.parent / "sonotheque" / "embed" / "weights"
FILES = {
    "musicnn/MSD_musicnn/.index": "87f3e0f3550c8d3bafc840374003e5c8af5eeb5ecf6add61af09a7822d3282c8",
    "musicnn/MSD_musicnn/.data-00000-of-00001": "8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6",
}
EPSILON = 1e-3  # of tf.compat.v1.layers.batch_normalization
TABLE_MAGIC = 0xDB4775248B80FB57
DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8"}

Array = np.ndarray[Any, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    with zipfile.ZipFile(parser.parse_args().wheel) as wheel:
        contents = {name: wheel.read(name) for name in FILES}
        notice = wheel.read("musicnn-0.1.0.dist-info/LICENSE.md")
    for name, expected in FILES.items():
        if hashlib.sha256(contents[name]).hexdigest() != expected:
            raise SystemExit(f"{name}: not the file of musicnn 0.1.0")
    index, data = contents.values()
    model = build(dict(tensors(index, data))).SerializeToString(deterministic=True)
    (TARGET / "musicnn-msd.onnx").write_bytes(model)
    (TARGET / "musicnn-LICENSE.md").write_bytes(notice)
    print(f"musicnn-msd.onnx: {len(model)} bytes, SHA-256 {hashlib.sha256(model).hexdigest()}")


# The checkpoint: a LevelDB-like table (index) of protobuf messages that point into a flat file (data).


def varint(buffer: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = buffer[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def message(buffer: bytes) -> Iterator[tuple[int, Any]]:
    """Yield (field number, value) of one protobuf message."""
    position = 0
    while position < len(buffer):
        tag, position = varint(buffer, position)
        match tag & 7:
            case 0:
                value, position = varint(buffer, position)
                yield tag >> 3, value
                continue
            case 2:
                size, position = varint(buffer, position)
                yield tag >> 3, buffer[position : position + size]
            case 1:
                size = 8
            case 5:
                size = 4
            case kind:
                raise ValueError(f"protobuf wire type {kind}")
        position += size


def block(table: bytes, handle: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (key, value) of one table block; a key shares a prefix with the one before it."""
    offset, position = varint(handle, 0)
    size, _ = varint(handle, position)
    content = table[offset : offset + size]
    end = size - 4 - 4 * struct.unpack("<I", content[-4:])[0]
    position, key = 0, b""
    while position < end:
        shared, position = varint(content, position)
        fresh, position = varint(content, position)
        length, position = varint(content, position)
        key = key[:shared] + content[position : position + fresh]
        position += fresh
        yield key, content[position : position + length]
        position += length


def tensors(index: bytes, data: bytes) -> Iterator[tuple[str, Array]]:
    """Yield the name and the value of each tensor of the checkpoint that is not the optimiser's."""
    footer = index[-48:]
    if struct.unpack("<Q", footer[-8:])[0] != TABLE_MAGIC:
        raise ValueError("not a checkpoint index")
    _, position = varint(footer, 0)
    _, position = varint(footer, position)
    for _, handle in block(index, footer[position:]):
        for key, value in block(index, handle):
            name = key.decode()
            if not name or "Adam" in name or "_power" in name:
                continue
            entry: dict[int, Any] = {1: 1, 2: b"", 4: 0, 5: 0, **dict(message(value))}
            shape = [dict(message(size)).get(1, 0) for number, size in message(entry[2]) if number == 2]
            raw = data[entry[4] : entry[4] + entry[5]]
            yield name, np.frombuffer(raw, DTYPES[entry[1]]).reshape([int(size) for size in shape])


# The network.


class Graph:
    """Nodes and initialisers of an ONNX graph under construction."""

    def __init__(self, weights: dict[str, Array]) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.initialisers: list[Any] = []

    def constant(self, name: str, value: Array) -> str:
        if value.dtype != np.int64:
            value = value.astype(np.float32)
        self.initialisers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def affine(self, source: str, scale: Array, shift: Array, output: str) -> str:
        self.node("Mul", [source, self.constant(f"{output}_scale", scale)], f"{output}_scaled")
        return self.node("Add", [f"{output}_scaled", self.constant(f"{output}_shift", shift)], output)

    def layer(self, kind: str, number: int) -> dict[str, Array]:
        prefix = kind + (f"_{number}" if number else "") + "/"
        return {name.removeprefix(prefix): w for name, w in self.weights.items() if name.startswith(prefix)}

    def batch_norm(self, number: int) -> tuple[Array, Array]:
        w = {name: value.astype(np.float64) for name, value in self.layer("batch_normalization", number).items()}
        scale = w["gamma"] / np.sqrt(w["moving_variance"] + EPSILON)
        return scale, w["beta"] - w["moving_mean"] * scale


def column(value: Array) -> Array:
    return value.reshape(1, -1, 1)


def front_end(graph: Graph) -> str:
    """Five convolutions over time and frequency, the maximum over frequency of each: [n, 561, frames].

    The maximum is taken before ReLU and batch normalisation. With the normalisation's scale s and shift b, the maximum
    of s * relu(x) + b is s * max(0, max x) + b where s >= 0 and |s| * min(0, max -x) + b where s < 0: the sign of s
    goes into the convolution.
    """
    maxima, scales, shifts, signs = [], [], [], []
    for number in range(5):
        layer = graph.layer("conv2d", number)
        kernel, bias = layer["kernel"].astype(np.float64), layer["bias"].astype(np.float64)
        height, width = kernel.shape[:2]
        # the two timbral kernels see a spectrogram padded by 3 frames, the temporal ones are "same" over time
        before = 3 if number < 2 else (height - 1) // 2
        after = 3 if number < 2 else height - 1 - before
        scale, shift = graph.batch_norm(number + 1)
        sign = np.where(scale < 0, -1.0, 1.0)
        graph.node(
            "Conv",
            [
                "normalised",
                graph.constant(f"front{number}_w", kernel.transpose(3, 2, 0, 1) * sign.reshape(-1, 1, 1, 1)),
                graph.constant(f"front{number}_b", bias * sign),
            ],
            f"front{number}_conv",
            kernel_shape=[height, width],
            pads=[before, 0, after, 0],
        )
        maxima.append(graph.node("ReduceMax", [f"front{number}_conv", "axis_3"], f"front{number}_max", keepdims=0))
        scales.append(np.abs(scale))
        shifts.append(shift)
        signs.append(sign)
    graph.node("Concat", maxima, "front_max", axis=1)
    sign = column(np.concatenate(signs))
    graph.node("Max", ["front_max", graph.constant("front_low", np.where(sign > 0, 0, -3e38))], "front_above")
    graph.node("Min", ["front_above", graph.constant("front_high", np.where(sign > 0, 3e38, 0))], "front_relu")
    return graph.affine("front_relu", column(np.concatenate(scales)), column(np.concatenate(shifts)), "front")


def middle(graph: Graph, front: str) -> list[str]:
    """Three convolutions over time, 64 channels each, the second and the third with a residual."""
    features, previous = [front], front
    for step, number in enumerate((5, 6, 7)):
        layer = graph.layer("conv2d", number)
        kernel = graph.constant(f"mid{step}_w", layer["kernel"][:, :, 0, :].transpose(2, 1, 0))
        bias = graph.constant(f"mid{step}_b", layer["bias"])
        graph.node("Conv", [previous, kernel, bias], f"mid{step}_conv", kernel_shape=[7], pads=[3, 3])
        graph.node("Relu", [f"mid{step}_conv"], f"mid{step}_relu")
        scale, shift = graph.batch_norm(number + 1)
        current = graph.affine(f"mid{step}_relu", column(scale), column(shift), f"mid{step}")
        if step:
            current = graph.node("Add", [current, previous], f"mid{step}_residual")
        features.append(current)
        previous = current
    return features


def back_end(graph: Graph, features: list[str]) -> None:
    """Pool over time, one dense layer of 200, the 50 tags."""
    graph.node("Concat", features, "features", axis=1)
    graph.node("ReduceMax", ["features", "axis_2"], "max_pool", keepdims=0)
    graph.node("ReduceMean", ["features", "axis_2"], "mean_pool", keepdims=0)
    graph.node("Concat", ["max_pool", "mean_pool"], "pooled", axis=1)
    scale, shift = graph.batch_norm(9)
    layer = graph.layer("dense", 0)
    kernel = layer["kernel"].astype(np.float64)
    bias = layer["bias"] + shift @ kernel
    kernel = scale[:, None] * kernel
    kernel = np.concatenate([kernel[0::2], kernel[1::2]])  # TensorFlow flattens [max, mean] interleaved
    graph.node("Gemm", ["pooled", graph.constant("dense_w", kernel), graph.constant("dense_b", bias)], "dense")
    graph.node("Relu", ["dense"], "dense_relu")
    scale, shift = graph.batch_norm(10)
    graph.affine("dense_relu", scale[None], shift[None], "penultimate")
    layer = graph.layer("dense", 1)
    tags = [graph.constant("tags_w", layer["kernel"]), graph.constant("tags_b", layer["bias"])]
    graph.node("Gemm", ["penultimate", *tags], "tags")
    graph.node("Sigmoid", ["tags"], "taggram")


def build(weights: dict[str, Array]) -> Any:
    graph = Graph(weights)
    for axis in (1, 2, 3):
        graph.constant(f"axis_{axis}", np.array([axis], dtype=np.int64))
    graph.node("Unsqueeze", ["log_mel", "axis_1"], "image")
    scale, shift = graph.batch_norm(0)
    graph.affine("image", scale.reshape(1, 1, 1, 1), shift.reshape(1, 1, 1, 1), "normalised")
    back_end(graph, middle(graph, front_end(graph)))
    outputs = [("taggram", 50), ("penultimate", 200), ("mean_pool", 753), ("max_pool", 753)]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "musicnn-msd",
            [helper.make_tensor_value_info("log_mel", TensorProto.FLOAT, ["n", "frames", 96])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size]) for name, size in outputs],
            graph.initialisers,
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
        producer_name="sonotheque",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    main()
