"""Graphs made of both networks: any layers in INT8, the others in float; several such mixtures side by side in one graph."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import onnxruntime as ort
from onnx import ModelProto, NodeProto, TensorProto, helper

from trtviewer.blame.twin import Feed, Step, Twin
from trtviewer.errors import BadInput
from trtviewer.runners.ort import cpu_session_options

_OF_CANDIDATE = "candidate:"
"""Before the names of the candidate's constants, which the two networks may share."""

Name = Callable[[str], str]


class MixedGraph:
    """A graph in the making: first its branches, then what it gives, then the model."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._nodes: list[NodeProto] = []
        self._made: set[str] = set()
        self._constants: set[str] = set()
        self._weights: set[str] = set()
        self._outputs: dict[str, None] = {}

    def add_float(self) -> None:
        """The reference as it is, under its own names."""
        for step in self._twin.steps:
            self._add_float(step, lambda name: name)

    def add_mixed(
        self, prefix: str, int8: Collection[int], *, others_of_candidate: bool, whole: bool = False
    ) -> dict[str, str]:
        """A network with some layers in INT8.

        Args:
            prefix: before the name of each tensor that differs from the reference's.
            int8: which of the layers of `Twin.int8` run in INT8; Concats and the like follow the layers that they feed.
            others_of_candidate: what is not quantized anyway is taken from the candidate as it is (it may be FP16, or have weights
                of its own); else from the reference. Layers that the candidate has in INT8 and `int8` lacks are the reference's.
            whole: nothing is shared with `add_float`.

        Returns: what the reference's tensors are called here; those that are shared with it are not in it.
        """
        twin = self._twin
        own = {twin.input: twin.input}

        def read(name: str) -> str:
            return own.get(name, name)

        for step in twin.steps:
            quantized = step.layer >= 0 and twin.layers[step.layer].is_int8
            as_candidate = step.candidate is not None and (
                twin.runs_in_int8(step.layer, int8) if quantized else others_of_candidate
            )
            if not whole and not as_candidate and all(read(name) == name for name in step.node.input):
                continue
            if as_candidate:
                self._add_candidate(step, read, prefix)
            else:
                self._add_float(step, read, prefix)
            own.update((name, prefix + name) for name in step.node.output if name)
        return own

    def add_alone(self, step: Step, prefix: str) -> str:
        """One node of the candidate, fed by the reference. Returns: the name of its first output."""
        self._add_candidate(step, lambda name: name, prefix)
        return f"{prefix}{step.node.output[0]}"

    def add_output(self, name: str, called: dict[str, str], int8: Collection[int]) -> str:
        """An output as the candidate gives it: with the pair that it may have at its very end, where its layer runs in INT8."""
        feed = self._twin.outputs[name]
        source = called.get(feed.root, feed.root)
        if feed.quantized and not self._twin.output_layers[name].isdisjoint(int8):
            source = self._add_chain(feed, source)
            if _type_after(feed) != TensorProto.FLOAT:
                source = self._add_cast(source, TensorProto.FLOAT)
        self.give(source)
        return source

    def give(self, name: str) -> None:
        """Makes a tensor an output of the graph."""
        self._outputs[name] = None

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return len(self._nodes)

    def model(self) -> ModelProto:
        """The graph as a model, with just the weights that it uses."""
        twin = self._twin
        initializers = [twin.weights[name] for name in sorted(self._weights)]
        for name in sorted(self._constants):
            tensor = TensorProto()
            tensor.CopyFrom(twin.constants[name])
            tensor.name = _OF_CANDIDATE + name
            initializers.append(tensor)
        given = next(entry for entry in twin.model.graph.input if entry.name == twin.input)
        # What is only passed through has its type from the input; all else is float32.
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in self._outputs]
        graph = helper.make_graph(self._nodes, "layers", [given], outputs, initializers)
        return helper.make_model(
            graph, opset_imports=list(twin.model.opset_import), ir_version=twin.model.ir_version
        )

    def _add(self, node: NodeProto) -> None:
        if node.output[0] not in self._made:
            self._made.update(node.output)
            self._nodes.append(node)

    def _add_float(self, step: Step, read: Name, prefix: str = "") -> None:
        node = NodeProto()
        node.CopyFrom(step.node)
        node.name = prefix + node.name
        for index, name in enumerate(node.input):
            if name in self._twin.weights:
                self._weights.add(name)
            elif name:
                node.input[index] = read(name)
        for index, name in enumerate(node.output):
            node.output[index] = prefix + name if name else ""
        self._add(node)

    def _add_candidate(self, step: Step, read: Name, prefix: str) -> None:
        assert step.candidate is not None
        node = NodeProto()
        node.CopyFrom(step.candidate)
        node.name = prefix + step.node.name
        for index, feed in enumerate(step.feeds):
            if feed.root:
                source = self._constant(feed.root) if feed.constant else read(feed.root)
                node.input[index] = self._add_chain(feed, source)
        casts = []
        for index, name in enumerate(step.node.output[: len(node.output)]):
            node.output[index] = prefix + name if name else ""
            if name and step.dtypes[index] == TensorProto.FLOAT16:
                node.output[index] = f"{prefix}{name}/half"
                casts.append((node.output[index], prefix + name))
        self._add(node)
        for source, target in casts:
            self._add(
                helper.make_node("Cast", [source], [target], name=f"{target}/cast", to=TensorProto.FLOAT)
            )

    def _add_chain(self, feed: Feed, source: str) -> str:
        """The feed's Q, DQ and Cast nodes behind `source`, shared by all that read through the same."""
        if not feed.constant and feed.dtype == TensorProto.FLOAT16:
            source = self._add_cast(source, TensorProto.FLOAT16)
        for original in feed.chain:
            node = NodeProto()
            node.CopyFrom(original)
            target = f"{source}>{original.output[0]}"
            node.name = target
            node.input[0] = source
            for index, name in enumerate(node.input[1:], 1):
                if name:
                    node.input[index] = self._constant(name)
            node.output[0] = target
            self._add(node)
            source = target
        return source

    def _add_cast(self, source: str, dtype: int) -> str:
        target = f"{source}>{dtype}"
        self._add(helper.make_node("Cast", [source], [target], name=target, to=dtype))
        return target

    def _constant(self, name: str) -> str:
        self._constants.add(name)
        return _OF_CANDIDATE + name


def _type_after(feed: Feed) -> int:
    for node in reversed(feed.chain):
        if node.op_type == "Cast":
            return int(next(entry.i for entry in node.attribute if entry.name == "to"))
    return feed.dtype


def open_mixed(graph: MixedGraph, path: Path, threads: int | None) -> ort.InferenceSession:
    """A session of the graph, with the settings of every Q/DQ model. Raises: BadInput: ONNX Runtime refuses it."""
    options = cpu_session_options(quantized=True, threads=threads)
    try:
        return ort.InferenceSession(
            graph.model().SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime's errors have no base class of their own
        raise BadInput(
            f"cannot be run beside its reference: {' '.join(str(error).split())}", subject=path
        ) from error


def variant(twin: Twin, float_layers: Collection[int]) -> tuple[MixedGraph, tuple[str, ...]]:
    """The candidate with some of its layers in float: their pairs gone, their weights the reference's.

    Returns: the graph, and what each of the reference's outputs is called in it.
    """
    graph = MixedGraph(twin)
    int8 = frozenset(twin.int8) - frozenset(float_layers)
    called = graph.add_mixed("", int8, others_of_candidate=True, whole=True)
    return graph, tuple(graph.add_output(name, called, int8) for name in twin.outputs)


def reference_alone(twin: Twin) -> MixedGraph:
    """The reference, run with the same settings as the mixtures: what both share is equal to the last bit."""
    graph = MixedGraph(twin)
    graph.add_float()
    for name in twin.outputs:
        graph.give(name)
    return graph
