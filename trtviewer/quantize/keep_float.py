"""Which nodes a user means by `--keep-float`: a name, a glob, an operator, `first` or `heads`."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase

from trtviewer.errors import BadUsage
from trtviewer.quantize.graph import Network
from trtviewer.quantize.layout import first_layers, head_layers, quantizable

FIRST = "first"
HEADS = "heads"


def resolve(network: Network, patterns: Iterable[str]) -> frozenset[str]:
    """The names of all nodes that any of the patterns means.

    Args:
        patterns: each is, whichever fits first, the name of a node; `first` (the layers that read the picture); `heads` (the last
            layers before the outputs); an operator (`Conv`, `Concat`); a glob over names (`/model.22/*`).

    Raises:
        BadUsage: a pattern means no node, with the nearest names; or only nodes that INT8 never takes; or all layers.
    """
    candidates = {node.name: node.op_type for node in quantizable(network)}
    chosen = {name for pattern in patterns for name in _meant(network, pattern, candidates)}
    if chosen and all(node.name in chosen for node in network.weighted()):
        raise BadUsage(
            "leaves no layer in INT8",
            subject="--keep-float",
            advice="name fewer layers, or use the FP32 model",
        )
    return frozenset(chosen)


def _meant(network: Network, pattern: str, candidates: dict[str, str]) -> list[str]:
    if pattern in candidates:
        return [pattern]
    if pattern == FIRST:
        return list(first_layers(network))
    if pattern == HEADS:
        return list(head_layers(network))
    if pattern in candidates.values():
        return [name for name, operator in candidates.items() if operator == pattern]
    found = [name for name in candidates if fnmatchcase(name, pattern)]
    if found:
        return found
    everything = [node.name for node in network.nodes]
    if any(pattern in (node.name, node.op_type) or fnmatchcase(node.name, pattern) for node in network.nodes):
        raise BadUsage(
            f"'{pattern}' names nothing that INT8 would take: it is float already",
            subject="--keep-float",
            advice="name layers with weights, Concat or residual Add",
        )
    names = [*candidates, *dict.fromkeys(candidates.values()), FIRST, HEADS]
    near = get_close_matches(pattern, names, n=3, cutoff=0.4) or get_close_matches(pattern, everything, n=3)
    advice = f"nearest: {', '.join(near)}" if near else f"names are like {', '.join(list(candidates)[:3])}"
    raise BadUsage(f"the model has no node '{pattern}'", subject="--keep-float", advice=advice)
