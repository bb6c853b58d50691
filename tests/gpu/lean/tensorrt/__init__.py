"""The real lean runtime of TensorRT under the name that the program loads: the only real one that starts where the GPU tests run."""

from tensorrt_lean_bindings import __version__  # noqa: F401
from tensorrt_lean_bindings.tensorrt_lean import *  # noqa: F403
