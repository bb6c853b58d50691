"""The icon at every size, and the program's place in a desktop."""

from __future__ import annotations

import struct
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import numpy as np
import pytest

from trtviewer.resources import resource

ROOT = Path(__file__).resolve().parents[2]
SIZES = (16, 20, 22, 24, 32, 40, 48, 64, 96, 128, 256, 512)
FOUND, LOST = (53, 199, 155), (255, 106, 31)


@pytest.mark.parametrize("size", SIZES)
def test_that_the_icon_shows_both_boxes_at_every_size(size: int) -> None:
    pixels = cv2.imread(str(resource("icons", f"trtviewer-{size}.png")), cv2.IMREAD_UNCHANGED)
    assert pixels.shape == (size, size, 4)
    rgb = pixels[..., 2::-1].astype(int)
    left, right = rgb[:, : size // 2], rgb[:, size // 2 :]
    for half, colour in ((left, FOUND), (right, LOST)):
        like = (np.abs(half - colour).max(axis=-1) < 24).mean()
        assert like > 0.05, f"{size} pixels: only {like:.0%} of the half is of its box's colour"
    assert pixels[0, 0, 3] < 255


def test_that_the_windows_icon_holds_a_png_for_each_size() -> None:
    data = resource("icons", "trtviewer.ico").read_bytes()
    _, kind, count = struct.unpack_from("<HHH", data)
    assert (kind, count) == (1, 8)
    for place in range(count):
        width, _, _, _, _, bits, length, offset = struct.unpack_from("<BBBBHHII", data, 6 + 16 * place)
        png = cv2.imdecode(np.frombuffer(data[offset : offset + length], np.uint8), cv2.IMREAD_UNCHANGED)
        assert png.shape[0] == (width or 256) and bits == 32


def test_that_the_file_types_of_the_menu_entry_are_declared() -> None:
    entry = (ROOT / "packaging" / "desktop" / "trtviewer.desktop").read_text("utf-8")
    types = entry.split("MimeType=")[1].splitlines()[0].split(";")
    declared = ET.parse(ROOT / "packaging" / "desktop" / "trtviewer-mime.xml").getroot()
    own = {node.get("type") for node in declared}
    assert own and own <= set(types)
    globs = {node.get("pattern") for node in declared.iter() if node.tag.endswith("glob")}
    assert globs == {"*.onnx", "*.engine", "*.plan", "*.trt"}


@pytest.mark.parametrize(
    "name", ["plain", "with space", 'with "quotes" and $dollar', "back\\slash", "per%cent & ä|b"]
)
def test_that_the_menu_entry_starts_the_program_wherever_its_folder_lies(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    (folder / "desktop").mkdir(parents=True)
    for file in (ROOT / "packaging" / "desktop").iterdir():
        (folder / "desktop" / file.name).write_bytes(file.read_bytes())
    icons = folder / "_internal" / "resources" / "icons"
    icons.mkdir(parents=True)
    for file in resource("icons").iterdir():
        (icons / file.name).write_bytes(file.read_bytes())
    program = folder / "trtviewer"
    program.write_text("#!/bin/sh\n", "utf-8")
    program.chmod(0o755)
    home = tmp_path / "home"
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    script = ["sh", str(folder / "desktop" / "install.sh")]
    subprocess.run(script, env=environment, check=True, capture_output=True)
    text = (home / ".local/share/applications/trtviewer.desktop").read_text("utf-8")
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    assert arguments_of(lines["Exec"]) == [str(program), "view", "%F"]
    assert unescaped(lines["TryExec"]) == str(program)
    assert (home / ".local/bin/trtviewer").resolve() == program.resolve()
    assert (home / ".local/share/icons/hicolor/16x16/apps/trtviewer.png").is_file()
    subprocess.run([*script, "--remove"], env=environment, check=True)
    assert not [path for path in home.rglob("*trtviewer*") if path.is_file() or path.is_symlink()]


def unescaped(value: str) -> str:
    """A string of a desktop entry, as its specification reads it."""
    return value.replace("\\\\", "\\")


def arguments_of(value: str) -> list[str]:
    """The command line of an Exec key: the entry's escapes first, then quotes, which are a shell's, then %%."""
    shell = ["sh", "-c", f"printf '%s\\0' {unescaped(value)}"]
    words = subprocess.run(shell, capture_output=True, text=True, check=True).stdout.split("\0")[:-1]
    return [word if word == "%F" else word.replace("%%", "%") for word in words]
