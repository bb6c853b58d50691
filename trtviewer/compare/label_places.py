"""Which label belongs to which frame: by the picture's name, or in a video by the number that the label's name ends with."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath

from trtviewer.errors import BadInput
from trtviewer.sources.images import ImagesSource
from trtviewer.sources.source import Source

_NUMBER = re.compile(r"(\d+)$")


def picture_names(source: Source) -> tuple[str, ...] | None:
    """The names of the pictures by frame, without their suffix; None where the source is no pictures (a video)."""
    files = getattr(source, "files", None) if isinstance(source, ImagesSource) else None
    return None if files is None else tuple(file.stem for file in files)


def by_picture(stems: Collection[str], pictures: Sequence[str], subject: Path) -> dict[int, str]:
    """Frame index to the label of the same stem; frames without one are not in it.

    A label's stem may carry folders (`val/a`), a picture's never does.

    Raises: BadInput: two are of one picture.
    """
    last: dict[str, str] = {}
    wanted = set(pictures)
    for stem in stems:
        name = PurePosixPath(stem.replace("\\", "/")).name
        if name in last and name in wanted:
            raise BadInput(
                f"'{last[name]}' and '{stem}' are both labels of the picture '{name}'",
                subject=subject,
                advice="labels of several folders need a file, or a folder, each",
            )
        last[name] = stem
    return {index: last[name] for index, name in enumerate(pictures) if name in last}


def by_number(stems: Sequence[str], length: int | None, subject: Path) -> dict[int, str]:
    """Frame index to label, for a video: by the number at the end of the name, counted from 0 or from 1.

    Raises: BadInput: names without numbers, two of one number, more than the video has, or no way to tell where they
        begin.
    """
    numbers: Mapping[str, int | None] = {stem: _number(stem) for stem in stems}
    unnumbered = [stem for stem, number in numbers.items() if number is None]
    if unnumbered:
        raise BadInput(
            f"'{unnumbered[0]}' ends with no number, which would say which frame of the video it labels",
            subject=subject,
            advice="name labels by their frame: name_0, name_1, ...",
        )
    found: dict[int, str] = {}
    for stem, number in numbers.items():
        assert number is not None
        if number in found:
            raise BadInput(f"'{found[number]}' and '{stem}' are of the same frame", subject=subject)
        found[number] = stem
    if not found:
        return {}
    lowest, highest = min(found), max(found)
    if length is not None and highest > length:
        raise BadInput(f"labels frame {highest}, and the video has {length}", subject=subject)
    from_one = lowest > 0 and highest == length
    if lowest > 0 and not from_one:
        raise BadInput(
            f"its numbers go from {lowest} to {highest}: it cannot be told whether the first frame is 0 or 1",
            subject=subject,
            advice="label the first frame or the last, if only as empty",
        )
    if lowest == 0 and highest == length:
        raise BadInput(f"labels frames 0 to {highest}, and the video has {length}", subject=subject)
    return {number - from_one: stem for number, stem in found.items()}


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first few of some names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _number(stem: str) -> int | None:
    found = _NUMBER.search(stem)
    return int(found[1]) if found else None
