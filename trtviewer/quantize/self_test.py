"""Whether ONNX Runtime's default INT8 kernels are right on this CPU: they saturate where it has no VNNI.

One MatMulInteger tells: 64 products of 255 by 127 are 2,072,640; a kernel that adds pairs in int16 returns 1,048,544.
Source: facts 2.5; onnxruntime, core/mlas (MlasPlatformU8S8Overflow).
"""

from __future__ import annotations

import json
import logging
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from trtviewer import atomic, places
from trtviewer.errors import TrtviewerError
from trtviewer.runners.ort import cpu_session_options

_log = logging.getLogger(__name__)

EXACT = 64 * 255 * 127
SETTINGS = "ORT_ENABLE_EXTENDED, session.disable_quant_qdq=1, session.x64quantprecision=1"
"""Of every session that runs a Q/DQ model here, whatever the test says: `runners.ort.cpu_session_options`."""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What the test found.

    Attributes:
        cpu, onnxruntime: what it holds for.
        default_result: of a session with default settings.
        guarded_result: of a session with this program's settings.
    """

    cpu: str
    onnxruntime: str
    default_result: int
    guarded_result: int

    @property
    def saturates(self) -> bool:
        """Whether default sessions give wrong INT8 results on this CPU."""
        return self.default_result != EXACT

    @property
    def passed(self) -> bool:
        """Whether this program's settings give the exact result."""
        return self.guarded_result == EXACT

    @property
    def sentence(self) -> str:
        """For `doctor` and the status bar."""
        if not self.passed:
            return f"INT8 on this CPU is wrong even with {SETTINGS}: trust no figure of a Q/DQ model here"
        if self.saturates:
            return f"ONNX Runtime's default INT8 saturates on this CPU; Q/DQ models run with {SETTINGS}"
        return f"ONNX Runtime's INT8 is exact on this CPU; Q/DQ models run with {SETTINGS}"


def self_test(cache: Path | None = None) -> SelfTest:
    """The result for this machine, run once and remembered until the CPU or ONNX Runtime changes.

    Args: cache: the file to remember it in; by default in the user's cache folder. One that cannot be read or written is no error:
        the test takes milliseconds.
    """
    path = places.cache_folder() / "int8-self-test.json" if cache is None else cache
    remembered = _remembered(path)
    if remembered is not None:
        return remembered
    result = SelfTest(
        cpu=cpu_model(),
        onnxruntime=ort.__version__,
        default_result=_multiply(ort.SessionOptions()),
        guarded_result=_multiply(cpu_session_options(quantized=True, threads=1)),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_text(path, json.dumps(asdict(result), indent=1))
    except (OSError, TrtviewerError) as error:
        _log.info("the INT8 self test cannot be remembered: %s", error)
    return result


def cpu_model() -> str:
    """The processor's own name, or at least its architecture."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _remembered(path: Path) -> SelfTest | None:
    try:
        entry = SelfTest(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    fits = entry.cpu == cpu_model() and entry.onnxruntime == ort.__version__
    return entry if fits and isinstance(entry.guarded_result, int) else None


def _multiply(options: ort.SessionOptions) -> int:
    weights = numpy_helper.from_array(np.full((64, 32), 127, np.int8), "weights")
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["data", "weights"], ["product"])],
        "self_test",
        [helper.make_tensor_value_info("data", TensorProto.UINT8, [1, 64])],
        [helper.make_tensor_value_info("product", TensorProto.INT32, [1, 32])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options.log_severity_level = 4
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (product,) = session.run(None, {"data": np.full((1, 64), 255, np.uint8)})
    wrong = product[product != EXACT]
    return int(wrong[0]) if wrong.size else EXACT
