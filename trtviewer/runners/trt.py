"""TensorRT 10, 11 and TensorRT for RTX: an engine on the device layer, by tensor names alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from trtviewer.errors import BadInput, MissingRuntime
from trtviewer.models.engine_file import read_engine
from trtviewer.models.model_file import UNKNOWN_DIM, Tensor
from trtviewer.models.spec import HeadSpec, ModelSpec
from trtviewer.models.trust import require_trusted
from trtviewer.runners import cuda_graph
from trtviewer.runners.cuda import Stream
from trtviewer.runners.gpu_runner import DeviceOutput, GpuRunner, Slot
from trtviewer.runners.nvidia import require_gpu
from trtviewer.runners.runner import RunnerInfo
from trtviewer.runners.trt_module import log_of, title
from trtviewer.runners.trt_plan import (
    EngineLayer,
    deserialize,
    layers_of,
    precision_of,
    read_plan,
    tensors_of,
)
from trtviewer.runners.trt_probe import probe_once

if TYPE_CHECKING:
    import tensorrt

_MOST_GRAPHS = 16
"""Recorded graphs, one for each input address and slot; beyond that the plain way."""


class TrtRunner(GpuRunner):
    """Runs an engine. The plan must be trusted, and is tried in another process before it is loaded in this one.

    Args:
        plugins: libraries with the plugins that it needs.
        probe: False in the process that tries it.
    """

    def __init__(self, spec: ModelSpec, plugins: Sequence[Path] = (), *, probe: bool = True) -> None:
        super().__init__(spec)
        self._plugins = tuple(plugins)
        self._probe = probe
        self._title = "TensorRT"
        self._layers: tuple[EngineLayer, ...] = ()
        self._runtime: tensorrt.Runtime | None = None
        self._engine: tensorrt.ICudaEngine | None = None
        self._context: tensorrt.IExecutionContext | None = None
        self._input_name = ""
        self._addresses: dict[str, int] = {}
        self._cudart: ModuleType | None = None
        self._warm = False
        self._graphs: dict[tuple[int, int], cuda_graph.CudaGraph] = {}

    @property
    def info(self) -> RunnerInfo:
        known = precision_of(self._layers)
        precision = self._spec.precision.value if known == "unknown" else known
        return RunnerInfo(self._title, precision, emulated=False, on_gpu=True)

    @property
    def layers(self) -> tuple[EngineLayer, ...]:
        """The engine's layers with the precision that each really has; known once entered."""
        return self._layers

    @property
    def recorded_graphs(self) -> int:
        """How many CUDA graphs were recorded; 0 where the engine's work cannot be."""
        return len(self._graphs)

    def _prepare(self) -> None:
        # The file first: of one that is no engine at all, nobody needs to be asked whether it is trusted.
        read_engine(self._spec.path)
        if self._probe:
            require_trusted(self._spec.path)
        # With no driver a runtime's first call is a crash: the GPU comes before it.
        advice = "give the .onnx; or record the outputs where it runs"
        require_gpu(str(self._spec.path), "it is an engine", advice)
        if self._probe:
            probe_once(self._spec, self._plugins)

    def _open(self, stream: Stream) -> Sequence[DeviceOutput]:
        plan = read_plan(self._spec.path, self._plugins)
        trt = plan.trt
        self._title = title(trt)
        runtime: tensorrt.Runtime = trt.Runtime(log_of(trt).native)
        # A version-compatible plan has host code in it; whoever trusts a plan trusts all of it.
        runtime.engine_host_code_allowed = True
        engine: tensorrt.ICudaEngine = deserialize(plan, runtime)
        self._runtime, self._engine = runtime, engine
        inputs, outputs = tensors_of(engine, trt)
        self._require_plain_layout(engine, trt, [*inputs, *outputs])
        self._input_name = self._the_input(inputs)
        self._layers = layers_of(engine, trt)
        context: tensorrt.IExecutionContext = self._make_context(engine, trt)
        self._context = context
        if UNKNOWN_DIM in inputs[0].shape:
            self._choose_profile(engine, context, stream)
        context.set_input_shape(self._input_name, self.given_shape)
        missing = context.infer_shapes()
        if missing:
            raise BadInput(f"has open shapes: {', '.join(missing)}", subject=self._spec.path)
        made = [
            Tensor(output.name, tuple(context.get_tensor_shape(output.name)), output.dtype)
            for output in outputs
        ]
        self._cudart = cuda_graph.runtime()
        if hasattr(context, "is_stream_capturable") and not context.is_stream_capturable(stream.handle):
            self._cudart = None
        return self._pair(made)

    def _require_plain_layout(
        self, engine: tensorrt.ICudaEngine, trt: ModuleType, tensors: Sequence[Tensor]
    ) -> None:
        for tensor in tensors:
            form = engine.get_tensor_format(tensor.name)
            if form != trt.TensorFormat.LINEAR:
                raise BadInput(
                    f"its tensor {tensor} is laid out as {form.name}, and only LINEAR is read here",
                    subject=self._spec.path,
                    advice="build it without formats of its own for inputs and outputs: trtviewer build",
                )

    def _make_context(self, engine: tensorrt.ICudaEngine, trt: ModuleType) -> tensorrt.IExecutionContext:
        with log_of(trt).collect() as messages:
            context: tensorrt.IExecutionContext | None = engine.create_execution_context()
        if context is None:
            said = next((text for is_error, text in messages if is_error), "it does not say why")
            raise MissingRuntime(
                f"{self._title} made no execution context: {said.strip().splitlines()[0]}",
                subject=self._spec.path,
                advice="close what else uses the GPU's memory, or build it again here",
            )
        return context

    def _choose_profile(
        self,
        engine: tensorrt.ICudaEngine,
        context: tensorrt.IExecutionContext,
        stream: Stream,
    ) -> None:
        """The first optimization profile that has our shape. Each runner has an engine of its own, so none is shared."""
        ranges = []
        for index in range(engine.num_optimization_profiles):
            least, _, most = (
                tuple(shape) for shape in engine.get_tensor_profile_shape(self._input_name, index)
            )
            ranges.append(f"{list(least)} to {list(most)}")
            sides = zip(least, self.given_shape, most, strict=True)
            if all(low <= side <= high for low, side, high in sides):
                context.set_optimization_profile_async(index, stream.handle)
                stream.synchronize()
                return
        raise BadInput(
            f"was built for inputs of {', '.join(ranges)}, and is given {list(self.given_shape)}",
            subject=self._spec.path,
            advice="say a size within that under [input] in its sidecar, or build it again",
        )

    def _the_input(self, inputs: Sequence[Tensor]) -> str:
        """The name of the engine's input, which a sidecar does not have."""
        if len(inputs) != 1:
            raise BadInput(
                f"has {len(inputs)} inputs ({', '.join(map(str, inputs))}), and only a picture can be given",
                subject=self._spec.path,
            )
        given = inputs[0]
        fits = len(given.shape) == 4 and all(
            said in (UNKNOWN_DIM, side) for said, side in zip(given.shape, self.given_shape, strict=True)
        )
        if not fits or given.dtype != self._input.dtype:
            raise BadInput(
                f"its input {given} is {given.dtype}, and {self._input.dtype} {list(self.given_shape)} was understood",
                subject=self._spec.path,
                advice="mend [input] in its sidecar: size, layout and dtype",
            )
        return given.name

    def _pair(self, outputs: Sequence[Tensor]) -> list[DeviceOutput]:
        """Each head's output: by name, or where there is only one of each, that one."""
        heads = self._spec.heads
        by_name = {output.name: output for output in outputs}
        if len(heads) == len(outputs) == 1:
            by_name = {heads[0].output: outputs[0]}
        missing = [head.output for head in heads if head.output not in by_name]
        if missing:
            raise BadInput(
                f"has no output {', '.join(missing)}; it has {', '.join(map(str, outputs))}",
                subject=self._spec.path,
                advice="name its outputs in the [[head]] tables of its sidecar",
            )
        wanted = {by_name[head.output].name: head for head in heads}
        return [self._output(output, wanted.get(output.name)) for output in outputs]

    def _output(self, output: Tensor, head: HeadSpec | None) -> DeviceOutput:
        if UNKNOWN_DIM in output.shape:
            raise BadInput(
                f"its output {output} has a length that only each run tells",
                subject=self._spec.path,
                advice="export it with a fixed number of boxes (EfficientNMS has one)",
            )
        if head is not None and any(
            said not in (UNKNOWN_DIM, length) for said, length in zip(head.shape, output.shape, strict=False)
        ):
            raise BadInput(
                f"its output {output} is not {list(head.shape)}, as was understood",
                subject=self._spec.path,
                advice="mend its sidecar: classes, size and [[head]] tables",
            )
        try:
            np.dtype(output.dtype)
        except TypeError as error:
            raise BadInput(
                f"its output {output} is {output.dtype}, which is not read here", subject=self._spec.path
            ) from error
        # What is no head is made all the same, since the engine writes it.
        return DeviceOutput(
            output.name, output.name if head is None else head.output, output.shape, output.dtype
        )

    def _enqueue(self, slot: Slot, input_address: int) -> None:
        key = (slot.index, input_address)
        graph = self._graphs.get(key)
        if graph is None and self._cudart is not None and self._warm and len(self._graphs) < _MOST_GRAPHS:
            self._set_addresses(slot, input_address)
            graph = cuda_graph.capture(self._cudart, self.compute, self._execute)
            if graph is None:
                self._cudart = None
            else:
                self._graphs[key] = graph
        if graph is not None:
            graph.launch(self.compute)
            return
        self._set_addresses(slot, input_address)
        if not self._execute():
            raise BadInput(
                "failed while running", subject=self._spec.path, advice="the log has what TensorRT said"
            )

    def _set_addresses(self, slot: Slot, input_address: int) -> None:
        """Tells the context where everything is; only what has changed, for each call costs."""
        wanted = {self._input_name: input_address}
        wanted |= {output.name: slot.outputs[output.name].address for output in self._outputs}
        context: tensorrt.IExecutionContext = self._opened
        for name, address in wanted.items():
            if self._addresses.get(name) != address:
                context.set_tensor_address(name, address)
                self._addresses[name] = address

    def _execute(self) -> bool:
        context: tensorrt.IExecutionContext = self._opened
        return bool(context.execute_async_v3(self.compute.handle))

    def _warm_up(self) -> None:
        # A graph can be recorded once the work has run: what an engine sets up at its first run cannot be.
        self._warm = False
        super()._warm_up()
        self._warm = True

    @property
    def _opened(self) -> tensorrt.IExecutionContext:
        if self._context is None:
            raise RuntimeError("a runner runs only while it is entered")
        return self._context

    def _close(self) -> None:
        for graph in self._graphs.values():
            graph.release()
        self._graphs.clear()
        self._addresses.clear()
        # What was made last goes first.
        self._context = None
        self._engine = None
        self._runtime = None
