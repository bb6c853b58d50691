"""Builds an ONNX file with TensorRT for RTX, in a process of its own: `python rtx_build.py MODEL.onnx`.

Needs no GPU. Prints the parser's errors, or "layers: N"; native code may end the process otherwise, which no caller's process should.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def build(model: Path) -> str:
    """What the builder said: "built, N layers, B bytes". Raises: AssertionError: it refused; with its reasons."""
    done = subprocess.run(
        [sys.executable, __file__, str(model)], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip().splitlines()[-1]


def _main(path: str) -> int:
    import tensorrt_rtx_bindings as trt

    class Logger(trt.ILogger):
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: object, message: str) -> None:
            if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
                print(message)

    logger = Logger()
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(Path(path).read_bytes()):
        for index in range(parser.num_errors):
            error = parser.get_error(index)
            print(f"{error.node_name()}: {error.code()} {error.desc()}")
        return 1
    config = builder.create_builder_config()
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        return 2
    print(f"built, {network.num_layers} layers, {plan.nbytes} bytes")
    return 0


if __name__ == "__main__":
    status = _main(sys.argv[1])
    sys.stdout.flush()
    # Left before the bindings take themselves down: their order of destruction is not what is tested.
    os._exit(status)
