"""Starts the packaged program as a stranger's machine would, and tells what works, how large it is, and how fast it starts.

    python packaging/smoke_test.py dist/trtviewer [--archive FILE] [--beside PYTHON] [--starts N]        make package-test

The program is moved to a folder whose name has a space and letters beyond ASCII, with an empty home, no Python on PATH
and no variable of this session. The window runs on a screen of its own (Xvfb), and is done when the program's log says
that the first compared frame is on the screen and the screen shows a picture. With --beside, the same is started from
source by that Python, in turns, and the ratio of the times is told.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCENE = "scene:street?condition=mix&seed=3&frames=900"
FIRST_FRAME = "first compared frame"
PATIENCE_S = 120
POLL_S = 0.005

WRITE_VIDEO = """
import sys, av, numpy
with av.open(sys.argv[1], "w") as file:
    stream = file.add_stream("libx264", rate=25, options={"bf": "2"})
    stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
    for index in range(8):
        picture = numpy.full((192, 320, 3), 20 * index, numpy.uint8)
        file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
    file.mux(stream.encode())
"""


class Failed(Exception):
    """A check that did not hold."""


class Stranger:
    """One user's machine: an empty home, a bare environment, and the program in an awkward folder."""

    def __init__(self, folder: Path, program: list[str]) -> None:
        self.folder, self.program = folder, program
        self.home = folder / "häuslich und leer"
        self.work = folder / "Arbeit ✓ Ordner"
        for path in (self.home, self.work, folder / "no-programs"):
            path.mkdir(parents=True, exist_ok=True)
        self.environment = {"HOME": str(self.home), "PATH": str(folder / "no-programs")}

    @property
    def log(self) -> Path:
        return self.home / ".local" / "state" / "trtviewer" / "trtviewer.log"

    def run(self, *arguments: str | Path, status: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        """One command. Raises: Failed: it ended with another status."""
        done = subprocess.run(
            [*self.program, *map(str, arguments)],
            env={**self.environment, **more},
            cwd=self.work,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE_S * 3,
        )
        if done.returncode != status:
            raise Failed(
                f"{' '.join(map(str, arguments))} ended with {done.returncode}, not {status}:\n{done.stdout}{done.stderr}"
            )
        if "Traceback" in done.stdout + done.stderr:
            raise Failed(f"{arguments[0]} showed a traceback:\n{done.stderr}")
        return done

    def start_window(self, display: str, *arguments: str | Path) -> float:
        """Opens the window, waits for the first compared frame, ends it as Ctrl-C does. Returns: seconds until then."""
        self.log.unlink(missing_ok=True)
        begun = time.perf_counter()
        process = subprocess.Popen(
            [*self.program, *map(str, arguments)], env={**self.environment, "DISPLAY": display}, cwd=self.work
        )
        try:
            wait_until(lambda: FIRST_FRAME in self._logged() or process.poll() is not None)
            took = time.perf_counter() - begun
            if FIRST_FRAME not in self._logged():
                raise Failed(f"no compared frame was shown:\n{self._logged()[-3000:]}")
            process.send_signal(signal.SIGINT)
            if process.wait(20) != 130:
                raise Failed(
                    f"Ctrl-C in the window ended with {process.returncode}:\n{self._logged()[-3000:]}"
                )
            return took
        finally:
            process.kill()
            process.wait()

    def _logged(self) -> str:
        return self.log.read_text("utf-8", errors="replace") if self.log.is_file() else ""


def wait_until(holds: Callable[[], bool]) -> None:
    """Raises: Failed: it did not in two minutes."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            raise Failed(f"nothing happened in {PATIENCE_S} s")
        time.sleep(POLL_S)


@contextlib.contextmanager
def screen(folder: Path) -> Iterator[tuple[str, Path]]:
    """A screen of its own. Yields: the display's name, and the file in which its pixels lie."""
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [
            "Xvfb",
            "-displayfd",
            str(writer),
            "-screen",
            "0",
            "1280x800x24",
            "-noreset",
            "-nolisten",
            "tcp",
            "-fbdir",
            folder,
        ],
        pass_fds=(writer,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as told:
            number = told.readline().strip()
        if not number:
            raise Failed("Xvfb did not start")
        yield f":{number}", folder / "Xvfb_screen0"
    finally:
        process.terminate()
        process.wait()


def colours(pixels: Path) -> int:
    """How many different colours the screen shows: a picture has thousands, an empty window a few dozen."""
    data = pixels.read_bytes()
    header, entries = int.from_bytes(data[:4], "big"), int.from_bytes(data[76:80], "big")
    body = memoryview(data)[header + 12 * entries :]
    return len(set(body[: len(body) // 4 * 4].cast("I")))


def check_commands(user: Stranger) -> tuple[Path, Path]:
    """The command line, each command that needs no window. Returns: a reference and a candidate to show."""
    said("version", user.run("--version").stdout.strip())
    user.run("doctor", "--json", "doctor.json")
    doctor = json.loads((user.work / "doctor.json").read_text("utf-8"))
    lacking = [one["what"] for one in doctor["abilities"] if not one["works"]]
    said("doctor", f"Python {doctor['python']} inside; cannot here: {', '.join(lacking) or 'nothing'}")
    wrong = user.run(
        "compare", "--reference", "no such file.onnx", "--candidate", "b.onnx", "--source", SCENE, status=2
    )
    if wrong.stdout or wrong.stderr.count("\n") != 1:
        raise Failed(f"a bad input is not answered in one line:\n{wrong.stderr}")
    said("bad input", wrong.stderr.strip())
    resources = bundled(user)
    reference = resources / "demo" / "detector.onnx"
    candidate = user.work / "int8 zwölf.onnx"
    user.run("quantize", reference, "-o", candidate, "--source", SCENE, "--frames", "8")
    said("quantize", f"{candidate.stat().st_size / 1e3:.0f} kB")
    pair = (
        "--reference",
        reference,
        "--candidate",
        candidate,
        "--source",
        SCENE,
        "--frames",
        "5",
        "--every",
        "100",
    )
    user.run("compare", *pair, "--json", "report.json")
    report = json.loads((user.work / "report.json").read_text("utf-8"))
    said("compare", " ".join(report["verdict"]))
    user.run("compare", *pair, "--fail-on", "frames > 0", status=1)
    said("gate", "a true gate ends with 1")
    user.run("demo", "--headless")
    made = [path.name for path in user.work.glob("trtviewer-demo.*") if path.stat().st_size > 1000]
    if len(made) != 2:
        raise Failed(f"demo --headless wrote {made}")
    said("demo", f"wrote {' and '.join(sorted(made))}")
    return reference, candidate


def check_own_runtimes(user: Stranger, venv: Path, reference: Path) -> None:
    """TensorRT for RTX of a virtual environment outside is found when it is named, and not before."""
    user.run("doctor", "--json", "before.json")
    user.run("doctor", "--json", "after.json", TRTVIEWER_SITE=str(venv))
    before, after = (
        json.loads((user.work / name).read_text("utf-8")) for name in ("before.json", "after.json")
    )
    found = [name for folder in after["folders"] for name in folder["runtimes"] if not folder["refused"]]
    if not found or any(folder["runtimes"] for folder in before["folders"]):
        raise Failed(f"runtimes without TRTVIEWER_SITE: {before['folders']}, with it: {after['folders']}")
    said("TRTVIEWER_SITE", f"found {', '.join(found)}")
    if "tensorrt_rtx_bindings" in found:
        shutil.copy(reference, user.work / "own.onnx")
        shutil.copy(reference.with_suffix(".toml"), user.work / "own.toml")
        refused = user.run("build", "own.onnx", "-o", "made.engine", "--runtime", "tensorrt-rtx", status=3)
        said("build", refused.stderr.strip())
        user.run(
            "build", "own.onnx", "-o", "made.engine", "--runtime", "tensorrt-rtx", TRTVIEWER_SITE=str(venv)
        )
        size = (user.work / "made.engine").stat().st_size
        user.run("doctor", "--self-test", "sent.zip", TRTVIEWER_SITE=str(venv))
        said(
            "build",
            f"an engine of {size / 1e6:.1f} MB by the TensorRT for RTX found there; its self test passes",
        )


def check_video(user: Stranger, python: Path, models: tuple[Path, Path]) -> None:
    """An H.264 file, as a camera or a phone writes it, is read by the libraries inside."""
    subprocess.run([python, "-c", WRITE_VIDEO, user.work / "vidéo.mp4"], check=True)
    pair = ("--reference", models[0], "--candidate", models[1])
    user.run("compare", *pair, "--source", "vidéo.mp4", "--json", "video.json")
    said("video", f"{json.loads((user.work / 'video.json').read_text('utf-8'))['frames']} frames of H.264")


def check_window(user: Stranger, beside: Stranger | None, models: tuple[Path, Path], starts: int) -> None:
    """The window up to the first compared frame; and as fast as the program from source."""
    with tempfile.TemporaryDirectory() as folder, screen(Path(folder)) as (display, pixels):
        seconds = user.start_window(display, "demo")
        said("window", f"first start: a compared frame of the demo after {seconds:.2f} s")
        ours, theirs = [], []
        for _ in range(starts):
            ours.append(user.start_window(display, "demo"))
            if beside is not None:
                theirs.append(beside.start_window(display, "demo"))
        said("window", f"start to it: median {median(ours):.2f} s, best {min(ours):.2f} s of {starts}")
        if theirs:
            said("window", f"from source: median {median(theirs):.2f} s, best {min(theirs):.2f} s")
            ratios = median(ours) / median(theirs), min(ours) / min(theirs)
            said("window", "packaged by source: {:.2f} by the medians, {:.2f} by the best".format(*ratios))
        check_picture(user, display, pixels, models)


def check_picture(user: Stranger, display: str, pixels: Path, models: tuple[Path, Path]) -> None:
    """What a file manager does: the files are named, and which is what is the program's business."""
    view = ("view", *reversed(models), "--source", SCENE)
    environment = {**user.environment, "DISPLAY": display}
    process = subprocess.Popen([*user.program, *map(str, view)], env=environment, cwd=user.work)
    try:
        wait_until(lambda: colours(pixels) > 5000)
        said("window", f"{colours(pixels)} colours on the screen")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def check_desktop(user: Stranger, folder: Path) -> None:
    """The menu entry, icons and file types go into the home, and out again."""
    environment = {"HOME": str(user.home), "PATH": "/usr/bin:/bin"}
    subprocess.run(
        [folder / "desktop" / "install.sh"], env=environment, check=True, stdout=subprocess.DEVNULL
    )
    entry = user.home / ".local" / "share" / "applications" / "trtviewer.desktop"
    validator = shutil.which("desktop-file-validate")
    if validator is not None:
        told = subprocess.run([validator, entry], capture_output=True, text=True).stdout.strip()
        if told:
            raise Failed(f"the menu entry has faults:\n{told}")
    said("menu entry", "no fault" if validator else "not looked at: desktop-file-validate is not installed")
    lines = dict(line.split("=", 1) for line in entry.read_text("utf-8").splitlines() if "=" in line)
    if lines["Exec"] != f'"{folder / "trtviewer"}" view %F' or not Path(lines["TryExec"]).is_file():
        raise Failed(f"the menu entry starts {lines['Exec']}")
    validator = shutil.which("desktop-file-validate")
    if validator:
        subprocess.run([validator, entry], check=True)
    linked = subprocess.run(
        [user.home / ".local" / "bin" / "trtviewer", "--version"],
        env=user.environment,
        capture_output=True,
        check=True,
    )
    said("desktop", f"menu entry, {linked.stdout.decode().strip()} by its link")
    subprocess.run([folder / "desktop" / "install.sh", "--remove"], env=environment, check=True)
    left = [
        path for path in user.home.rglob("*trtviewer*") if path.is_file() and ".local/state" not in str(path)
    ]
    if left:
        raise Failed(f"--remove left {left}")


def bundled(user: Stranger) -> Path:
    inside = Path(user.program[0]).parent / "_internal" / "resources"
    return inside if inside.is_dir() else ROOT / "resources"


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def said(what: str, text: str) -> None:
    print(f"{what:<16}{text}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the built folder")
    parser.add_argument(
        "--archive", type=Path, help="test what is in this archive instead; the folder is only measured"
    )
    parser.add_argument(
        "--beside", type=Path, metavar="PYTHON", help="compare start times with the program from source"
    )
    parser.add_argument("--starts", type=int, default=5, help="of each, for the times")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trtviewer smöke ") as temporary:
        place = Path(temporary) / "Prüf Ordner"
        place.mkdir()
        if arguments.archive is not None:
            said("archive", f"{arguments.archive.name}: {arguments.archive.stat().st_size / 1e6:.0f} MB")
            with tarfile.open(arguments.archive) as tar:
                tar.extractall(place, filter="data")
            folder = place / "trtviewer"
        else:
            folder = Path(shutil.copytree(arguments.folder, place / "trtviewer", symlinks=True))
        size = sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_symlink())
        said("folder", f"{size / 1e6:.0f} MB, {sum(1 for path in folder.rglob('*') if path.is_file())} files")
        user = Stranger(Path(temporary) / "user", [str(folder / "trtviewer")])
        beside = None
        if arguments.beside is not None:
            beside = Stranger(
                Path(temporary) / "source", [str(arguments.beside.absolute()), "-m", "trtviewer"]
            )
        try:
            models = check_commands(user)
            if arguments.beside is not None:
                check_own_runtimes(user, arguments.beside.absolute().parent.parent, models[0])
                check_video(user, arguments.beside, models)
            check_desktop(user, folder)
            check_window(user, beside, models, arguments.starts)
        except Failed as failure:
            print(f"FAILED: {failure}", file=sys.stderr)
            return 1
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
