from __future__ import annotations

from pathlib import Path

import pytest

from trtviewer.atomic import whole_file, write_text
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
    with pytest.raises(BadInput, match=r"nowhere/report\.json: cannot be written"):
        write_text(tmp_path / "nowhere" / "report.json", "x")


def test_that_the_file_may_be_read_by_whom_any_new_file_may(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    write_text(tmp_path / "whole", "x")
    assert (tmp_path / "whole").stat().st_mode == plain.stat().st_mode
