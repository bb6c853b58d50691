"""Where this user's files of the program lie: settings, logs, caches, by the rules of each system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_NAME = "trtviewer"


def config_folder() -> Path:
    """Settings and recent files; worth a backup."""
    return _folder("XDG_CONFIG_HOME", ".config", "APPDATA", "Library/Application Support")


def state_folder() -> Path:
    """Logs."""
    return _folder("XDG_STATE_HOME", ".local/state", "LOCALAPPDATA", "Library/Logs")


def cache_folder() -> Path:
    """What can be made again at any time."""
    return _folder("XDG_CACHE_HOME", ".cache", "LOCALAPPDATA", "Library/Caches")


def log_file() -> Path:
    """What the program and the libraries under it have to say; the place to look after "unexpected error"."""
    return state_folder() / "trtviewer.log"


def _folder(xdg_variable: str, unix: str, windows_variable: str, mac: str) -> Path:
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get(windows_variable, home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = home / mac
    else:
        given = os.environ.get(xdg_variable, "")
        # The XDG specification has relative paths ignored.
        base = Path(given) if given.startswith("/") else home / unix
    return base / _NAME
