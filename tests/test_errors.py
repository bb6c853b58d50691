from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trtviewer import optional
from trtviewer.errors import BadInput, MissingRuntime


def test_that_an_error_is_one_line_with_subject_and_advice() -> None:
    error = BadInput("is not\n a video", subject="a.txt", advice="give a video")
    assert str(error) == "a.txt: is not a video (give a video)"
    assert error.exit_status == 2


def test_that_a_runtime_that_is_not_there_is_named_with_status_3() -> None:
    with pytest.raises(MissingRuntime, match="needs no_such_runtime, which is not installed") as caught:
        optional.load("no_such_runtime", subject="yolo.engine")
    assert caught.value.exit_status == 3
    assert str(caught.value).startswith("yolo.engine: ")


def test_that_a_runtime_that_does_not_load_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "broken_runtime"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "driver.py").write_text("raise ImportError('libcuda.so.1: cannot open')")
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        with pytest.raises(MissingRuntime, match="installed but does not load: libcuda"):
            optional.load("broken_runtime.driver")
    finally:
        sys.modules.pop("broken_runtime", None)
