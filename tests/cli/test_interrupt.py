from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.interrupted import interrupted
from tests.model_zoo import tiny_yolo_anchor
from trtviewer.cli.interrupt import interruptible


def test_that_ctrl_c_is_told_once_and_the_second_ends_the_work() -> None:
    with interruptible() as asked:
        assert not asked()
        os.kill(os.getpid(), signal.SIGINT)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_that_ctrl_c_stays_ignored_where_the_shell_ignores_it() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible() as asked:
            os.kill(os.getpid(), signal.SIGINT)
            assert not asked()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_that_an_interrupted_demo_leaves_the_report_of_the_frames_so_far(in_an_empty_folder: Path) -> None:
    status, seen = interrupted("demo", "--headless", shown=rb" [1-9]\d*/60")
    assert status == 130
    assert [path.name for path in in_an_empty_folder.iterdir()] == ["trtviewer-demo.json"]
    frames = json.loads(Path("trtviewer-demo.json").read_text())["frames"]
    assert 0 < frames < 60
    said = f"trtviewer: interrupted after {frames} frame{'s' if frames != 1 else ''} (written: trtviewer-demo.json"
    assert said.encode() in b" ".join(seen.split())


def test_that_an_interrupted_benchmark_says_that_nothing_was_written(in_an_empty_folder: Path) -> None:
    first = tiny_yolo_anchor(in_an_empty_folder / "a.onnx", seed=1)
    second = tiny_yolo_anchor(in_an_empty_folder / "b.onnx", seed=2)
    words = ("bench", "--reference", first, "--candidate", second, "--seconds", 60, "--json", "b.json")
    status, seen = interrupted(*words, shown=rb" [1-9]\d*/1000")
    assert status == 130
    assert not Path("b.json").exists()
    assert b"the benchmark was cancelled (there is no half of one: nothing was written)" in b" ".join(
        seen.split()
    )
    assert b"Traceback" not in seen
