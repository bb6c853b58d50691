"""The awkward videos, each written once a session, when a test first asks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sources.videos import MAKERS


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the path of a video of `MAKERS` by its name."""
    folder = tmp_path_factory.mktemp("videos")

    def made(name: str) -> Path:
        path = folder / name
        return path if path.exists() else MAKERS[name](path)

    return made
