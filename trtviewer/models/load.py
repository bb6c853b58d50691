"""Path to `ModelSpec`: one table by the kind of file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from trtviewer.errors import BadInput
from trtviewer.evidence_files import SIDES, is_evidence, recorded_model, recorded_side
from trtviewer.models.ambiguous import AmbiguousModel
from trtviewer.models.engine_file import load_engine
from trtviewer.models.onnx_file import load_onnx
from trtviewer.models.recorded_folder import load_recorded
from trtviewer.models.sidecar import Sidecar, read_sidecar, sidecar_path
from trtviewer.models.spec import ModelSpec, Precision

__all__ = ["AmbiguousModel", "is_model", "load_spec"]


def load_spec(path: Path, overrides: Sidecar | None = None) -> ModelSpec:
    """Everything that is known of a model before it runs, each value with its origin.

    Args:
        path: a model's file, or a folder of recorded outputs; its sidecar is read where there is one. Of an evidence
            bundle `e.zip/reference` or `e.zip/candidate`.
        overrides: values that win over the sidecar (set in a dialog).

    Raises:
        AmbiguousModel: its shapes allow several readings, and nothing says which.
        BadInput: it is not there, no model that is known, damaged, or contradicts its sidecar.
    """
    given, path = path, recorded_side(path)
    if not path.exists():
        raise BadInput("does not exist", subject=path)
    loader = _LOADERS.get(_kind(path))
    if (path / "saved_model.pb").is_file():
        raise BadInput(
            "is a TensorFlow SavedModel, which is not read here",
            subject=path,
            advice=_TENSORFLOW.format("saved-model") + _RECORD,
        )
    if loader is None:
        raise _unknown(path)
    beside = sidecar_path(path)
    sidecar = read_sidecar(beside) if beside.is_file() else Sidecar()
    spec = loader(path, sidecar if overrides is None else overrides.over(sidecar))
    return spec if path == given else _of_evidence(spec, given, path)


def _of_evidence(spec: ModelSpec, given: Path, folder: Path) -> ModelSpec:
    """The spec of a bundle's side, by the name and the arithmetic of the model that it was recorded of."""
    name, precision = recorded_model(folder)
    known = Precision(precision) if precision in set(Precision) else Precision.UNKNOWN
    return replace(spec, path=given, title=name, precision=known)


def is_model(path: Path) -> bool:
    """Whether a path is of a kind that `load_spec` reads: by its suffix, a folder with recorded outputs, a bundle's side."""
    if path.is_dir():
        if sidecar_path(path).is_file() or any(path.glob("*.npz")):
            return True
        return any(path.glob("*/*.npy"))
    if path.name in SIDES:
        return is_evidence(path.parent)
    return path.suffix.lower() in _LOADERS


def _kind(path: Path) -> str:
    return "folder" if path.is_dir() else path.suffix.lower()


def _unknown(path: Path) -> BadInput:
    kind = path.suffix.lower()
    known = ", ".join(sorted(suffix for suffix in _LOADERS if suffix != "folder"))
    if kind in _EXPORT:
        return BadInput(
            f"is a {kind} file, which is not read here",
            subject=path,
            advice=_EXPORT[kind] + _RECORD,
        )
    return BadInput(
        f"is of no kind that is known{f': {kind}' if kind else ''}",
        subject=path,
        advice=f"models are {known}, or a folder of recorded outputs",
    )


_LOADERS: dict[str, Callable[[Path, Sidecar], ModelSpec]] = {
    ".onnx": load_onnx,
    ".engine": load_engine,
    ".plan": load_engine,
    ".trt": load_engine,
    "folder": load_recorded,
}

_RECORD = "; or record its outputs, one .npz a frame, and open their folder"
_PYTORCH = "export it to ONNX: yolo export model={} format=onnx for Ultralytics, torch.onnx.export for others"
_TENSORFLOW = "export it to ONNX: python -m tf2onnx.convert --{} MODEL --output MODEL.onnx"
_EXPORT = {
    ".pt": _PYTORCH.format("MODEL.pt"),
    ".pth": _PYTORCH.format("MODEL.pth"),
    ".weights": "export it to ONNX with its .cfg, by a darknet to ONNX converter",
    ".pb": _TENSORFLOW.format("graphdef"),
    ".tflite": _TENSORFLOW.format("tflite"),
    ".uff": "TensorRT reads UFF no more: export the network that it was made from to ONNX",
}
