from __future__ import annotations

import os
from pathlib import Path

import pytest

from trtviewer.atomic import require_writable, whole_file, write_text
from trtviewer.errors import BadInput


def test_that_a_file_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")
    write_text(target, "new ü")
    assert target.read_text(encoding="utf-8") == "new ü"
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_that_an_error_while_writing_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")
    with pytest.raises(RuntimeError), whole_file(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_that_a_missing_folder_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere/report\.json: cannot be written: its folder does not exist"):
        write_text(tmp_path / "nowhere" / "report.json", "x")


def test_that_a_full_disk_is_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="make room"), whole_file(tmp_path / "report.json"):
        Path("/dev/full").write_bytes(b"x")
    assert list(tmp_path.iterdir()) == []


def test_that_the_file_may_be_read_by_whom_any_new_file_may(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    write_text(tmp_path / "whole", "x")
    assert (tmp_path / "whole").stat().st_mode == plain.stat().st_mode


def test_that_a_link_stays_a_link_to_the_new_file(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "latest.json").symlink_to(tmp_path / "there" / "report.json")
    write_text(tmp_path / "latest.json", "new")
    assert (tmp_path / "latest.json").is_symlink()
    assert (tmp_path / "there" / "report.json").read_text() == "new"


def test_that_no_device_or_pipe_is_replaced_by_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for write in (require_writable, lambda path: write_text(path, "x")):
        with pytest.raises(BadInput, match="is a device or a pipe"):
            write(pipe)
    assert pipe.is_fifo()
