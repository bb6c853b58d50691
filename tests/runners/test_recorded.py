from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.model_zoo import quantized_twin, tiny_yolo_anchor
from trtviewer.cli.main import run
from trtviewer.errors import BadInput
from trtviewer.models.load import load_spec
from trtviewer.opencv import cv2
from trtviewer.preprocess import Preprocessor
from trtviewer.runners.choose import open_runner
from trtviewer.runners.recorded import RecordedFrames, read_flat

FRAMES = 5
SHAPES = {"large": (1, 24, 2, 3), "small": (1, 24, 8, 12)}


def arrays(seed: int) -> list[dict[str, NDArray[np.float32]]]:
    """Outputs of `FRAMES` frames."""
    chance = np.random.default_rng(seed)
    return [
        {name: chance.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}
        for _ in range(FRAMES)
    ]


def record_npz(folder: Path, frames: list[dict[str, NDArray[np.float32]]]) -> Path:
    folder.mkdir()
    for index, frame in enumerate(frames):
        np.savez(folder / f"frame{index + 8}.npz", **frame)
    return folder


def record_npy(folder: Path, frames: list[dict[str, NDArray[np.float32]]]) -> Path:
    for index, frame in enumerate(frames):
        for name, array in frame.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            np.save(folder / name / f"{index + 8}.npy", array)
    return folder


def record_bin_nhwc(folder: Path, frames: list[dict[str, NDArray[np.float32]]]) -> Path:
    """As TensorFlow would: raw float32, channels last."""
    text = ""
    for name, (_, channels, rows, columns) in SHAPES.items():
        text += f'[[output]]\nname = "{name}"\nshape = [1, {rows}, {columns}, {channels}]\nlayout = "nhwc"\n'
        (folder / name).mkdir(parents=True)
        for index, frame in enumerate(frames):
            np.ascontiguousarray(frame[name].transpose(0, 2, 3, 1)).tofile(folder / name / f"{index + 8}.bin")
    (folder / "outputs.toml").write_text(text)
    return folder


@pytest.mark.parametrize("record", [record_npz, record_npy])
def test_that_frames_come_back_by_the_natural_order_of_their_names(record: object, tmp_path: Path) -> None:
    frames = arrays(0)
    recording = RecordedFrames(record(tmp_path / "r", frames))  # type: ignore[operator]
    assert len(recording) == FRAMES
    for index, frame in enumerate(frames):  # 8, 9, 10: by the alphabet, 10 would be first
        for name, array in frame.items():
            np.testing.assert_array_equal(recording.read(index)[name], array)


def diff_report(reference: Path, candidate: Path, tmp_path: Path) -> dict[str, dict[str, float]]:
    out = tmp_path / "d.json"
    assert run(["diff", str(reference), str(candidate), "--json", str(out)]) == 0
    report = json.loads(out.read_text())
    assert report["frames"] == FRAMES
    return {output["name"]: output for output in report["outputs"]}


def test_that_diff_of_nchw_against_raw_nhwc_files_is_right(tmp_path: Path) -> None:
    ours, theirs = arrays(1), arrays(2)
    outputs = diff_report(record_npz(tmp_path / "a", ours), record_bin_nhwc(tmp_path / "b", theirs), tmp_path)
    for name in SHAPES:
        r = np.stack([frame[name] for frame in ours]).astype(np.float64)
        d = np.stack([frame[name] for frame in theirs]).astype(np.float64) - r
        np.testing.assert_allclose(outputs[name]["mse"], (d**2).mean(), rtol=1e-6)
        np.testing.assert_allclose(outputs[name]["mae"], np.abs(d).mean(), rtol=1e-6)
        np.testing.assert_allclose(outputs[name]["max_abs"], np.abs(d).max(), rtol=1e-6)
        np.testing.assert_allclose(outputs[name]["over_epsilon"], (np.abs(d) > 0.5).mean(), rtol=1e-6)
        sqnr = 10 * np.log10((r**2).sum() / (d**2).sum())
        np.testing.assert_allclose(outputs[name]["sqnr_db"], sqnr, rtol=1e-6)


def test_that_a_layout_that_is_not_transposed_would_be_seen(tmp_path: Path) -> None:
    frames = arrays(3)
    outputs = diff_report(
        record_npz(tmp_path / "a", frames), record_bin_nhwc(tmp_path / "b", frames), tmp_path
    )
    assert all(output["mse"] == 0 for output in outputs.values())


def test_that_single_files_need_no_spec(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(2, 1000)).astype(np.float32)
    np.save(tmp_path / "a.npy", values[0].reshape(10, 100))
    values[1].tofile(tmp_path / "b.bin")
    out = tmp_path / "d.json"
    assert run(["diff", str(tmp_path / "a.npy"), str(tmp_path / "b.bin"), "--json", str(out)]) == 0
    d = values[1].astype(np.float64) - values[0]
    np.testing.assert_allclose(json.loads(out.read_text())["outputs"][0]["mse"], (d**2).mean(), rtol=1e-6)


def test_that_inf_and_nan_are_counted_and_left_out(tmp_path: Path) -> None:
    values = np.ones((2, 100), np.float32)
    values[1, :3] = np.nan, np.inf, 2
    for name, row in zip("ab", values, strict=True):
        np.save(tmp_path / f"{name}.npy", row)
    out = tmp_path / "d.json"
    assert run(["diff", str(tmp_path / "a.npy"), str(tmp_path / "b.npy"), "--json", str(out)]) == 0
    output = json.loads(out.read_text())["outputs"][0]
    assert output["nonfinite"] == {"reference": 0, "candidate": 2}
    np.testing.assert_allclose(output["mse"], 1 / 98)


def test_that_recordings_of_both_models_compare_as_the_models_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = tiny_yolo_anchor(tmp_path / "a.onnx", seed=1)
    candidate = quantized_twin(reference, tmp_path / "b.onnx")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for index in range(FRAMES):
        noise = np.random.default_rng(index).integers(0, 256, (64, 80, 3), np.uint8)
        cv2.imwrite(str(pictures / f"{index}.png"), noise)
    for model in (reference, candidate):
        record_model(model, pictures)
    reports = []
    for suffix in ("onnx", "recorded"):
        sides = [f"{tmp_path / name}.{suffix}" for name in "ab"]
        out = tmp_path / f"{suffix}.json"
        command = ["compare", "--reference", sides[0], "--candidate", sides[1], "--source", str(pictures)]
        assert run([*command, "--json", str(out)]) == 0
        reports.append(json.loads(out.read_text()))
    for key in ("detections", "by_stride", "by_size", "outputs"):
        assert reports[0][key] == reports[1][key]
    assert reports[1]["reference"]["runner"] == "recorded"
    for side in ("reference", "candidate"):
        assert reports[0][side]["latency_ms"]["mean"] > 0
        # The time that reading a file takes is no model's.
        assert set(reports[1][side]["latency_ms"].values()) == {None}
        assert reports[1][side]["fps"] is None
    words = capsys.readouterr().out
    assert words.count("unknown, recorded;") == 2


def record_model(model: Path, pictures: Path) -> None:
    """Writes `<model>.recorded/`, with the sidecar's keys in its `outputs.toml`."""
    spec = load_spec(model)
    assert spec.input is not None
    folder = model.with_suffix(".recorded")
    folder.mkdir()
    with open_runner(spec) as runner:
        for index in range(FRAMES):
            picture = cv2.imread(str(pictures / f"{index}.png"))
            heads = runner.run(Preprocessor(spec.input).prepare(picture).tensor, index).heads
            np.savez(folder / f"{index}.npz", **heads)
    text = model.with_suffix(".toml").read_text()
    size = f"size = [{spec.input.size[0]}, {spec.input.size[1]}]"
    text = text.replace("[input]", f"[input]\n{size}") if "[input]" in text else text + f"\n[input]\n{size}\n"
    for head in spec.heads:
        text += f'\n[[output]]\nname = "{head.output}"\nshape = {list(head.shape)}\n'
    (folder / "outputs.toml").write_text(text)


def unequal(folder: Path) -> None:
    record_npy(folder, arrays(0))
    (folder / "small" / "8.npy").unlink()


def cut_archive(folder: Path) -> None:
    record_npz(folder, arrays(0))
    path = folder / "frame9.npz"
    path.write_bytes(path.read_bytes()[:100])


def lacking(folder: Path) -> None:
    record_npz(folder, arrays(0))
    np.savez(folder / "frame9.npz", large=np.zeros(SHAPES["large"], np.float32))


def cut_bin(folder: Path) -> None:
    record_bin_nhwc(folder, arrays(0))
    path = folder / "large" / "9.bin"
    path.write_bytes(path.read_bytes()[:-3])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (unequal, "unequal numbers of frames: large has 5, small has 4"),
        (cut_archive, r"frame9\.npz: is not an \.npz archive, or is cut short"),
        (lacking, r"frame9\.npz: lacks the output small"),
        (cut_bin, r"9\.bin: has \d+ bytes, which is no whole number of float32"),
    ],
)
def test_that_a_damaged_recording_is_told_by_file(make: object, says: str, tmp_path: Path) -> None:
    make(tmp_path / "r")  # type: ignore[operator]
    with pytest.raises(BadInput, match=says):
        recording = RecordedFrames(tmp_path / "r")
        for index in range(len(recording)):
            recording.read(index)


def test_that_a_file_against_a_folder_or_other_counts_is_refused(tmp_path: Path) -> None:
    folder = record_npz(tmp_path / "a", arrays(0))
    shorter = record_npz(tmp_path / "b", arrays(0)[:3])
    np.save(tmp_path / "c.npy", np.zeros(3, np.float32))
    with pytest.raises(BadInput, match="one is a folder and the other a file"):
        run(["diff", str(folder), str(tmp_path / "c.npy")])
    with pytest.raises(BadInput, match="unequal numbers of frames, 5 and 3"):
        run(["diff", str(folder), str(shorter)])


def test_that_a_file_of_no_numbers_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "text.npy", np.array(["a"]))
    with pytest.raises(BadInput, match="holds no numbers"):
        read_flat(tmp_path / "text.npy")
