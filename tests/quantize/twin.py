"""A Q/DQ twin of a network, written from the ranges of its tensors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from trtviewer.quantize.graph import Network
from trtviewer.quantize.qdq import FloatType, make_qdq, shared_scales


def write_qdq(
    network: Network,
    amax: Mapping[str, float],
    keep_float: Collection[str],
    out: Path,
    float_type: FloatType = "float32",
) -> None:
    """Quantizes the network, with the range of every tensor of its layout, and writes it at `out`."""
    scales = shared_scales(network, amax, keep_float)
    out.write_bytes(make_qdq(network, scales, keep_float, float_type).model.SerializeToString())
