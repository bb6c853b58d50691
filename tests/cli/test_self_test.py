"""`trtviewer doctor`, and its self test, on whatever machine this is."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from trtviewer.cli.main import run
from trtviewer.cli.self_test import FAILED, LEFT_OUT, PASSED, self_test
from trtviewer.errors import BadInput, TrtviewerError
from trtviewer.runners.nvidia import driver


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


def test_that_doctor_says_what_can_be_built_and_run(tmp_path: Path) -> None:
    assert run(["doctor", "--json", str(tmp_path / "d.json")]) == 0
    abilities = {one["what"]: one for one in json.loads((tmp_path / "d.json").read_text())["abilities"]}
    assert {"ONNX on the GPU", "build for TensorRT", "build for TensorRT for RTX"} <= set(abilities)
    assert all(one["detail"] for one in abilities.values())
    if not driver().gpus:
        assert abilities["ONNX on the GPU"]["detail"] == f"needs an NVIDIA GPU: {driver().trouble}"
        assert not abilities["build for TensorRT"]["works"]


def test_that_the_self_test_runs_what_can_run_and_says_what_it_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorrt_rtx_bindings")
    out = tmp_path / "sent.zip"
    assert run(["doctor", "--self-test", str(out)]) == 0
    assert "self test" in capsys.readouterr().out
    with zipfile.ZipFile(out) as packed:
        names = packed.namelist()
        report = json.loads(packed.read("self-test.json"))
    assert {"models/float.onnx", "models/int8.onnx"} <= set(names)
    assert report["doctor"]["packages"]["numpy"]
    outcomes = {step["name"]: step["outcome"] for step in report["steps"]}
    assert outcomes["ONNX Runtime CPU"] == PASSED
    assert outcomes["tensorrt-rtx: build fp32"] == PASSED
    assert outcomes["tensorrt-rtx: build int8"] == PASSED
    if not driver().gpus:
        assert outcomes["tensorrt-rtx: run both at once"] == LEFT_OUT
    assert FAILED not in outcomes.values()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--self-test", "yolo.onnx"), "yolo.onnx: what --self-test writes is a .zip"),
        (("--self-test", "null.zip"), "null.zip: is a device or a pipe"),
        (("--json", "a.zip", "--self-test", "./a.zip"), "the output is also that of another option"),
        (("--json", "null.zip"), "null.zip: is a device or a pipe"),
    ],
)
def test_that_doctor_takes_the_place_of_no_model_device_or_other_result(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("yolo.onnx").write_bytes(b"weights")
    Path("null.zip").symlink_to("/dev/null")
    with pytest.raises(TrtviewerError, match=said):
        run(["doctor", *words])
    assert Path("yolo.onnx").read_bytes() == b"weights"
    assert not Path("a.zip").exists()
    assert capsys.readouterr().out == ""


def test_that_a_place_that_cannot_be_written_is_told_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        self_test(tmp_path / "no" / "folder.zip")
