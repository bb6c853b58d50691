"""`trtviewer doctor` lists every folder that it looked into for TensorRT, and why one is not used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_that_the_program_tells_which_folders_it_looked_into_and_what_it_found(tmp_path: Path) -> None:
    (tmp_path / "good" / "pycuda").mkdir(parents=True)
    old = tmp_path / "old"
    (old / "tensorrt").mkdir(parents=True)
    (old / "tensorrt-8.0.dist-info").mkdir()
    (old / "tensorrt-8.0.dist-info" / "WHEEL").write_text("Tag: cp36-none-linux_x86_64\n", "utf-8")
    folders = [tmp_path / "good", old, tmp_path / "gone"]
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "TRTVIEWER_SITE": os.pathsep.join(map(str, folders)),
        "COLUMNS": "300",
    }
    command = [sys.executable, "-m", "trtviewer", "doctor", "--json", str(tmp_path / "doctor.json")]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    told = json.loads((tmp_path / "doctor.json").read_text("utf-8"))["folders"]
    assert [one["folder"] for one in told] == [str(folder) for folder in folders]
    assert [one["runtimes"] for one in told] == [["pycuda"], ["tensorrt"], []]
    assert not told[0]["refused"]
    assert "Python 3.6" in told[1]["refused"]
    assert "no such folder" in told[2]["refused"]
    for folder in folders:
        assert str(folder) in done.stdout
