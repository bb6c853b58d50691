"""The evidence bundle: some frames with both sides' raw outputs in one file, which opens again with no model and no GPU.

manifest.json                   schema, settings, models, source, frames, versions, SHA-256 of every other file
report.json                     the figures of the whole comparison
frames/<index>.png              the source's own pixels
reference/, candidate/          <index>.npz, one array an output, and outputs.toml: recorded outputs as any other
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trtviewer.atomic import whole_file
from trtviewer.compare.frame_comparison import FrameComparison, Side
from trtviewer.compare.settings import CompareSettings, RefittedSettings
from trtviewer.errors import BadInput, BadUsage
from trtviewer.evidence_files import MANIFEST, SCHEMA, SIDES, manifest_of, unpacked
from trtviewer.models.sidecar import sidecar_text
from trtviewer.models.spec import ModelSpec
from trtviewer.opencv import cv2

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""The time of every entry: the same evidence gives the same file."""


@dataclass(frozen=True, slots=True)
class OpenedBundle:
    """What a bundle holds, ready to be opened by the ways that models and sources are always opened.

    Attributes:
        source: address of its frames.
        reference, candidate: paths that `load_spec` takes.
        settings: that the comparison was made with.
        frames: index of each frame in the source that it is from.
        manifest: all that it says of itself.
        report: of the whole comparison.
    """

    source: str
    reference: Path
    candidate: Path
    settings: CompareSettings
    frames: tuple[int, ...]
    manifest: Mapping[str, Any]
    report: Mapping[str, Any]


def write_bundle(
    path: Path,
    comparisons: Sequence[FrameComparison],
    report: Mapping[str, Any],
    versions: Mapping[str, str],
    hashes: Mapping[str, str | None],
) -> None:
    """Writes the chosen frames, whole or not at all.

    Args:
        comparisons: the frames, at one setting, of one pair of models; at least one, in any order.
        report: of the whole comparison.
        versions: name to version. hashes: "reference" and "candidate" to the SHA-256 of their files.

    Raises:
        BadInput: there is no frame, or it cannot be written there.
    """
    require_bundle_name(path)
    if not comparisons:
        raise BadInput("no frame to put into an evidence bundle", subject=path)
    ordered = sorted(comparisons, key=lambda comparison: comparison.frame.index)
    first = ordered[0]
    files: dict[str, str] = {}
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:

        def add(name: str, data: bytes, kind: int = zipfile.ZIP_STORED) -> None:
            files[name] = hashlib.sha256(data).hexdigest()
            archive.writestr(zipfile.ZipInfo(name, _FIXED_TIME), data, kind, 6)

        for comparison in ordered:
            stem = _stem(comparison)
            add(f"frames/{stem}.png", _png(comparison))
            for side, of_side in zip(SIDES, (comparison.reference, comparison.candidate), strict=True):
                add(f"{side}/{stem}.npz", _npz(of_side))
        for side, of_side in zip(SIDES, (first.reference, first.candidate), strict=True):
            add(f"{side}/outputs.toml", _outputs_toml(of_side.spec).encode(), zipfile.ZIP_DEFLATED)
        add("report.json", _json(report), zipfile.ZIP_DEFLATED)
        manifest = _manifest(ordered, report, versions, hashes) | {"files": files}
        archive.writestr(zipfile.ZipInfo(MANIFEST, _FIXED_TIME), _json(manifest), zipfile.ZIP_DEFLATED, 6)


def require_bundle_name(path: Path) -> None:
    """Raises: BadUsage: by this name it would not be known for a bundle."""
    if path.suffix.lower() != ".zip":
        raise BadUsage(
            "an evidence bundle is a .zip", subject=path, advice=f"call it {path.with_suffix('.zip')}"
        )


def open_bundle(path: Path) -> OpenedBundle:
    """Unpacks and checks a bundle. Raises: BadInput: it is damaged, or no bundle."""
    if not path.is_file():
        raise BadInput("does not exist", subject=path)
    folder = unpacked(path)
    manifest = manifest_of(folder)
    try:
        settings = _settings(manifest["settings"])
        frames = tuple(int(frame["index"]) for frame in manifest["frames"])
        report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise BadInput("has a manifest or report that cannot be read", subject=path) from error
    return OpenedBundle(str(path), path / SIDES[0], path / SIDES[1], settings, frames, manifest, report)


def _manifest(
    ordered: Sequence[FrameComparison],
    report: Mapping[str, Any],
    versions: Mapping[str, str],
    hashes: Mapping[str, str | None],
) -> dict[str, Any]:
    first = ordered[0]
    settings = first.settings
    thresholds = [list(row) for row in settings.candidate_thresholds]
    return {
        "schema": SCHEMA,
        "versions": dict(versions),
        "source": report.get("source"),
        "settings": {
            "confidence": settings.confidence,
            "nms_iou": settings.nms_iou,
            "agnostic_nms": settings.agnostic_nms,
            "match_iou": settings.match_iou,
            "epsilon": settings.epsilon,
            **({"candidate_thresholds": thresholds} if thresholds else {}),
        },
        **{
            name: _model(side, hashes.get(name))
            for name, side in zip(SIDES, (first.reference, first.candidate), strict=True)
        },
        "frames": [
            {
                "index": comparison.frame.index,
                "time_s": comparison.frame.time_s,
                "name": comparison.frame.name,
                "size": list(comparison.frame.size),
                "missed": comparison.missed,
                "extra": comparison.extra,
            }
            for comparison in ordered
        ],
    }


def _settings(said: Mapping[str, Any]) -> CompareSettings:
    """As they were, with a threshold re-fit where one was in force: class, stride and confidence of each row."""
    plain = {name: value for name, value in said.items() if name != "candidate_thresholds"}
    rows = said.get("candidate_thresholds", ())
    if not rows:
        return CompareSettings(**plain)
    thresholds = tuple((int(class_id), int(stride), float(score)) for class_id, stride, score in rows)
    return RefittedSettings(**plain, thresholds=thresholds)


def _model(side: Side, digest: str | None) -> dict[str, Any]:
    return {
        "path": side.spec.title or str(side.spec.path),
        "sha256": digest,
        "family": side.spec.family.value,
        "runner": side.info.name,
        "precision": side.info.precision,
        "emulated": side.info.emulated,
    }


def _outputs_toml(spec: ModelSpec) -> str:
    """What `load_spec` needs to decode the recording as the model was decoded."""
    tables = [
        f"\n[[output]]\nname = {json.dumps(head.output)}\nshape = {list(head.shape)}\n" for head in spec.heads
    ]
    return sidecar_text(spec) + "".join(tables)


def _stem(comparison: FrameComparison) -> str:
    return f"{comparison.frame.index:06d}"


def _png(comparison: FrameComparison) -> bytes:
    done, data = cv2.imencode(".png", comparison.frame.picture, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise BadInput(f"frame {comparison.frame.index} cannot be kept as PNG")
    return bytes(data)


def _npz(side: Side) -> bytes:
    buffer = io.BytesIO()
    arrays: dict[str, Any] = dict(side.heads)
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
