"""From what is typed into a field to the file that is meant."""

from __future__ import annotations

from pathlib import Path


def file_of(text: str, *suffixes: str) -> Path | None:
    """The file that was typed, ending in one of the suffixes (the first where it has none); None where the text names none."""
    path = Path(text.strip())
    if path.parts[:1] == ("~",):
        path = Path.home().joinpath(*path.parts[1:])
    if not path.name or text.rstrip().endswith("/") or path.is_dir():
        return None
    return path if path.suffix.lower() in suffixes else path.with_name(path.name + suffixes[0])
