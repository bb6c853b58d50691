"""Both runners of the GPU: ONNX Runtime, and the TensorRT runner on its stand-in, against the CPU."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.build import networks
from tests.gpu.video import LoopedVideo
from tests.model_zoo import class_names, tiny_yolo_anchor, write_anchor_sidecar
from trtviewer.build.engine import build_engine
from trtviewer.build.request import BuildProgress, BuildRequest
from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.settings import CompareSettings
from trtviewer.errors import BadInput, Cancelled, MissingRuntime
from trtviewer.models.load import load_spec
from trtviewer.models.spec import ModelSpec
from trtviewer.models.trust import UntrustedPlan, trust
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.pair import make_pair, open_pair
from trtviewer.pipeline.worker import RunnerThread
from trtviewer.preprocess import Preprocessor
from trtviewer.runners.choose import open_runner
from trtviewer.runners.cuda import Device
from trtviewer.runners.engine_facts import known_facts
from trtviewer.runners.gpu_runner import IN_FLIGHT
from trtviewer.runners.ort import OrtRunner
from trtviewer.runners.ort_cuda import OrtCudaRunner
from trtviewer.runners.runner import RunResult
from trtviewer.runners.trt import TrtRunner
from trtviewer.sources.source import FrameRange

Specs = tuple[ModelSpec, ModelSpec]


def outputs(runner: object, tensors: list[np.ndarray]) -> list[RunResult]:
    with runner as entered:  # type: ignore[attr-defined]
        return [entered.run(tensor, index) for index, tensor in enumerate(tensors)]


@pytest.fixture(scope="module")
def tensors(onnx_pair: Specs, pictures: list[np.ndarray]) -> list[np.ndarray]:
    spec = onnx_pair[0].input
    assert spec is not None
    return [Preprocessor(spec).prepare(picture).tensor for picture in pictures[:6]]


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("kind", ["ONNX Runtime CUDA", "TensorRT"])
def test_that_heads_equal_the_cpus(
    side: int, kind: str, onnx_pair: Specs, engine_pair: Specs, tensors: list[np.ndarray]
) -> None:
    expected = outputs(OrtRunner(onnx_pair[side]), tensors)
    runner = OrtCudaRunner(onnx_pair[side]) if kind == "ONNX Runtime CUDA" else TrtRunner(engine_pair[side])
    found = outputs(runner, tensors)
    assert runner.info.name.startswith(kind)
    for one, other in zip(found, expected, strict=True):
        assert list(one.heads) == list(other.heads)
        for name, head in one.heads.items():
            error = np.mean((head - other.heads[name]) ** 2) / np.var(other.heads[name])
            # Convolutions in another order flip roundings of the fake-quant model: far less than INT8 itself costs (0.013 to 0.022 here).
            assert error < (1e-9 if side == 0 else 2e-3), name
            assert not head.flags.writeable
        assert min(one.times.copy_in_ms, one.times.compute_ms, one.times.copy_out_ms) > 0


def test_that_a_result_is_not_overwritten_by_the_next(engine_pair: Specs, tensors: list[np.ndarray]) -> None:
    with TrtRunner(engine_pair[0]) as runner:
        first = runner.run(tensors[0], 0)
        kept = {name: head.copy() for name, head in first.heads.items()}
        for tensor in tensors[1:]:
            runner.run(tensor, 1)
    for name, head in first.heads.items():
        np.testing.assert_array_equal(head, kept[name])


def compared(specs: Specs, video: Path, device: str, count: int = 40) -> list[FrameComparison]:
    runners = [
        RunnerThread(open_runner(spec, device=device), name) for spec, name in zip(specs, "rc", strict=True)
    ]
    with LoopedVideo(video, count) as source, runners[0] as reference, runners[1] as candidate:
        pair = make_pair(reference, candidate)
        return list(comparisons(source, FrameRange(), pair, CompareSettings()))


@pytest.fixture(scope="module")
def on_cpu(onnx_pair: Specs, real_data: Path) -> list[FrameComparison]:
    return compared(onnx_pair, real_data / "street.avi", "cpu")


@pytest.mark.parametrize("kind", ["ort", "tensorrt"])
def test_that_the_gpu_pipeline_finds_the_cpus_detections(
    kind: str, onnx_pair: Specs, engine_pair: Specs, real_data: Path, on_cpu: list[FrameComparison]
) -> None:
    """Same boxes within half a pixel, scores within 1e-3, in FP32; the input is made by the kernel and read by both."""
    specs = onnx_pair if kind == "ort" else engine_pair
    found = compared(specs, real_data / "street.avi", "cuda")
    assert len(found) == len(on_cpu)
    total = 0
    for one, other in zip(found, on_cpu, strict=True):
        assert one.frame.index == other.frame.index
        ours, theirs = one.reference.detections, other.reference.detections
        for a, b in ((ours, theirs), (theirs, ours)):
            for box, score, kind_id in zip(a.xyxy, a.score, a.class_id, strict=True):
                near = (np.abs(b.xyxy - box).max(axis=1) < 0.5) & (b.class_id == kind_id)
                sure = np.abs(b.score[near] - score) < 1e-3
                assert sure.any() or abs(score - 0.25) < 1e-3, (one.frame.index, box, score)
        total += len(ours.score)
        assert abs(len(one.candidate.detections.score) - len(other.candidate.detections.score)) <= 2
    assert total > 100


def test_that_both_at_once_from_two_threads_give_what_each_alone_gives(
    engine_pair: Specs, tensors: list[np.ndarray]
) -> None:
    alone = [outputs(TrtRunner(spec), tensors) for spec in engine_pair]
    with open_pair(*engine_pair) as pair:
        sides = (pair.reference, pair.candidate)
        asked = [[side.submit(tensor, 0) for tensor in tensors * 10] for side in sides]
        for answers, expected in zip(asked, alone, strict=True):
            for index, answer in enumerate(answers):
                for name, head in answer.result().heads.items():
                    np.testing.assert_array_equal(head, expected[index % len(tensors)].heads[name])


def plan(model: Path, out: Path, **how: object) -> ModelSpec:
    """A trusted plan of the double with that behaviour."""
    import tensorrt

    out.write_bytes(tensorrt.plan_of(onnx.load(model), **how))
    write_anchor_sidecar(out, (8, 16, 32), class_names(3), size=(64, 64))
    trust(out)
    return load_spec(out)


def test_that_work_that_can_be_recorded_is_replayed_as_a_graph(tmp_path: Path) -> None:
    model = tiny_yolo_anchor(tmp_path / "tiny.onnx")
    spec = plan(model, tmp_path / "copy.engine", kind="copy")
    random = np.random.default_rng(0)
    with TrtRunner(spec) as runner:
        for index in range(20):
            tensor = random.random((1, 3, 64, 64), np.float32)
            heads = runner.run(tensor, index).heads
            for head in heads.values():
                np.testing.assert_array_equal(head.ravel(), tensor.ravel()[: head.size])
        assert runner.recorded_graphs == IN_FLIGHT, "one a slot"


def test_that_work_that_cannot_be_recorded_runs_all_the_same(
    engine_pair: Specs, tensors: list[np.ndarray]
) -> None:
    with TrtRunner(engine_pair[0]) as runner:
        for tensor in tensors:
            runner.run(tensor, 0)
        assert runner.recorded_graphs == 0


def test_that_open_shapes_run_through_their_profile(tmp_path: Path) -> None:
    spec = load_spec(networks.open_shaped(tmp_path / "open.onnx"))
    build_engine(spec, tmp_path / "built.engine", BuildRequest(spec.path))
    tensor = np.random.default_rng(0).random((1, 3, 64, 64), np.float32)
    expected = outputs(OrtRunner(spec), [tensor])[0].heads["y"]
    found = outputs(TrtRunner(load_spec(tmp_path / "built.engine")), [tensor])[0].heads["y"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_that_a_plan_with_host_code_of_its_own_opens_once_it_is_trusted(tmp_path: Path) -> None:
    model = tiny_yolo_anchor(tmp_path / "tiny.onnx")
    with TrtRunner(plan(model, tmp_path / "compatible.engine", host_code=True)) as runner:
        assert runner.info.name == "TensorRT 11.4.0"


def test_that_an_output_of_another_layout_is_refused(tmp_path: Path) -> None:
    spec = plan(tiny_yolo_anchor(tmp_path / "tiny.onnx"), tmp_path / "odd.engine", output_format="CHW32")
    with pytest.raises(BadInput, match="is laid out as CHW32, and only LINEAR"), TrtRunner(spec):
        pass


def test_that_layers_and_precision_are_the_inspectors(engine_pair: Specs) -> None:
    for spec, precision in zip(engine_pair, ("fp32", "int8"), strict=True):
        with TrtRunner(spec) as runner:
            assert runner.info.precision == precision
            assert len(runner.layers) > 50
            convolutions = [layer for layer in runner.layers if layer.kind == "Conv"]
            assert {layer.precision for layer in convolutions} == {precision}
            # What the Layers dock shows: told by the try in another process, and asked of no runtime again.
            assert known_facts(spec.path).facts.layers == runner.layers


def test_that_an_untrusted_plan_is_refused_and_trust_is_remembered(
    engine_pair: Specs, tmp_path: Path
) -> None:
    copy = tmp_path / "foreign.engine"
    copy.write_bytes(engine_pair[0].path.read_bytes() + b"\0")
    copy.with_suffix(".toml").write_text(engine_pair[0].path.with_suffix(".toml").read_text())
    with pytest.raises(UntrustedPlan), TrtRunner(load_spec(copy)):
        pass
    trust(copy)
    with pytest.raises(BadInput, match="cut short, or damaged"), TrtRunner(load_spec(copy)):
        pass


@pytest.mark.parametrize(
    ("says", "kind", "told"),
    [
        ("Error Code 6: expecting library version 10.9.0.34 got 10.13.3.9, please rebuild.", MissingRuntime, "was built with 10.13.3.9, and TensorRT 11.4.0 is installed here"),
        ("incompatible device, expecting compute 9.0 got compute 8.6, please rebuild", MissingRuntime, "was built for compute capability 8.6, and the GPU here is"),
        ("getPluginCreator could not find plugin: EfficientNMS_TRT version: 1", BadInput, "needs the plugin EfficientNMS_TRT"),
        ("Error Code 2: OutOfMemory (out of memory)", MissingRuntime, "needs more memory than the GPU has free"),
    ],
)  # fmt: skip
def test_that_a_refused_plan_says_why_and_the_cure(
    says: str, kind: type[Exception], told: str, tmp_path: Path
) -> None:
    spec = plan(tiny_yolo_anchor(tmp_path / "tiny.onnx"), tmp_path / "bad.engine", says=says)
    with pytest.raises(kind, match=told) as caught, TrtRunner(spec):
        pass
    assert "\n" not in str(caught.value)


def test_that_a_plan_that_crashes_takes_its_own_process_only(tmp_path: Path) -> None:
    spec = plan(tiny_yolo_anchor(tmp_path / "tiny.onnx"), tmp_path / "crash.engine", kind="crash")
    with pytest.raises(BadInput, match=r"its runtime crashed \(SIGSEGV\) while trying it"), TrtRunner(spec):
        pass


def test_that_a_sidecar_that_does_not_fit_the_engine_is_told(engine_pair: Specs, tmp_path: Path) -> None:
    engine = tmp_path / "e.engine"
    engine.write_bytes(engine_pair[0].path.read_bytes())
    text = engine_pair[0].path.with_suffix(".toml").read_text()
    for broken, told in (
        (text.replace("conv36", "conv63").replace("conv29", "conv92"), "has no output"),
        (text.replace("size = [416, 416]", "size = [320, 320]"), "was understood"),
    ):
        assert broken != text
        engine.with_suffix(".toml").write_text(broken)
        with pytest.raises(BadInput, match=told), TrtRunner(load_spec(engine)):
            pass


def test_that_the_double_refuses_what_tensorrt_would(engine_pair: Specs) -> None:
    import tensorrt

    device = Device.get()
    plan_bytes = engine_pair[0].path.read_bytes()
    with device.current():

        class Log(tensorrt.ILogger):
            def __init__(self) -> None:
                tensorrt.ILogger.__init__(self)

            def log(self, severity: object, text: str) -> None:
                return

        stream, other = device.driver.Stream(1), device.driver.Stream(1)
        memory = device.driver.mem_alloc(10_000_000)
        context = tensorrt.Runtime(Log()).deserialize_cuda_engine(plan_bytes).create_execution_context()
        wrong = tensorrt.DoubleError
        name = engine_pair[0].input.name  # type: ignore[union-attr]
        with pytest.raises(wrong, match="before the inputs' shapes"):
            context.execute_async_v3(stream.handle)
        with pytest.raises(wrong, match="does not fit"):
            context.set_input_shape(name, (1, 3, 64, 64))
        context.set_input_shape(name, (1, 3, 416, 416))
        with pytest.raises(wrong, match="without an address"):
            context.execute_async_v3(stream.handle)
        for address, told in ((0, "is null"), (int(memory) + 4, "aligned"), (2**40, "not in the GPU")):
            with pytest.raises(wrong, match=told):
                context.set_tensor_address(name, address)
        small = device.driver.mem_alloc(1000)
        with pytest.raises(wrong, match="bytes, and 1000 are"):
            context.set_tensor_address(name, int(small))
        for tensor in (name, *(head.output for head in engine_pair[0].heads)):
            context.set_tensor_address(tensor, int(memory))
        with pytest.raises(wrong, match="default stream"):
            context.execute_async_v3(0)
        assert context.execute_async_v3(stream.handle)
        with pytest.raises(wrong, match="foreign stream"):
            context.execute_async_v3(other.handle)
        told: list[Exception] = []

        def elsewhere(used: Any, handle: int) -> None:
            try:
                used.execute_async_v3(handle)
            except Exception as error:
                told.append(error)

        thread = threading.Thread(target=elsewhere, args=(context, stream.handle))
        thread.start()
        thread.join()
        assert "one thread" in str(told[0])
        device.driver.Context.synchronize()
        del context
        memory.free()
        small.free()
        del stream, other
    with pytest.raises(AttributeError):
        tensorrt.IInt8EntropyCalibrator2  # noqa: B018


def test_that_an_error_while_frames_run_ends_everything(engine_pair: Specs, real_data: Path) -> None:
    before = threading.active_count()
    for stop_after in (1, 7):
        with LoopedVideo(real_data / "street.avi", 100) as source, open_pair(*engine_pair) as pair:
            with pytest.raises(ZeroDivisionError):
                for number, _ in enumerate(comparisons(source, FrameRange(), pair, CompareSettings())):
                    if number == stop_after:
                        raise ZeroDivisionError
            assert len(list(comparisons(source, FrameRange(0, 1, 5), pair, CompareSettings()))) == 5
    assert threading.active_count() == before


@pytest.mark.parametrize("kind", ["ort", "tensorrt"])
def test_that_device_memory_comes_back_when_runners_close(
    kind: str, onnx_pair: Specs, engine_pair: Specs
) -> None:
    device = Device.get()

    def free() -> int:
        gc.collect()
        with device.current():
            return device.memory()[0]

    left = []
    for _ in range(4):
        with open_pair(*(onnx_pair if kind == "ort" else engine_pair)):
            pass
        left.append(free())
    # The first time libraries load their code; from then on nothing adds up.
    assert left[-1] >= left[1] - 2**22, left


def test_that_building_on_the_gpu_can_be_cancelled(onnx_pair: Specs, tmp_path: Path) -> None:
    told: list[BuildProgress] = []
    with pytest.raises(Cancelled):
        build_engine(
            onnx_pair[0], tmp_path / "o.engine", BuildRequest(Path()), told.append, lambda: bool(told)
        )
    assert list(tmp_path.iterdir()) == []


def test_that_info_and_compare_run_as_commands(engine_pair: Specs, tmp_path: Path) -> None:
    path = str(Path(__file__).parent / "double")
    code = f"import sys; sys.path.insert(0, {path!r}); from trtviewer.cli.main import main; sys.exit(main())"

    def program(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    report = tmp_path / "bench.json"
    engines = ("--reference", engine_pair[0].path, "--candidate", engine_pair[1].path)
    done = program("bench", *engines, "--seconds", "0.5", "--json", report)
    assert (done.returncode, done.stderr) == (0, "")
    figures = json.loads(report.read_text())
    assert figures["candidate"]["precision"] == "int8"
    assert figures["speedup"] is not None
    done = program("info", engine_pair[1].path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "int8" in done.stdout
    garbage = tmp_path / "garbage.engine"
    garbage.write_bytes(np.random.default_rng(0).bytes(10_000))
    garbage.with_suffix(".toml").write_text(engine_pair[0].path.with_suffix(".toml").read_text())
    done = program("bench", "--reference", garbage, "--candidate", garbage)
    assert done.returncode == 2
    assert "--trust" in done.stderr
    done = program("bench", "--reference", garbage, "--candidate", garbage, "--trust")
    assert done.returncode == 2
    assert "is not a TensorRT plan" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_that_the_self_test_passes(tmp_path: Path) -> None:
    from trtviewer.cli.self_test import self_test

    outcome = self_test(tmp_path / "self-test.zip")
    assert [(step.name, step.outcome) for step in outcome.steps if step.outcome == "failed"] == [], outcome
    assert any(step.name.startswith("tensorrt") and step.outcome == "passed" for step in outcome.steps)
