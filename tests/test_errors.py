from __future__ import annotations

import pytest

from trtviewer import optional
from trtviewer.errors import BadInput, MissingRuntime


def test_that_an_error_is_one_line_with_subject_and_advice() -> None:
    error = BadInput("is not\n a video", subject="a.txt", advice="give a video")
    assert str(error) == "a.txt: is not a video (give a video)"
    assert error.exit_status == 2


def test_that_a_runtime_that_is_not_installed_is_named_with_what_installs_it() -> None:
    with pytest.raises(
        MissingRuntime, match=r"needs tensorrt, which is not installed \(pip install"
    ) as caught:
        optional.load("tensorrt", subject="yolo.engine")
    assert caught.value.exit_status == 3
    assert str(caught.value).startswith("yolo.engine: ")


def test_that_a_runtime_that_does_not_load_is_told_apart(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pycuda").mkdir()  # type: ignore[operator]
    (tmp_path / "pycuda" / "__init__.py").write_text("")  # type: ignore[operator]
    (tmp_path / "pycuda" / "driver.py").write_text("raise ImportError('libcuda.so.1: cannot open')")  # type: ignore[operator]
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingRuntime, match="installed but does not load: libcuda"):
        optional.load("pycuda.driver")
