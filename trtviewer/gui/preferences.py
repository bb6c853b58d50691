"""What is kept between runs: recent files, theme, layout; one typed record, written whole or not at all."""

from __future__ import annotations

import base64
import json
import logging
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from trtviewer.atomic import write_text
from trtviewer.compare.settings import CompareSettings
from trtviewer.errors import BadUsage, TrtviewerError

VERSION = 1
MOST_RECENT = 10
THEME_CHOICES = ("system", "light", "dark")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Preferences:
    """Attributes:
    theme: "system", "light" or "dark".
    recent_models, recent_sources: the newest first; addresses as they were opened.
    geometry, layout: Qt's own bytes of the window and of its docks; empty for the default.
    speed: the playing speed.
    settings: the thresholds.
    """

    theme: str = "system"
    recent_models: tuple[str, ...] = ()
    recent_sources: tuple[str, ...] = ()
    geometry: bytes = b""
    layout: bytes = b""
    speed: float = 1.0
    settings: CompareSettings = field(default_factory=CompareSettings)
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What went wrong in reading; to be shown, not kept."""

    def with_recent(self, kind: str, address: str) -> Preferences:
        """The same with a model or source put first among the recent ones."""
        name = f"recent_{kind}s"
        kept = tuple(one for one in getattr(self, name) if one != address)
        return replace(self, **{name: (address, *kept)[:MOST_RECENT]})


class PreferencesFile:
    """Reads and writes the preferences; the file is set aside, and that is said, where it cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Preferences:
        try:
            text = self.path.read_text("utf-8")
        except FileNotFoundError:
            return Preferences()
        except (OSError, UnicodeDecodeError) as error:
            return Preferences(notes=(f"The preferences could not be read: {error}.",))
        try:
            return _from_json(json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            aside = self.path.with_suffix(".unreadable.json")
            try:
                self.path.replace(aside)
            except OSError:
                _log.exception("setting the preferences aside failed")
            return Preferences(
                notes=(
                    f"The preferences were damaged ({error}) and lie now in {aside.name}; defaults are used.",
                )
            )

    def write(self, preferences: Preferences) -> None:
        """Raises: BadInput: the file cannot be written."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrtviewerError(f"cannot be made: {error.strerror}", subject=self.path.parent) from error
        write_text(self.path, json.dumps(_to_json(preferences), indent=2) + "\n")


def _to_json(preferences: Preferences) -> dict[str, Any]:
    return {
        "version": VERSION,
        "theme": preferences.theme,
        "recent_models": list(preferences.recent_models),
        "recent_sources": list(preferences.recent_sources),
        "geometry": base64.b64encode(preferences.geometry).decode("ascii"),
        "layout": base64.b64encode(preferences.layout).decode("ascii"),
        "speed": preferences.speed,
        "settings": asdict(preferences.settings.plain),
    }


def _from_json(read: Any) -> Preferences:
    if not isinstance(read, dict) or read.get("version") != VERSION:
        raise ValueError("of another version")
    theme = read["theme"]
    if theme not in THEME_CHOICES:
        raise ValueError(f"theme '{theme}'")
    recent = {}
    for name in ("recent_models", "recent_sources"):
        if not all(isinstance(one, str) for one in read[name]):
            raise ValueError(name)
        recent[name] = tuple(read[name])[:MOST_RECENT]
    return Preferences(
        theme=theme,
        geometry=base64.b64decode(read["geometry"], validate=True),
        layout=base64.b64decode(read["layout"], validate=True),
        speed=float(read["speed"]),
        settings=_settings(read.get("settings", {})),
        **recent,
    )


def _settings(read: Any) -> CompareSettings:
    try:
        return CompareSettings(**read)
    except BadUsage as error:
        raise ValueError(error.what) from error
