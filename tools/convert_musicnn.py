"""Convert the weights in the wheel of the Python package musicnn 0.1.0 to sonotheque/embed/weights/musicnn-msd.onnx.

    python tools/convert_musicnn.py musicnn-0.1.0-py3-none-any.whl

It needs numpy and onnx. It reads the TensorFlow checkpoint inside the wheel without TensorFlow, and its output is
reproducible byte for byte. Download the wheel with `pip download --no-deps musicnn==0.1.0`.
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
EPSILON = 1e-3  # default of tf.compat.v1.layers.batch_normalization
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
            raise SystemExit(f"{name} differs from the file in musicnn 0.1.0; download the wheel again")
    index, data = contents.values()
    model = build_model(dict(read_tensors(index, data))).SerializeToString(deterministic=True)
    (TARGET / "musicnn-msd.onnx").write_bytes(model)
    (TARGET / "musicnn-LICENSE.md").write_bytes(notice)
    print(f"musicnn-msd.onnx: {len(model)} bytes, SHA-256 {hashlib.sha256(model).hexdigest()}")


# Reading the checkpoint. Its index is a LevelDB-like table of protobuf messages, which point into a flat data file.


def read_varint(buffer: bytes, position: int) -> tuple[int, int]:
    """Return the variable-length integer at a position, and the position after it."""
    value = shift = 0
    while True:
        byte = buffer[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def read_message(buffer: bytes) -> Iterator[tuple[int, Any]]:
    """Yield the (field number, value) pairs of a protobuf message."""
    position = 0
    while position < len(buffer):
        tag, position = read_varint(buffer, position)
        match tag & 7:
            case 0:
                value, position = read_varint(buffer, position)
                yield tag >> 3, value
                continue
            case 2:
                size, position = read_varint(buffer, position)
                yield tag >> 3, buffer[position : position + size]
            case 1:
                size = 8
            case 5:
                size = 4
            case wire_type:
                raise ValueError(f"unknown protobuf wire type {wire_type}")
        position += size


def read_block(table: bytes, handle: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the (key, value) pairs of a table block. A key is stored without the prefix that it shares with the previous key."""
    offset, position = read_varint(handle, 0)
    size, _ = read_varint(handle, position)
    content = table[offset : offset + size]
    end = size - 4 - 4 * struct.unpack("<I", content[-4:])[0]
    position, key = 0, b""
    while position < end:
        shared, position = read_varint(content, position)
        unshared, position = read_varint(content, position)
        length, position = read_varint(content, position)
        key = key[:shared] + content[position : position + unshared]
        position += unshared
        yield key, content[position : position + length]
        position += length


def read_tensors(index: bytes, data: bytes) -> Iterator[tuple[str, Array]]:
    """Yield the name and the value of each tensor in the checkpoint, except the optimiser's."""
    footer = index[-48:]
    if struct.unpack("<Q", footer[-8:])[0] != TABLE_MAGIC:
        raise ValueError("not a checkpoint index")
    _, position = read_varint(footer, 0)
    _, position = read_varint(footer, position)
    for _, handle in read_block(index, footer[position:]):
        for key, value in read_block(index, handle):
            name = key.decode()
            if not name or "Adam" in name or "_power" in name:
                continue
            entry: dict[int, Any] = {1: 1, 2: b"", 4: 0, 5: 0, **dict(read_message(value))}
            shape = [dict(read_message(size)).get(1, 0) for number, size in read_message(entry[2]) if number == 2]
            raw = data[entry[4] : entry[4] + entry[5]]
            yield name, np.frombuffer(raw, DTYPES[entry[1]]).reshape([int(size) for size in shape])


# Building the network.


class GraphBuilder:
    """Collect the nodes and initialisers of an ONNX graph."""

    def __init__(self, weights: dict[str, Array]) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.initialisers: list[Any] = []

    def add_constant(self, name: str, value: Array) -> str:
        if value.dtype != np.int64:
            value = value.astype(np.float32)
        self.initialisers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add_node(self, op_type: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op_type, inputs, [output], **attributes))
        return output

    def add_affine(self, source: str, scale: Array, shift: Array, output: str) -> str:
        self.add_node("Mul", [source, self.add_constant(f"{output}_scale", scale)], f"{output}_scaled")
        return self.add_node("Add", [f"{output}_scaled", self.add_constant(f"{output}_shift", shift)], output)

    def layer_weights(self, layer_type: str, number: int) -> dict[str, Array]:
        prefix = layer_type + (f"_{number}" if number else "") + "/"
        return {name.removeprefix(prefix): w for name, w in self.weights.items() if name.startswith(prefix)}

    def batch_norm(self, number: int) -> tuple[Array, Array]:
        """Return the scale and the shift that a batch normalisation amounts to at inference."""
        w = {
            name: value.astype(np.float64) for name, value in self.layer_weights("batch_normalization", number).items()
        }
        scale = w["gamma"] / np.sqrt(w["moving_variance"] + EPSILON)
        return scale, w["beta"] - w["moving_mean"] * scale


def as_column(value: Array) -> Array:
    return value.reshape(1, -1, 1)


def add_front_end(graph: GraphBuilder) -> str:
    """Add five convolutions over time and frequency, and the maximum over frequency of each: [n, 561, frames].

    The maximum is computed before ReLU and batch normalisation. With scale s and shift b of the normalisation, the
    maximum of s * relu(x) + b is s * max(0, max x) + b if s >= 0, and |s| * min(0, max -x) + b if s < 0. So the sign of s is
    multiplied into the weights of the convolution.
    """
    maxima, scales, shifts, signs = [], [], [], []
    for number in range(5):
        layer = graph.layer_weights("conv2d", number)
        kernel, bias = layer["kernel"].astype(np.float64), layer["bias"].astype(np.float64)
        height, width = kernel.shape[:2]
        # the two timbral kernels see a spectrogram padded by 3 frames; the temporal ones use "same" padding over time
        before = 3 if number < 2 else (height - 1) // 2
        after = 3 if number < 2 else height - 1 - before
        scale, shift = graph.batch_norm(number + 1)
        sign = np.where(scale < 0, -1.0, 1.0)
        graph.add_node(
            "Conv",
            [
                "normalised",
                graph.add_constant(f"front{number}_w", kernel.transpose(3, 2, 0, 1) * sign.reshape(-1, 1, 1, 1)),
                graph.add_constant(f"front{number}_b", bias * sign),
            ],
            f"front{number}_conv",
            kernel_shape=[height, width],
            pads=[before, 0, after, 0],
        )
        maxima.append(graph.add_node("ReduceMax", [f"front{number}_conv", "axis_3"], f"front{number}_max", keepdims=0))
        scales.append(np.abs(scale))
        shifts.append(shift)
        signs.append(sign)
    graph.add_node("Concat", maxima, "front_max", axis=1)
    sign = as_column(np.concatenate(signs))
    graph.add_node("Max", ["front_max", graph.add_constant("front_low", np.where(sign > 0, 0, -3e38))], "front_above")
    graph.add_node("Min", ["front_above", graph.add_constant("front_high", np.where(sign > 0, 3e38, 0))], "front_relu")
    return graph.add_affine("front_relu", as_column(np.concatenate(scales)), as_column(np.concatenate(shifts)), "front")


def add_middle(graph: GraphBuilder, front: str) -> list[str]:
    """Add three convolutions over time with 64 channels each; the second and the third have a residual connection."""
    features, previous = [front], front
    for step, number in enumerate((5, 6, 7)):
        layer = graph.layer_weights("conv2d", number)
        kernel = graph.add_constant(f"mid{step}_w", layer["kernel"][:, :, 0, :].transpose(2, 1, 0))
        bias = graph.add_constant(f"mid{step}_b", layer["bias"])
        graph.add_node("Conv", [previous, kernel, bias], f"mid{step}_conv", kernel_shape=[7], pads=[3, 3])
        graph.add_node("Relu", [f"mid{step}_conv"], f"mid{step}_relu")
        scale, shift = graph.batch_norm(number + 1)
        current = graph.add_affine(f"mid{step}_relu", as_column(scale), as_column(shift), f"mid{step}")
        if step:
            current = graph.add_node("Add", [current, previous], f"mid{step}_residual")
        features.append(current)
        previous = current
    return features


def add_back_end(graph: GraphBuilder, features: list[str]) -> None:
    """Add pooling over time, a dense layer of 200 units, and the output layer with the 50 tags."""
    graph.add_node("Concat", features, "features", axis=1)
    graph.add_node("ReduceMax", ["features", "axis_2"], "max_pool", keepdims=0)
    graph.add_node("ReduceMean", ["features", "axis_2"], "mean_pool", keepdims=0)
    graph.add_node("Concat", ["max_pool", "mean_pool"], "pooled", axis=1)
    scale, shift = graph.batch_norm(9)
    layer = graph.layer_weights("dense", 0)
    kernel = layer["kernel"].astype(np.float64)
    bias = layer["bias"] + shift @ kernel
    kernel = scale[:, None] * kernel
    kernel = np.concatenate([kernel[0::2], kernel[1::2]])  # TensorFlow flattens [max, mean] interleaved
    graph.add_node(
        "Gemm", ["pooled", graph.add_constant("dense_w", kernel), graph.add_constant("dense_b", bias)], "dense"
    )
    graph.add_node("Relu", ["dense"], "dense_relu")
    scale, shift = graph.batch_norm(10)
    graph.add_affine("dense_relu", scale[None], shift[None], "penultimate")
    layer = graph.layer_weights("dense", 1)
    tags = [graph.add_constant("tags_w", layer["kernel"]), graph.add_constant("tags_b", layer["bias"])]
    graph.add_node("Gemm", ["penultimate", *tags], "tags")
    graph.add_node("Sigmoid", ["tags"], "taggram")


def build_model(weights: dict[str, Array]) -> Any:
    graph = GraphBuilder(weights)
    for axis in (1, 2, 3):
        graph.add_constant(f"axis_{axis}", np.array([axis], dtype=np.int64))
    graph.add_node("Unsqueeze", ["log_mel", "axis_1"], "image")
    scale, shift = graph.batch_norm(0)
    graph.add_affine("image", scale.reshape(1, 1, 1, 1), shift.reshape(1, 1, 1, 1), "normalised")
    add_back_end(graph, add_middle(graph, add_front_end(graph)))
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
