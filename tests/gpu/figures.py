"""The figures of tests/gpu/README.md, measured side by side in one run: `python -m tests.gpu.figures`.

Reference and candidate are yolov4-tiny in FP32 and its fake-quant INT8 twin. "TensorRT" is the strict stand-in of tests/gpu/double, which runs
ONNX Runtime CUDA inside: its speeds are those of ONNX Runtime behind the TensorRT runner's own code, and say nothing of TensorRT.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import onnxruntime as ort

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "double"))

from tests.gpu.video import LoopedVideo, frames_of  # noqa: E402
from tests.gpu.yolov3 import write_yolov3  # noqa: E402
from tests.int8_twin import make_int8_twin  # noqa: E402
from trtviewer.build.engine import build_engine  # noqa: E402
from trtviewer.build.request import BuildRequest  # noqa: E402
from trtviewer.compare.error_meter import ErrorMeter  # noqa: E402
from trtviewer.compare.frame_comparison import compare_frame  # noqa: E402
from trtviewer.compare.settings import CompareSettings  # noqa: E402
from trtviewer.models.load import load_spec  # noqa: E402
from trtviewer.models.spec import ModelSpec  # noqa: E402
from trtviewer.pipeline.bench import bench_pair  # noqa: E402
from trtviewer.pipeline.feed import Listed, PairFeed  # noqa: E402
from trtviewer.pipeline.pair import open_pair  # noqa: E402
from trtviewer.preprocess import Preprocessor  # noqa: E402
from trtviewer.runners.cuda import Device, DeviceSession  # noqa: E402
from trtviewer.runners.gpu_input import GpuInput  # noqa: E402
from trtviewer.runners.ort import cpu_session_options  # noqa: E402
from trtviewer.runners.ort_cuda import OrtCudaRunner  # noqa: E402

DATA = HERE.parents[2] / "shared" / "data"
ROUNDS = 1500
Specs = tuple[ModelSpec, ModelSpec]


def models(folder: Path) -> Specs:
    for name in ("yolov4-tiny.onnx", "yolov4-tiny.toml", "coco.names"):
        (folder / name).write_bytes((DATA / name).read_bytes())
    spec = load_spec(folder / "yolov4-tiny.onnx")
    prepare = Preprocessor(spec.input).prepare
    tensors = [prepare(frame).tensor for frame in frames_of(DATA / "street.avi", range(0, 80, 20))]
    twin = make_int8_twin(spec.path, folder / "int8.onnx", tensors)
    (folder / "int8.toml").write_bytes((DATA / "yolov4-tiny.toml").read_bytes())
    return spec, load_spec(twin)


def engines(specs: Specs) -> Specs:
    made = []
    for spec in specs:
        out = spec.path.with_name(f"{spec.path.stem}-built.engine")
        build_engine(spec, out, BuildRequest(spec.path))
        made.append(load_spec(out))
    return made[0], made[1]


def bare_loop(specs: Specs, rounds: int, *, wait_each: bool) -> float:
    """Frames a second of two bare sessions, each on its stream and its thread, on one ready input; outputs stay on the GPU.

    wait_each: whether each frame is waited for, as whoever wants its outputs must; else only the last one is.
    """
    ort.preload_dlls()
    begin = threading.Barrier(3)
    with DeviceSession("bare") as session:
        device = session.device
        with device.current():
            tensor = session.buffer(3 * 416 * 416 * 4)
            zeros = session.pinned((3 * 416 * 416,), np.float32)
            zeros.array[:] = np.random.default_rng(0).random(zeros.array.shape, np.float32)
            stream = session.stream()
            session.upload(zeros.array, tensor.address, stream)
            stream.synchronize()

        def loop(spec: ModelSpec) -> None:
            with DeviceSession("bare") as own, own.device.current():
                stream = own.stream()
                provider = {"user_compute_stream": str(stream.handle), "use_tf32": "0"}
                options = cpu_session_options(quantized="int8" in spec.path.name)
                bare = ort.InferenceSession(
                    str(spec.path), options, providers=[("CUDAExecutionProvider", provider)]
                )
                binding = bare.io_binding()
                binding.bind_input(spec.input.name, "cuda", 0, np.float32, [1, 3, 416, 416], tensor.address)
                for head in spec.heads:
                    buffer = own.buffer(int(np.prod(head.shape)) * 4)
                    binding.bind_output(head.output, "cuda", 0, np.float32, list(head.shape), buffer.address)
                run = ort.RunOptions()
                run.add_run_config_entry("disable_synchronize_execution_providers", "1")
                for _ in range(50):
                    bare.run_with_iobinding(binding, run)
                stream.synchronize()
                begin.wait()
                for _ in range(rounds):
                    bare.run_with_iobinding(binding, run)
                    if wait_each:
                        stream.synchronize()
                stream.synchronize()
                begin.wait()
                del binding, bare

        threads = [threading.Thread(target=loop, args=(spec,)) for spec in specs]
        for thread in threads:
            thread.start()
        begin.wait()
        start = time.perf_counter()
        begin.wait()
        elapsed = time.perf_counter() - start
        for thread in threads:
            thread.join()
    return rounds / elapsed


def gpu_part(
    specs: Specs, pictures: list[np.ndarray], rounds: int, each: Callable[[int], None] = lambda done: None
) -> float:
    """Frames a second of upload from pinned memory, kernel, both inferences and the download of all heads into arrays of their own."""
    with open_pair(*specs) as pair, GpuInput(pair.input_spec, 4) as maker:
        waiting: deque[tuple[Future, Future]] = deque()

        def ask(index: int) -> None:
            tensor, _ = maker.prepare(pictures[index % len(pictures)], index % 4)
            waiting.append((pair.reference.submit(tensor, index), pair.candidate.submit(tensor, index)))

        def take() -> None:
            for answer in waiting.popleft():
                answer.result()

        for index in range(60):
            ask(index)
            if len(waiting) == 4:
                take()
        while waiting:
            take()
        start = time.perf_counter()
        for index in range(rounds):
            if len(waiting) == 4:
                take()
            ask(index)
            each(index)
        while waiting:
            take()
        return rounds / (time.perf_counter() - start)


def overlap(spec: ModelSpec, pictures: list[np.ndarray], rounds: int = 300) -> tuple[float, float]:
    """By events: the share of the download's time, and of the upload's and kernel's, during which the network was computing."""
    with OrtCudaRunner(spec) as runner, GpuInput(spec.input, 4) as maker:
        session = runner.session
        base = session.event().record(runner.compute)
        spans: dict[str, list[tuple[float, float]]] = {"compute": [], "download": [], "upload": []}
        pending: deque = deque()

        def take() -> None:
            run, slot = pending.popleft()
            runner.finish(run)
            with session.device.current():
                own = maker._slots[slot]
                begun, ready = base.ms_until(own.begun), base.ms_until(own.ready)
            marks = [base.ms_until(event) for event in (run.slot.fed, run.slot.computed, run.slot.copied)]
            spans["upload"].append((begun, ready))
            spans["compute"].append((marks[0], marks[1]))
            spans["download"].append((marks[1], marks[2]))

        for index in range(rounds):
            tensor, _ = maker.prepare(pictures[index % len(pictures)], index % 4)
            pending.append((runner.begin(tensor, index), index % 4))
            if len(pending) == 2:
                take()
        while pending:
            take()
    return covered(spans["download"], spans["compute"]), covered(spans["upload"], spans["compute"])


def covered(inner: list[tuple[float, float]], outer: list[tuple[float, float]]) -> float:
    total = sum(end - begin for begin, end in inner)
    both = sum(max(0.0, min(end, stop) - max(begin, start)) for begin, end in inner for start, stop in outer)
    return both / total


def whole_pipeline(specs: Specs, count: int) -> None:
    with LoopedVideo(DATA / "street.avi", count) as source, open_pair(*specs) as pair:
        decode, prepare, infer, compare = [], [], [], []
        settings, meter = CompareSettings(), ErrorMeter()
        with PairFeed(
            source, Listed(iter(range(count))), pair.reference, pair.candidate, pair.input_spec
        ) as feed:
            start = time.perf_counter()
            for run in feed:
                begin = time.perf_counter()
                sides = (pair.reference, run.reference), (pair.candidate, run.candidate)
                asked = [(side.spec, side.info, result) for side, result in sides]
                compare_frame(run.frame, run.placement, settings, pair.correspondence, *asked, meter)
                compare.append(1e3 * (time.perf_counter() - begin))
                decode.append(run.decode_ms)
                prepare.append(run.preprocess_ms)
                infer.append(max(run.reference.times.total_ms, run.candidate.times.total_ms))
            elapsed = time.perf_counter() - start
    stages = {
        "decode": decode,
        "preprocess (host's part)": prepare,
        "both networks": infer,
        "comparison": compare,
    }
    means = {name: float(np.median(values)) for name, values in stages.items()}
    limit = max(means, key=lambda name: means[name])
    shown = ", ".join(f"{name} {value:.2f}" for name, value in means.items())
    print(
        f"  whole pipeline with decoding and comparison: {count / elapsed:.0f} frames/s; medians in ms: {shown}; limited by: {limit}"
    )


def bench(title: str, specs: Specs, seconds: float = 3.0) -> None:
    result = bench_pair(*specs, seconds=seconds)
    for name, side in (("reference", result.reference), ("candidate", result.candidate)):
        print(
            f"  {title} {name}: alone {side.alone.median_ms:.2f} ms, beside the other {side.together.median_ms:.2f} ms ({side.info.precision})"
        )
    print(f"  {title} both at once: {result.pairs_per_second:.0f} pairs/s")


def memory_mib() -> tuple[float, float]:
    """Resident memory of this process, and what is taken of the GPU's."""
    device = Device.get()
    with device.current():
        free, total = device.memory()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20, (total - free) / 2**20


def flat(specs: Specs, pictures: list[np.ndarray], rounds: int) -> None:
    marks: dict[int, tuple[float, float]] = {}

    def each(done: int) -> None:
        if done in (500, rounds // 2, rounds - 1):
            marks[done] = memory_mib()

    rate = gpu_part(specs, pictures, rounds, each)
    shown = "; ".join(
        f"after {done}: host {host:.1f} MiB, GPU {gpu:.1f} MiB" for done, (host, gpu) in marks.items()
    )
    print(f"  {rounds} frames through the TensorRT runner, {rate:.0f} frames/s: {shown}")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for variable in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            os.environ[variable] = str(folder / variable)
        device = Device.get()
        print(f"{device.gpu.name}, ONNX Runtime {ort.__version__}, Python {sys.version.split()[0]}")
        specs = models(folder)
        built = engines(specs)
        pictures = frames_of(DATA / "street.avi", range(0, 100, 5))
        rates: dict[str, list[float]] = {}
        for _ in range(3):
            for title, measure in (
                ("bare, each frame waited for", lambda: bare_loop(specs, ROUNDS, wait_each=True)),
                ("GPU part, ONNX Runtime CUDA", lambda: gpu_part(specs, pictures, ROUNDS)),
                ("bare, only the last waited for", lambda: bare_loop(specs, ROUNDS, wait_each=False)),
                ("GPU part, TensorRT runner on the double", lambda: gpu_part(built, pictures, ROUNDS)),
            ):
                rates.setdefault(title, []).append(measure())
        for title, found in rates.items():
            print(
                f"  {title}: {np.median(found):.0f} frames/s ({', '.join(f'{rate:.0f}' for rate in found)})"
            )
        for bare in ("bare, each frame waited for", "bare, only the last waited for"):
            for ours in ("GPU part, ONNX Runtime CUDA", "GPU part, TensorRT runner on the double"):
                print(f"  {ours} / {bare}: {np.median(rates[ours]) / np.median(rates[bare]):.3f}")
        down, up = overlap(specs[0], pictures)
        print(
            f"  of the download's time {down:.0%}, of upload and kernel's {up:.0%} lie within a computation (events)"
        )
        bench("ONNX Runtime CUDA", specs)
        bench("double", built)
        whole_pipeline(specs, 1500)
        flat(built, pictures, 10_000)
        large = load_spec(write_yolov3(folder / "yolov3.onnx"))
        print("YOLOv3 416 x 416, random weights, FP32 without TF32, twice:")
        bench("ONNX Runtime CUDA", (large, large))
        whole_pipeline((large, large), 300)


if __name__ == "__main__":
    main()
