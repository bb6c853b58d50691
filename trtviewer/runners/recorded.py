"""Outputs that another program wrote to files, given back frame by frame as if a model had made them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from trtviewer.errors import BadInput
from trtviewer.evidence_files import recorded_emulated, recorded_side
from trtviewer.models.recorded_folder import recorded_outputs
from trtviewer.models.sidecar import RecordedOutput
from trtviewer.models.spec import ModelSpec
from trtviewer.runners.heads import as_heads
from trtviewer.runners.runner import RECORDED, InputTensor, RunnerInfo, RunResult
from trtviewer.sources.images import natural_key

_RECORD = "record every output again, whole"


class RecordedRunner:
    """Gives the recorded outputs of a frame; the input tensor is not looked at."""

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self._frames: RecordedFrames | None = None
        self._emulated = False

    @property
    def spec(self) -> ModelSpec:
        return self._spec

    @property
    def info(self) -> RunnerInfo:
        return RunnerInfo(RECORDED, self._spec.precision.value, self._emulated)

    @property
    def frame_count(self) -> int | None:
        return len(self._opened())

    def run(self, tensor: InputTensor, frame_index: int) -> RunResult:
        return RunResult(self._opened().read(frame_index), None)

    def stop(self) -> None:
        return

    def __enter__(self) -> Self:
        folder = recorded_side(self._spec.path)
        self._frames = RecordedFrames(folder)
        self._emulated = folder != self._spec.path and recorded_emulated(folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._frames = None

    def _opened(self) -> RecordedFrames:
        if self._frames is None:
            raise RuntimeError("a runner runs only while it is entered")
        return self._frames


class RecordedFrames:
    """The frames of a recording: a folder of `<frame>.npz`, or of one subfolder an output with `<frame>.npy` or `.bin`.

    Frames are numbered by the natural order of their names.

    Raises:
        BadInput: outputs have unequal numbers of frames, or there are none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._outputs = {output.name: output for output in recorded_outputs(folder)[0]}
        self._archives = _sorted(folder.glob("*.npz"))
        self._files = {} if self._archives else {name: self._files_of(name) for name in self._outputs}
        counts = {name: len(files) for name, files in self._files.items()}
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
            raise BadInput(
                f"its outputs have unequal numbers of frames: {listed}", subject=folder, advice=_RECORD
            )

    def __len__(self) -> int:
        if self._archives:
            return len(self._archives)
        return len(next(iter(self._files.values())))

    def read(self, index: int) -> Mapping[str, NDArray[np.float32]]:
        """The outputs of one frame. Raises: BadInput: there is no such frame, or a file is damaged or of another shape."""
        if not 0 <= index < len(self):
            raise BadInput(
                f"has {len(self)} frames, and frame {index} was asked for",
                subject=self._folder,
                advice="give the source that the outputs were recorded from",
            )
        if self._archives:
            return as_heads(self._from_archive(self._archives[index]))
        return as_heads(
            {name: _from_file(files[index], self._outputs[name]) for name, files in self._files.items()}
        )

    def _files_of(self, output: str) -> list[Path]:
        folder = self._folder / output
        files = _sorted(path for path in folder.glob("*") if path.suffix in (".npy", ".bin"))
        if not files:
            raise BadInput(
                f"has no frames of its output '{output}'",
                subject=self._folder,
                advice=f"put <frame>.npy or <frame>.bin into {folder}",
            )
        return files

    def _from_archive(self, path: Path) -> dict[str, NDArray[Any]]:
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in self._outputs if name in archive.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise BadInput("is not an .npz archive, or is cut short", subject=path, advice=_RECORD) from error
        lacking = [name for name in self._outputs if name not in arrays]
        if lacking:
            raise BadInput(f"lacks the output {', '.join(lacking)}", subject=path, advice=_RECORD)
        return {name: _shaped(array, self._outputs[name], path) for name, array in arrays.items()}


def read_flat(path: Path) -> NDArray[np.float32]:
    """One output of one frame with nothing said of it: a `.npy`, or raw float32 in a `.bin`; [1, N].

    Raises: BadInput: the file is missing, damaged, empty, or no array of numbers.
    """
    if not path.is_file():
        raise BadInput("does not exist", subject=path)
    array = _npy(path) if path.suffix == ".npy" else _raw(path, np.dtype(np.float32))
    if array.size == 0 or array.dtype.kind not in "fiu":
        raise BadInput(f"holds no numbers to compare ({array.dtype}, {array.shape})", subject=path)
    return np.ascontiguousarray(array, np.float32).reshape(1, -1)


def _from_file(path: Path, output: RecordedOutput) -> NDArray[Any]:
    array = _npy(path) if path.suffix == ".npy" else _raw(path, np.dtype(output.dtype))
    return _shaped(array, output, path)


def _npy(path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BadInput("is not an .npy array, or is cut short", subject=path, advice=_RECORD) from error
    return array


def _raw(path: Path, dtype: np.dtype[Any]) -> NDArray[Any]:
    size = path.stat().st_size
    if size % dtype.itemsize:
        raise BadInput(
            f"has {size} bytes, which is no whole number of {dtype} values", subject=path, advice=_RECORD
        )
    return np.fromfile(path, dtype)


def _shaped(array: NDArray[Any], output: RecordedOutput, path: Path) -> NDArray[Any]:
    if array.size != np.prod(output.shape):
        raise BadInput(
            f"has {array.size} values ({list(array.shape)}), and {output.name} is {list(output.shape)}",
            subject=path,
            advice=_RECORD,
        )
    return array.reshape(output.shape)


def _sorted(paths: Any) -> list[Path]:
    return sorted(paths, key=lambda path: natural_key(path.stem))
