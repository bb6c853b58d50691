"""A plan's file becomes an engine, or one line that says why not and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from trtviewer.errors import BadInput, MissingRuntime, TrtviewerError
from trtviewer.models.engine_file import EngineFile, read_engine
from trtviewer.models.model_file import Tensor
from trtviewer.runners.nvidia import driver
from trtviewer.runners.trt_module import (
    TENSORRT,
    TENSORRT_RTX,
    is_rtx,
    load_plugins,
    load_tensorrt,
    log_of,
    title,
)

if TYPE_CHECKING:
    import tensorrt
    import tensorrt_rtx

_RTX_MAGIC = b"vtrt"
_VERSION_AT = 24
"""Where a plan for RTX has its version, a byte each for major, minor, patch and build."""
_REBUILD = "build it again here from its .onnx: trtviewer build"


@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """An engine's file, and the runtime that it is for.

    Attributes:
        built_with: the version that its header tells, "1.7.1"; empty where that is not known.
    """

    file: EngineFile
    data: bytes
    trt: ModuleType
    built_with: str = ""


def read_plan(path: Path, plugins: Sequence[Path] = ()) -> Plan:
    """Reads the file and loads its runtime. Nothing in it is run; a GPU is there.

    Raises:
        MissingRuntime: not the runtime that it is for.
        BadInput: the file cannot be read, or a plugin library does not load.
    """
    file = read_engine(path)
    data = file.plan()
    rtx = data.startswith(_RTX_MAGIC)
    trt = load_tensorrt(TENSORRT_RTX if rtx else TENSORRT, str(path))
    load_plugins(trt, plugins)
    header = data[_VERSION_AT : _VERSION_AT + 3]
    return Plan(file, data, trt, ".".join(map(str, header)) if rtx and len(header) == 3 else "")


def deserialize(plan: Plan, runtime: tensorrt.Runtime) -> tensorrt.ICudaEngine:
    """The engine in a plan.

    Raises:
        MissingRuntime: it was built for another version or another GPU, or memory is lacking.
        BadInput: it is no plan, is cut short, or needs a plugin that is not here.
    """
    trt = plan.trt
    with log_of(trt).collect() as messages:
        trouble = _validity(plan, runtime)
        engine: tensorrt.ICudaEngine | None = runtime.deserialize_cuda_engine(plan.data)
    if engine is None:
        raise refusal(plan, [text for is_error, text in messages if is_error], trouble)
    return engine


def _validity(plan: Plan, runtime: tensorrt_rtx.Runtime) -> str:
    """What TensorRT for RTX says against a plan before it is loaded: "UNSUPPORTED_CC"; empty where it says nothing."""
    if not is_rtx(plan.trt) or not hasattr(runtime, "get_engine_validity"):
        return ""
    validity, diagnostics = runtime.get_engine_validity(plan.data)
    if validity != plan.trt.EngineValidity.INVALID:
        return ""
    bits = plan.trt.EngineInvalidityDiagnostics.__members__
    return ", ".join(name for name, bit in bits.items() if int(bit) and int(diagnostics) & int(bit))


def refusal(plan: Plan, errors: Sequence[str], trouble: str = "") -> TrtviewerError:
    """The error in our words; `_RULES` from the most to the least that is known."""
    path, here = plan.file.path, title(plan.trt)
    text = " ".join([*errors, trouble])
    for pattern, make in _RULES:
        matched = re.search(pattern, text, re.IGNORECASE)
        if matched is not None:
            error, what, advice = make(plan, here, matched)
            return error(what, subject=path, advice=advice)
    said = next((error.strip().splitlines()[0] for error in errors if error.strip()), "it does not say why")
    return BadInput(f"{here} cannot load it: {said}", subject=path, advice=_REBUILD)


_Made = tuple[type[TrtviewerError], str, str]


def _wrong_version(plan: Plan, here: str, found: re.Match[str]) -> _Made:
    built = plan.built_with or found.groupdict().get("got") or "another version"
    advice = f"{_REBUILD}; or install the version that it was built with"
    return MissingRuntime, f"was built with {built}, and {here} is installed here", advice


def _wrong_gpu(plan: Plan, here: str, found: re.Match[str]) -> _Made:
    gpus = driver().gpus
    own = f"{gpus[0].name} of compute capability {gpus[0].capability}" if gpus else "another"
    built = found.groupdict().get("got")
    what = f"was built for {'compute capability ' + built if built else 'another GPU'}, and the GPU here is {own}"
    return MissingRuntime, what, _REBUILD


def _no_memory(plan: Plan, here: str, found: re.Match[str]) -> _Made:
    size = len(plan.data) / 2**20
    return (
        MissingRuntime,
        f"needs more memory than the GPU has free ({size:.0f} MiB of plan)",
        "close what else uses it",
    )


def _no_plugin(plan: Plan, here: str, found: re.Match[str]) -> _Made:
    name = found.group("plugin").strip("\"' ,.")
    return (
        BadInput,
        f"needs the plugin {name}, which is not loaded",
        "give the library that has it by --plugin LIB",
    )


def _old_driver(plan: Plan, here: str, found: re.Match[str]) -> _Made:
    cuda = driver().cuda
    speaks = "" if cuda is None else f", which speaks CUDA {cuda[0]}.{cuda[1]}"
    return MissingRuntime, f"needs a newer NVIDIA driver than the one here{speaks}", "update the driver"


def _truncated(plan: Plan, here: str, found: re.Match[str]) -> _Made:
    return BadInput, f"is cut short, or damaged ({len(plan.data)} bytes of plan)", "copy or build it again"


def _no_plan(plan: Plan, here: str, found: re.Match[str]) -> _Made:
    if plan.data[1:4] == b"trt":
        return _wrong_version(plan, here, found)
    return BadInput, f"is not a TensorRT plan, or of a version that {here} does not know", _REBUILD


_RULES = (
    (r"expecting library version (?P<here>[\d.]+) got (?P<got>[\d.]+)", _wrong_version),
    (r"VERSION_MISMATCH", _wrong_version),
    (r"expecting compute (?P<here>[\d.]+) got compute (?P<got>[\d.]+)", _wrong_gpu),
    (r"incompatible device|UNSUPPORTED_CC|Supported compute capabilities", _wrong_gpu),
    (r"driver version is insufficient|OLD_CUDA_DRIVER|OLD_CUDA_RUNTIME", _old_driver),
    (r"out of memory|INSUFFICIENT_GPU_MEMORY|MemAllocFailed|cudaErrorMemoryAllocation", _no_memory),
    (r"(?:could not find plugin|plugin not found)[: ]+(?P<plugin>[\w:]+)", _no_plugin),
    (r"could not find (?:the )?plugin creator.*?name[: ]+(?P<plugin>[\w:]+)", _no_plugin),
    (r"magicTag|magic tag|stdVersionRead|incompatible serialization version", _no_plan),
    (
        r"MALFORMED_ENGINE|unexpected end|truncat|exceed|size mismatch|checksum|crc|read beyond|bound",
        _truncated,
    ),
)


def tensors_of(engine: tensorrt.ICudaEngine, trt: ModuleType) -> tuple[list[Tensor], list[Tensor]]:
    """The engine's inputs and outputs; -1 where a length is open."""
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        dtype = numpy_name(trt, engine.get_tensor_dtype(name))
        tensor = Tensor(name, tuple(engine.get_tensor_shape(name)), dtype)
        side = inputs if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT else outputs
        side.append(tensor)
    return inputs, outputs


def numpy_name(trt: ModuleType, dtype: Any) -> str:
    """Numpy's name of an element type of TensorRT's; its own name where numpy has none."""
    known = {
        trt.float32: "float32",
        trt.float16: "float16",
        trt.int32: "int32",
        trt.int8: "int8",
        trt.uint8: "uint8",
        trt.bool: "bool",
    }
    if hasattr(trt, "int64"):
        known[trt.int64] = "int64"
    return known.get(dtype, str(dtype).rpartition(".")[2].lower())


@dataclass(frozen=True, slots=True)
class EngineLayer:
    """One layer of an engine as it really runs.

    Attributes:
        name: the network's layers that it is made of.
        kind: TensorRT's own word for it.
        precision: "int8", "fp16", "tf32", "fp32", ...: of what it reads, "" where the engine does not say.
        tactic: the kernel; "" where the engine does not say.
        inputs, outputs: the type of each tensor that it reads and writes, as `precision` has them; "" where it is not said.
        onnx: the nodes of the ONNX model that it holds; none where the engine does not say.
    """

    name: str
    kind: str
    precision: str
    tactic: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    onnx: tuple[str, ...] = ()


def layers_of(engine: tensorrt.ICudaEngine, trt: ModuleType) -> tuple[EngineLayer, ...]:
    """The engine's layers, as its inspector tells them; names alone where it was built without details."""
    inspector: tensorrt.EngineInspector = engine.create_engine_inspector()
    form = trt.LayerInformationFormat.JSON
    layers = []
    for index in range(engine.num_layers):
        text = inspector.get_layer_information(index, form)
        try:
            layers.append(parse_layer(json.loads(text)))
        except json.JSONDecodeError:
            layers.append(EngineLayer(text.strip().strip('"'), "", "", ""))
    return tuple(layers)


def parse_layer(said: Any) -> EngineLayer:
    """One layer of the inspector's JSON: a text where there are no details; types in "Format/Datatype" up to 10, in "Datatype" from 11 on."""
    if not isinstance(said, dict):
        return EngineLayer(str(said), "", "", "")
    tactic = str(said.get("TacticName", ""))
    inputs, outputs = (_types(said.get(key)) for key in ("Inputs", "Outputs"))
    found = inputs if any(inputs) else outputs
    # What is narrowest among what it reads decides: a convolution of int8 has a float bias.
    precision = next((name for name in _NARROWEST_FIRST if name in found), "")
    if precision == "fp32" and "tf32" in tactic.lower():
        precision = "tf32"
    return EngineLayer(
        str(said.get("Name", "")),
        str(said.get("LayerType", "")),
        precision,
        tactic,
        inputs,
        outputs,
        tuple(re.findall(r"\[ONNX Layer: (.*?)\](?=\x1e|$)", str(said.get("Metadata", "")))),
    )


def precision_of(layers: Sequence[EngineLayer]) -> str:
    """The narrowest arithmetic of the engine: "int8" where any layer has it; "unknown" where the engine does not say."""
    found = {layer.precision for layer in layers}
    return next(
        (name for name in ("int8", "fp8", "fp16", "bf16", "tf32", "fp32") if name in found), "unknown"
    )


_NARROWEST_FIRST = ("int8", "fp8", "fp16", "bf16", "fp32", "int32", "int64", "bool")
_WORDS = (
    ("int8", r"\bint8\b|\bi8\b"),
    ("fp8", r"fp8|e4m3"),
    ("bf16", r"bf16|bfloat16"),
    ("fp16", r"\bfp16|half|\bfloat16"),
    ("fp32", r"fp32|\bfloat\b|float32"),
    ("int64", r"int64"),
    ("int32", r"int32"),
    ("bool", r"bool"),
)


def _types(tensors: Any) -> tuple[str, ...]:
    found = []
    for tensor in tensors if isinstance(tensors, list) else []:
        if isinstance(tensor, dict):
            text = str(
                tensor.get("Datatype") or tensor.get("DataType") or tensor.get("Format/Datatype") or ""
            )
            found.append(next((name for name, pattern in _WORDS if re.search(pattern, text.lower())), ""))
    return tuple(found)
