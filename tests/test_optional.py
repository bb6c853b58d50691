"""A missing runtime is told with what to do about it here, which in a packaged program is something else."""

from __future__ import annotations

import sys

import pytest

from trtviewer import optional
from trtviewer.errors import MissingRuntime


@pytest.mark.parametrize("name", ["tensorrt", "pycuda.driver", "no_such_module_at_all"])
def test_that_pip_is_advised_where_pip_can_install(name: str) -> None:
    if optional.installed(name):
        pytest.skip(f"{name} is here")
    with pytest.raises(MissingRuntime) as caught:
        optional.load(name, subject="a.engine")
    assert caught.value.subject == "a.engine"
    assert "pip install" in caught.value.advice
    assert "TRTVIEWER_SITE" not in caught.value.advice


@pytest.mark.parametrize("name", ["tensorrt", "pycuda.driver", "no_such_module_at_all"])
def test_that_a_packaged_program_advises_a_place_that_it_can_look_into(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if optional.installed(name):
        pytest.skip(f"{name} is here")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(MissingRuntime) as caught:
        optional.load(name)
    assert "TRTVIEWER_SITE" in caught.value.advice
    assert "trtviewer[" not in caught.value.advice
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in caught.value.advice


def test_that_onnx_on_the_gpu_is_not_promised_to_a_packaged_program(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "pip install" in optional.how_to_get_onnxruntime_gpu()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert "by pip" in optional.how_to_get_onnxruntime_gpu()
    assert "trtviewer[cuda]" not in optional.how_to_get_onnxruntime_gpu()
