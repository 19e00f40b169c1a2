"""Build sonotheque/embed/openl3/graphs/*.onnx: the audio networks of OpenL3 without their weights.

    python tools/build_openl3_graphs.py

This script needs onnx. Each graph refers to its weights by offset and length in a file `weights.bin` beside it, in the order in
which `sonotheque.embed.openl3.convert` writes them, so onnx is not needed at run time.

The architecture (Cramer et al. 2019; openl3 0.4.2, `models.py`):

- batch normalisation of the input, which is not folded because zero padding follows it;
- four blocks of two 3x3 convolutions with 64, 128, 256 and 512 channels, with batch normalisation (folded into the convolution) and
  ReLU after each convolution except the last;
- 2x2 max pooling after each of the first three blocks;
- max pooling over 4 x 3 regions, channels last: 6,144 values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onnx import TensorProto, helper

from sonotheque.embed.openl3.frontend import INPUT_REPRS

TARGET = Path(__file__).parent.parent / "sonotheque" / "embed" / "openl3" / "graphs"
CHANNELS = (64, 64, 128, 128, 256, 256, 512, 512)


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    for name, config in INPUT_REPRS.items():
        model = build_graph(name, config.rows, config.columns)
        (TARGET / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
        print(f"{name}.onnx: {model.ByteSize()} bytes")


def build_graph(name: str, rows: int, columns: int) -> Any:
    """Build the ONNX model for a spectrogram of this size; its weights are external."""
    tensors: list[Any] = []
    offset = 0

    def add_tensor(tensor_name: str, shape: tuple[int, ...]) -> str:
        nonlocal offset
        size = 4
        for length in shape:
            size *= length
        value = TensorProto(name=tensor_name, data_type=TensorProto.FLOAT, dims=shape)
        value.data_location = TensorProto.EXTERNAL
        for key, entry in (("location", "weights.bin"), ("offset", str(offset)), ("length", str(size))):
            value.external_data.add(key=key, value=entry)
        tensors.append(value)
        offset += size
        return tensor_name

    nodes = [
        helper.make_node("Mul", ["picture", add_tensor("input_scale", (1, 1, 1, 1))], ["scaled"]),
        helper.make_node("Add", ["scaled", add_tensor("input_shift", (1, 1, 1, 1))], ["shifted"]),
    ]
    previous, in_channels = "shifted", 1
    for number, channels in enumerate(CHANNELS):
        inputs = [
            previous,
            add_tensor(f"kernel_{number}", (channels, in_channels, 3, 3)),
            add_tensor(f"bias_{number}", (channels,)),
        ]
        nodes.append(helper.make_node("Conv", inputs, [f"conv_{number}"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
        previous, in_channels = f"conv_{number}", channels
        if number < 7:
            nodes.append(helper.make_node("Relu", [previous], [f"relu_{number}"]))
            previous = f"relu_{number}"
        if number in (1, 3, 5):
            nodes.append(
                helper.make_node("MaxPool", [previous], [f"pool_{number}"], kernel_shape=[2, 2], strides=[2, 2])
            )
            previous = f"pool_{number}"
    region = [rows // 8 // 4, columns // 8 // 3]
    nodes += [
        helper.make_node("MaxPool", [previous], ["fields"], kernel_shape=region, strides=region),
        helper.make_node("Transpose", ["fields"], ["channels_last"], perm=[0, 2, 3, 1]),
        helper.make_node("Flatten", ["channels_last"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        f"openl3-{name}",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["n", 1, rows, columns])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 6144])],
        tensors,
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9, producer_name="sonotheque"
    )


if __name__ == "__main__":
    main()
