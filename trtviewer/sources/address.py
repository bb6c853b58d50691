"""From the text that names a source to the source: one table of kinds, then files by what they are."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

from trtviewer.errors import BadInput, BadUsage
from trtviewer.evidence_files import is_evidence, unpacked
from trtviewer.sources.images import SUFFIXES, ImagesSource, is_picture_name, pictures_in
from trtviewer.sources.source import OPENS, Source


def open_source(address: str, *, cancelled: Callable[[], bool] | None = None) -> Source:
    """Opens a video, a picture, a folder of pictures, an evidence bundle, `camera:N` or `scene:NAME?key=value&...`.

    Args:
        address: the text, as the user gave it.
        cancelled: asked while a long file is read for the first time; True ends that.

    Raises:
        BadUsage: the text says nothing that can be understood.
        BadInput: there is no such file, or it is no source, or it is damaged.
        MissingRuntime: there is no such camera.
        Cancelled: `cancelled` said so.
    """
    if not address.strip():
        raise BadUsage("no source is named", advice=OPENS)
    kind, colon, rest = address.partition(":")
    opener = _KINDS.get(kind) if colon else None
    if opener is not None:
        return opener(rest, address)
    path = _path(address)
    if path.is_dir():
        return _open_folder(path, address)
    if not path.is_file():
        raise BadInput("is neither a file nor a folder", subject=path, advice=OPENS)
    if is_picture_name(path):
        return ImagesSource([path], address)
    if is_evidence(path):
        return ImagesSource(pictures_in(unpacked(path) / "frames"), address)
    return _open_file(path, address, cancelled)


def _path(address: str) -> Path:
    try:
        path = Path(address).expanduser()
        exists = path.exists()
    except (OSError, RuntimeError) as error:  # a folder that may not be entered, a name too long, ~nobody
        raise BadInput(
            f"cannot be read: {getattr(error, 'strerror', None) or error}", subject=address
        ) from error
    if not exists:
        raise _missing(path, address)
    return path


def _open_file(path: Path, address: str, cancelled: Callable[[], bool] | None) -> Source:
    from trtviewer.sources.video import VideoSource
    from trtviewer.sources.video_decoder import VideoDecoder

    decoder = VideoDecoder(path)
    still = decoder.is_still
    decoder.close()
    if still:  # a picture under another name
        return ImagesSource([path], address)
    return VideoSource(path, address=address, cancelled=cancelled)


def _open_folder(folder: Path, address: str) -> Source:
    pictures = pictures_in(folder)
    if not pictures:
        suffixes = ", ".join(sorted(suffix.removeprefix(".") for suffix in SUFFIXES))
        raise BadInput(
            "is a folder without pictures", subject=folder, advice=f"looked for {suffixes} directly in it"
        )
    return ImagesSource(pictures, address)


def _open_camera(rest: str, address: str) -> Source:
    if not rest.isdecimal() or len(rest) > 4:
        raise BadUsage("is not a camera", subject=address, advice="camera:0 is the first")
    from trtviewer.sources.camera import open_camera

    return open_camera(int(rest))


def _open_scene(rest: str, address: str) -> Source:
    from trtviewer.sources.scenes import open_scene

    return open_scene(address)


_KINDS: dict[str, Callable[[str, str], Source]] = {"camera": _open_camera, "scene": _open_scene}


def _missing(path: Path, address: str) -> BadInput:
    kind, _, rest = address.partition(":")
    near_kind = difflib.get_close_matches(kind.lower(), _KINDS, 1) if rest else []
    if near_kind:
        return BadInput("is not a file", subject=address, advice=f"did you mean {near_kind[0]}:{rest}?")
    if "://" in address:
        return BadInput("is an address of the network; only files are opened", subject=address, advice=OPENS)
    try:
        siblings = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return BadInput("no such file, and its folder is not there either", subject=path)
    near = difflib.get_close_matches(path.name, siblings, 1, cutoff=0.6)
    advice = f"did you mean {path.parent / near[0]}?" if near else OPENS
    return BadInput("no such file or folder", subject=path, advice=advice)
