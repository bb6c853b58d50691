"""A strict stand-in for the module `tensorrt`, so that the program's TensorRT runner runs where no TensorRT does.

It has the calls that the program makes and no other. A wrong order, a missing address, a wrong shape, memory that is not the GPU's, a
foreign stream or a second thread raise. `execute_async_v3` runs ONNX Runtime's CUDA provider on the very stream and addresses
that it is given. Plans hold their ONNX model; `plan_of` makes others, too: one that can be captured, one that crashes.
"""

from __future__ import annotations

import enum
import json
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

__version__ = "11.4.0.106"
MAGIC = b"ftrtDBLE"
ALIGNMENT = 256


class DoubleError(RuntimeError):
    """The program has used TensorRT wrongly."""


class DataType(enum.Enum):
    FLOAT, HALF, INT8, INT32, BOOL, UINT8, INT64 = range(7)


float32, float16, int8, int32 = DataType.FLOAT, DataType.HALF, DataType.INT8, DataType.INT32
bool, uint8, int64 = DataType.BOOL, DataType.UINT8, DataType.INT64
_DTYPES = {
    "float32": float32,
    "float16": float16,
    "int8": int8,
    "int32": int32,
    "uint8": uint8,
    "int64": int64,
}


class TensorIOMode(enum.Enum):
    NONE, INPUT, OUTPUT = range(3)


class TensorFormat(enum.IntEnum):
    LINEAR, CHW2, HWC8, CHW4, CHW16, CHW32 = range(6)


class LayerInformationFormat(enum.Enum):
    ONELINE, JSON = range(2)


class ProfilingVerbosity(enum.Enum):
    LAYER_NAMES_ONLY, NONE, DETAILED = range(3)


class BuilderFlag(enum.IntEnum):
    TF32 = 7


class NetworkDefinitionCreationFlag(enum.IntEnum):
    PREFER_JIT_PYTHON_PLUGINS = 1


class _Severity(enum.IntEnum):
    INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)


class ILogger:
    Severity = _Severity
    INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = _Severity

    def __init__(self) -> None:
        self._made = True

    def log(self, severity: _Severity, text: str) -> None:
        raise DoubleError("a logger must have its own log()")


class IProgressMonitor:
    def __init__(self) -> None:
        self._made = True


def _require(truth: Any, what: str) -> None:
    if not truth:
        raise DoubleError(what)


def _require_logger(logger: Any) -> None:
    _require(isinstance(logger, ILogger), "a logger is a subclass of ILogger")
    _require(getattr(logger, "_made", False), "the logger did not call ILogger.__init__, which crashes")


def init_libnvinfer_plugins(logger: Any, namespace: str) -> Any:
    _require_logger(logger)
    return True


class IPluginRegistry:
    def load_library(self, plugin_path: str) -> Any:
        return None


def get_plugin_registry() -> IPluginRegistry:
    return IPluginRegistry()


# --- runtime ---------------------------------------------------------------------------------------------------------


class Runtime:
    def __init__(self, logger: Any) -> None:
        _require_logger(logger)
        self._logger = logger
        self.engine_host_code_allowed = False

    def deserialize_cuda_engine(self, serialized_engine: Any) -> ICudaEngine | None:
        _require_context()
        data = bytes(serialized_engine)
        header = _header(data)
        if header is None:
            self._logger.log(
                ILogger.ERROR,
                "IRuntime::deserializeCudaEngine: Error Code 1: Serialization (Serialization assertion header.magicTag == kMAGIC failed.)",
            )
            return None
        if header.get("says"):
            self._logger.log(ILogger.ERROR, header["says"])
            return None
        if header.get("host_code") and not self.engine_host_code_allowed:
            self._logger.log(
                ILogger.ERROR, "IRuntime::deserializeCudaEngine: engine host code is not allowed"
            )
            return None
        if header.get("kind") == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if len(data) != header["whole"]:
            self._logger.log(
                ILogger.ERROR,
                "IRuntime::deserializeCudaEngine: Error Code 1: Serialization (unexpected end of the plan)",
            )
            return None
        return ICudaEngine(header, data[header["body"] :], self._logger)


def _header(data: bytes) -> dict[str, Any] | None:
    if not data.startswith(MAGIC):
        return None
    length = int.from_bytes(data[8:12], "little")
    header: dict[str, Any] = json.loads(data[12 : 12 + length])
    return header | {"body": 12 + length}


class ICudaEngine:
    def __init__(self, header: dict[str, Any], model: bytes, logger: Any) -> None:
        self._header = header
        self._model = model
        self._logger = logger
        self._tensors = {one["name"]: one for one in (*header["inputs"], *header["outputs"])}
        self._inputs = [one["name"] for one in header["inputs"]]
        self.num_io_tensors = len(self._tensors)
        self.num_layers = len(header["layers"])
        self.num_optimization_profiles = 1 if not header["profiles"] else len(header["profiles"])

    def get_tensor_name(self, index: int) -> str:
        _require(0 <= index < self.num_io_tensors, "no such tensor")
        return list(self._tensors)[index]

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return TensorIOMode.INPUT if self._tensor(name)["name"] in self._inputs else TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name: str) -> DataType:
        return _DTYPES[self._tensor(name)["dtype"]]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._tensor(name)["shape"])

    def get_tensor_format(self, name: str) -> TensorFormat:
        return TensorFormat[self._tensor(name).get("format", "LINEAR")]

    def get_tensor_profile_shape(self, name: str, profile_index: int) -> list[tuple[int, ...]]:
        _require(name in self._inputs, "only inputs have profiles")
        return [tuple(shape) for shape in self._header["profiles"][profile_index]]

    def create_engine_inspector(self) -> EngineInspector:
        return EngineInspector(self._header["layers"])

    def create_execution_context(self) -> IExecutionContext | None:
        _require_context()
        return IExecutionContext(self)

    def _tensor(self, name: str) -> dict[str, Any]:
        _require(name in self._tensors, f"the engine has no tensor {name}")
        one: dict[str, Any] = self._tensors[name]
        return one


class EngineInspector:
    def __init__(self, layers: list[Any]) -> None:
        self._layers = layers

    def get_layer_information(self, layer_index: int, format: LayerInformationFormat) -> str:
        _require(format is LayerInformationFormat.JSON, "the program reads JSON")
        return json.dumps(self._layers[layer_index])


class IExecutionContext:
    def __init__(self, engine: ICudaEngine) -> None:
        self._engine = engine
        self._owner = threading.get_ident()
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._addresses: dict[str, int] = {}
        self._stream: int | None = None
        self._profile: int | None = None if engine._header["profiles"] else 0
        self._work: Any = None
        self._busy = False

    def set_optimization_profile_async(self, profile_index: int, stream_handle: int) -> Any:
        _require(0 <= profile_index < self._engine.num_optimization_profiles, "no such profile")
        self._one_stream(stream_handle)
        self._profile = profile_index
        return True

    def set_input_shape(self, name: str, shape: Any) -> Any:
        _require(name in self._engine._inputs, f"{name} is no input")
        _require(self._profile is not None, "the shape of an open input is set before its profile")
        declared = self._engine.get_tensor_shape(name)
        _require(
            len(shape) == len(declared)
            and all(said in (-1, side) for said, side in zip(declared, shape, strict=True)),
            f"{shape} does not fit {declared}",
        )
        if self._engine._header["profiles"]:
            low, _, high = self._engine.get_tensor_profile_shape(name, self._profile or 0)
            _require(
                all(a <= b <= c for a, b, c in zip(low, shape, high, strict=True)), "outside of the profile"
            )
        self._shapes[name] = tuple(shape)
        return True

    def infer_shapes(self) -> list[str]:
        return [name for name in self._engine._inputs if name not in self._shapes]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        declared = self._engine.get_tensor_shape(name)
        if name in self._engine._inputs:
            return self._shapes.get(name, declared)
        return declared

    def set_tensor_address(self, name: str, memory: int) -> Any:
        tensor = self._engine._tensor(name)
        _require(isinstance(memory, int) and memory > 0, f"the address of {name} is null")
        _require(memory % ALIGNMENT == 0, f"the address of {name} is not {ALIGNMENT}-byte aligned")
        _require_device_memory(name, memory, _size(self.get_tensor_shape(name), tensor["dtype"]))
        self._addresses[name] = memory
        return True

    def execute_async_v3(self, stream_handle: int) -> Any:
        _require(threading.get_ident() == self._owner, "a context is used by one thread")
        _require(not self._busy, "a context has one enqueue at a time")
        _require(not self.infer_shapes(), "enqueue before the inputs' shapes are set")
        missing = [name for name in self._engine._tensors if name not in self._addresses]
        _require(not missing, f"enqueue without an address of {missing}")
        self._one_stream(stream_handle)
        self._busy = True
        try:
            return self._enqueue(stream_handle)
        finally:
            self._busy = False

    def _enqueue(self, stream: int) -> Any:
        if self._engine._header["kind"] == "copy":
            return _copy(self, stream)
        if _capturing(stream):
            self._engine._logger.log(
                ILogger.ERROR,
                "IExecutionContext::enqueueV3: operation not permitted when stream is capturing",
            )
            return False
        if self._work is None:
            self._work = _OrtWork(self._engine, stream)
        return self._work.enqueue(self._addresses, self.get_tensor_shape)

    def _one_stream(self, stream: int) -> None:
        _require(stream != 0, "the default stream synchronises with everything")
        _require(self._stream in (None, stream), "a foreign stream: this context has another")
        if self._stream is None:
            _require_own_stream(stream)
        self._stream = stream


def _size(shape: Any, dtype: str) -> int:
    import numpy as np

    return int(np.prod(shape)) * np.dtype(dtype).itemsize


class _OrtWork:
    """ONNX Runtime on the stream and addresses of a context."""

    def __init__(self, engine: ICudaEngine, stream: int) -> None:
        import onnxruntime as ort

        # Not the context: the two would hold each other, and their memory until some garbage collection.
        self._engine = engine
        ort.preload_dlls()
        options = ort.SessionOptions()
        options.log_severity_level = 4
        # As the program's own sessions, so that speeds can be compared.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if any(layer["LayerType"] == "QuantizeLinear" for layer in engine._header["layers"]):
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
            options.add_session_config_entry("session.disable_quant_qdq", "1")
        provider = {"device_id": 0, "user_compute_stream": str(stream), "use_tf32": "0"}
        model = engine._model
        self._session = ort.InferenceSession(model, options, providers=[("CUDAExecutionProvider", provider)])
        _require(self._session.get_providers()[0] == "CUDAExecutionProvider", "ONNX Runtime has no CUDA here")
        self._run_options = ort.RunOptions()
        self._run_options.add_run_config_entry("disable_synchronize_execution_providers", "1")
        self._bindings: dict[tuple[int, ...], Any] = {}

    def enqueue(self, addresses: dict[str, int], shape_of: Callable[[str], tuple[int, ...]]) -> Any:
        key = tuple(addresses.values())
        if key not in self._bindings:
            self._bindings[key] = self._bind(addresses, shape_of)
        self._session.run_with_iobinding(self._bindings[key], self._run_options)
        return True

    def _bind(self, addresses: dict[str, int], shape_of: Callable[[str], tuple[int, ...]]) -> Any:
        import numpy as np

        engine = self._engine
        binding = self._session.io_binding()
        for name, address in addresses.items():
            kind = np.dtype(engine._tensor(name)["dtype"]).type
            bind = binding.bind_input if name in engine._inputs else binding.bind_output
            bind(name, "cuda", 0, kind, list(shape_of(name)), address)
        return binding


# --- what only the GPU can tell ----------------------------------------------------------------------------------------


def _driver() -> Any:
    from cuda.bindings import driver

    return driver


def _require_context() -> None:
    driver = _driver()
    status, context = driver.cuCtxGetCurrent()
    _require(int(status) == 0 and int(context) != 0, "no CUDA context is current on this thread")
    _, device = driver.cuDeviceGet(0)
    _, primary = driver.cuDevicePrimaryCtxRetain(device)
    driver.cuDevicePrimaryCtxRelease(device)
    _require(int(primary) == int(context), "the current context is not the primary one")


def _require_own_stream(stream: int) -> None:
    driver = _driver()
    status, context = driver.cuStreamGetCtx(driver.CUstream(stream))
    _, current = driver.cuCtxGetCurrent()
    _require(
        int(status) == 0 and int(context) == int(current), "a foreign stream: not of the current context"
    )


def _require_device_memory(name: str, address: int, size: int) -> None:
    driver = _driver()
    status, base, whole = driver.cuMemGetAddressRange(driver.CUdeviceptr(address))
    _require(int(status) == 0, f"the address of {name} is not in the GPU's memory")
    left = int(base) + int(whole) - address
    _require(left >= size, f"{name} needs {size} bytes, and {left} are at its address")


def _capturing(stream: int) -> Any:
    from cuda.bindings import runtime

    _, status = runtime.cudaStreamIsCapturing(stream)
    return int(status) != 0


def _copy(context: IExecutionContext, stream: int) -> Any:
    """Each output is the beginning of the input: work that a graph can record."""
    from cuda.bindings import runtime

    engine = context._engine
    source = context._addresses[engine._inputs[0]]
    for one in engine._header["outputs"]:
        size = _size(one["shape"], one["dtype"])
        kind = runtime.cudaMemcpyKind.cudaMemcpyDeviceToDevice
        (status,) = runtime.cudaMemcpyAsync(context._addresses[one["name"]], source, size, kind, stream)
        if int(status) != 0:
            return False
    return True


# --- builder -----------------------------------------------------------------------------------------------------------


class _Dimension:
    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.name, self.shape = name, shape


class INetworkDefinition:
    def __init__(self) -> None:
        self._model: Any = None

    @property
    def num_inputs(self) -> int:
        return len(self._model.graph.input)

    @property
    def num_layers(self) -> int:
        return len(self._model.graph.node)

    def get_input(self, index: int) -> Any:
        given = self._model.graph.input[index]
        return _Dimension(given.name, _shape(given))


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(one.dim_value if one.dim_value > 0 else -1 for one in value.type.tensor_type.shape.dim)


class OnnxParser:
    def __init__(self, network: INetworkDefinition, logger: Any) -> None:
        _require_logger(logger)
        self._network = network
        self.num_errors = 0

    def parse_from_file(self, model: str) -> Any:
        import onnx

        self._network._model = onnx.load(model)
        return True


class ITimingCache:
    def serialize(self) -> bytes:
        return b"double's timing cache"


class IOptimizationProfile:
    def __init__(self) -> None:
        self._shapes: list[list[int]] = []

    def set_shape(self, input: str, min: Any, opt: Any, max: Any) -> None:
        self._shapes = [list(min), list(opt), list(max)]


class IBuilderConfig:
    def __init__(self) -> None:
        self.profiling_verbosity = ProfilingVerbosity.LAYER_NAMES_ONLY
        self.max_aux_streams = -1
        self.progress_monitor: Any = None
        self._tf32 = True
        self._profiles: list[list[list[int]]] = []
        self._cache = ITimingCache()

    def clear_flag(self, flag: BuilderFlag) -> None:
        _require(flag is BuilderFlag.TF32, "no other flag is cleared")
        self._tf32 = False

    def add_optimization_profile(self, profile: IOptimizationProfile) -> int:
        self._profiles.append(profile._shapes)
        return len(self._profiles) - 1

    def create_timing_cache(self, serialized_timing_cache: bytes) -> ITimingCache:
        return ITimingCache()

    def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: Any) -> Any:
        self._cache = cache
        return True

    def get_timing_cache(self) -> ITimingCache:
        return self._cache


class Builder:
    def __init__(self, logger: Any) -> None:
        _require_logger(logger)

    def create_network(self, flags: int) -> INetworkDefinition:
        _require(flags == 0, "in 11 every network is strongly typed, and bit 1 is another flag")
        return INetworkDefinition()

    def create_builder_config(self) -> IBuilderConfig:
        return IBuilderConfig()

    def create_optimization_profile(self) -> IOptimizationProfile:
        return IOptimizationProfile()

    def build_serialized_network(self, network: INetworkDefinition, config: IBuilderConfig) -> bytes | None:
        monitor = config.progress_monitor
        _require(
            getattr(monitor, "_made", False),
            "the monitor did not call IProgressMonitor.__init__, which crashes",
        )
        monitor.phase_start("Building engine", None, 2)
        done = monitor.step_complete("Building engine", 0) and monitor.step_complete("Building engine", 1)
        monitor.phase_finish("Building engine")
        return plan_of(network._model, profiles=config._profiles) if done else None


def plan_of(
    model: Any,
    *,
    kind: str = "ort",
    profiles: Any = (),
    outputs: dict[str, Any] | None = None,
    says: str = "",
    host_code: Any = False,
    output_format: str = "LINEAR",
) -> bytes:
    """A plan of the double: a header of its tensors and layers, then the ONNX model."""
    import onnx
    import onnxruntime as ort

    body = model.SerializeToString()
    session = ort.InferenceSession(body, providers=["CPUExecutionProvider"])
    shapes = outputs or {one.name: list(one.shape) for one in session.get_outputs()}
    header = {
        "kind": kind,
        "says": says,
        "host_code": host_code,
        "profiles": list(profiles),
        "inputs": [
            {"name": one.name, "shape": list(_shape(one)), "dtype": _dtype(onnx, one)}
            for one in model.graph.input
        ],
        "outputs": [
            {
                "name": one.name,
                "shape": shapes[one.name],
                "dtype": _dtype(onnx, one),
                "format": output_format,
            }
            for one in model.graph.output
        ],
        "layers": [_layer(model, node) for node in model.graph.node],
        "whole": 0,
    }
    while True:
        text = json.dumps(header).encode()
        whole = 12 + len(text) + len(body)
        if header["whole"] == whole:
            return MAGIC + len(text).to_bytes(4, "little") + text + body
        header["whole"] = whole


def _dtype(onnx: Any, value: Any) -> str:
    return str(onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type))


def _layer(model: Any, node: Any) -> dict[str, Any]:
    """As the inspector of 11 tells a layer; what reads a DequantizeLinear runs in INT8 there."""
    made_by = {name: other.op_type for other in model.graph.node for name in other.output}
    quantized = any(made_by.get(name) == "DequantizeLinear" for name in node.input)
    kind = "Int8" if quantized and node.op_type == "Conv" else "Float"
    return {
        "Name": node.name,
        "LayerType": node.op_type,
        "Inputs": [{"Name": node.input[0] if node.input else "", "Datatype": kind}],
        "Outputs": [{"Name": node.output[0], "Datatype": "Float"}],
        "TacticName": "double",
    }
