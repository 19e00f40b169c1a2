"""Build sonotheque/embed/openl3/graphs/*.onnx: OpenL3's audio networks without weights.

    python tools/build_openl3_graphs.py

Needs onnx. Each graph names its tensors in a file `weights.bin` beside it by offset and length, in the order in which
`sonotheque.embed.openl3.convert` writes them, so that no `onnx` is needed at run time.

The architecture (Cramer et al. 2019; openl3 0.4.2, `models.py`): batch normalisation of the input, which stays apart because
zero padding follows it; four blocks of two 3x3 convolutions with 64, 128, 256 and 512 channels, batch normalisation (folded into
the convolution) and ReLU after each but the last; 2x2 maximum pooling after the first three. Then the largest value of each
of 4 x 3 fields, channels last: 6,144 numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onnx import TensorProto, helper

from sonotheque.embed.openl3.frontend import PICTURES

TARGET = Path(__file__).parent.parent / "sonotheque" / "embed" / "openl3" / "graphs"
CHANNELS = (64, 64, 128, 128, 256, 256, 512, 512)


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    for name, picture in PICTURES.items():
        model = build(name, picture.rows, picture.columns)
        (TARGET / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
        print(f"{name}.onnx: {model.ByteSize()} bytes")


def build(name: str, rows: int, columns: int) -> Any:
    tensors: list[Any] = []
    offset = 0

    def tensor(tensor_name: str, shape: tuple[int, ...]) -> str:
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
        helper.make_node("Mul", ["picture", tensor("input_scale", (1, 1, 1, 1))], ["scaled"]),
        helper.make_node("Add", ["scaled", tensor("input_shift", (1, 1, 1, 1))], ["shifted"]),
    ]
    previous, before = "shifted", 1
    for number, channels in enumerate(CHANNELS):
        inputs = [previous, tensor(f"kernel_{number}", (channels, before, 3, 3)), tensor(f"bias_{number}", (channels,))]
        nodes.append(helper.make_node("Conv", inputs, [f"conv_{number}"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
        previous, before = f"conv_{number}", channels
        if number < 7:
            nodes.append(helper.make_node("Relu", [previous], [f"relu_{number}"]))
            previous = f"relu_{number}"
        if number in (1, 3, 5):
            nodes.append(
                helper.make_node("MaxPool", [previous], [f"pool_{number}"], kernel_shape=[2, 2], strides=[2, 2])
            )
            previous = f"pool_{number}"
    field = [rows // 8 // 4, columns // 8 // 3]
    nodes += [
        helper.make_node("MaxPool", [previous], ["fields"], kernel_shape=field, strides=field),
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
