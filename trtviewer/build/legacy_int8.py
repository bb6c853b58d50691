"""INT8 the legacy way of TensorRT 10 and older: a range for each tensor from a calibration table, layers forced to float.

The ranges are set tensor by tensor, not through a calibrator: a calibrator's cache counts only where its first line names the very
version that reads it, and without it TensorRT would calibrate anew.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from trtviewer.build.request import LegacyInt8
from trtviewer.errors import BadInput, BadUsage

if TYPE_CHECKING:
    import tensorrt

_LEVELS = 127


def apply_legacy_int8(
    trt: ModuleType,
    network: tensorrt.INetworkDefinition,
    config: tensorrt.IBuilderConfig,
    wanted: LegacyInt8,
) -> None:
    """Asks for INT8 by the table's ranges.

    Raises:
        BadInput: the table has none of the network's tensors.
        BadUsage: a layer that is to stay float is not in the network.
    """
    config.set_flag(trt.BuilderFlag.INT8)
    ranged = sum(_set_range(network.get_input(index), wanted) for index in range(network.num_inputs))
    left = set(wanted.keep_float)
    for number in range(network.num_layers):
        layer: tensorrt.ILayer = network.get_layer(number)
        ranged += sum(_set_range(layer.get_output(index), wanted) for index in range(layer.num_outputs))
        if layer.name in wanted.keep_float:
            left.discard(layer.name)
            layer.precision = trt.float32
            for index in range(layer.num_outputs):
                layer.set_output_type(index, trt.float32)
    if not ranged:
        raise BadInput(
            "the calibration table has none of the network's tensors",
            advice="it is of another model, or of an export with other names",
        )
    if left:
        raise BadUsage(
            f"the network has no layer {', '.join(sorted(left)[:3])}, which is to stay float",
            advice="the parser gives a layer its node's name: give the nodes names when exporting",
        )
    if wanted.keep_float:
        config.set_flag(trt.BuilderFlag.OBEY_PRECISION_CONSTRAINTS)


def _set_range(tensor: tensorrt.ITensor, wanted: LegacyInt8) -> bool:
    scale = wanted.scales.get(tensor.name)
    if scale is None:
        return False
    amax = _LEVELS * scale
    return bool(tensor.set_dynamic_range(-amax, amax))
