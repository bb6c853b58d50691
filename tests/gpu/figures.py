"""The figures of tests/gpu/README.md, measured side by side in one run: `python -m tests.gpu.figures`.

Reference and candidate are yolov4-tiny in FP32 and its fake-quant INT8 twin. "TensorRT" is the strict stand-in of tests/gpu/double, which runs
ONNX Runtime CUDA inside: its speeds are those of ONNX Runtime behind the TensorRT runner's own code, and say nothing of TensorRT.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import onnxruntime as ort

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "double"))

from tests.gpu.endings import BUILD, CAPTURE, INFERENCE, ended  # noqa: E402
from tests.gpu.timeline import Stills, Timeline, covered, union  # noqa: E402
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
from trtviewer.pipeline.worker import RunnerThread  # noqa: E402
from trtviewer.preprocess import Preprocessor  # noqa: E402
from trtviewer.runners.cuda import Device, DeviceSession  # noqa: E402
from trtviewer.runners.gpu_input import GpuInput  # noqa: E402
from trtviewer.runners.ort import cpu_session_options  # noqa: E402
from trtviewer.runners.ort_cuda import OrtCudaRunner  # noqa: E402

DATA = HERE.parents[2] / "shared" / "data"
ROUNDS, TURNS, WINDOW = 600, 7, 100
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


class BareSession:
    """One session on its stream, with nothing of the program's around it: its outputs stay on the GPU."""

    def __init__(self, spec: ModelSpec, input_address: int) -> None:
        self._own = DeviceSession("bare").__enter__()
        with self._own.device.current():
            self._stream = self._own.stream()
            provider = {"user_compute_stream": str(self._stream.handle), "use_tf32": "0"}
            options = cpu_session_options(quantized="int8" in spec.path.name)
            self._session = ort.InferenceSession(
                str(spec.path), options, providers=[("CUDAExecutionProvider", provider)]
            )
            self._binding = self._session.io_binding()
            shape = [1, 3, *spec.input.size]
            self._binding.bind_input(spec.input.name, "cuda", 0, np.float32, shape, input_address)
            for head in spec.heads:
                address = self._own.buffer(int(np.prod(head.shape)) * 4).address
                self._binding.bind_output(head.output, "cuda", 0, np.float32, list(head.shape), address)
        self._options = ort.RunOptions()
        self._options.add_run_config_entry("disable_synchronize_execution_providers", "1")
        self.loop(50, wait_each=False)

    def loop(self, rounds: int, *, wait_each: bool) -> None:
        with self._own.device.current():
            for _ in range(rounds):
                self._session.run_with_iobinding(self._binding, self._options)
                if wait_each:
                    self._stream.synchronize()
            self._stream.synchronize()

    def close(self) -> None:
        del self._binding, self._session
        self._own.__exit__(None, None, None)


@contextmanager
def bare_loop(specs: Specs) -> Iterator[Callable[[int, bool], float]]:
    """Gives (rounds, wait_each) -> frames a second of two bare sessions, each on its stream and its thread, on one ready input.

    wait_each: whether each frame is waited for, as whoever wants its outputs must; else only the last one is.
    """
    ort.preload_dlls()
    with ExitStack() as stack:
        session = stack.enter_context(DeviceSession("bare"))
        with session.device.current():
            count = 3 * int(np.prod(specs[0].input.size))
            tensor, noise = session.buffer(4 * count), session.pinned((count,), np.float32)
            noise.array[:] = np.random.default_rng(0).random(count, np.float32)
            stream = session.stream()
            session.upload(noise.array, tensor.address, stream)
            stream.synchronize()
        threads = [stack.enter_context(ThreadPoolExecutor(1)) for _ in specs]
        pairs = list(zip(threads, specs, strict=True))
        sessions = [thread.submit(BareSession, spec, tensor.address).result() for thread, spec in pairs]

        def rate(rounds: int, wait_each: bool) -> float:
            start = time.perf_counter()
            running = [
                thread.submit(own.loop, rounds, wait_each=wait_each)
                for thread, own in zip(threads, sessions, strict=True)
            ]
            for one in running:
                one.result()
            return rounds / (time.perf_counter() - start)

        yield rate
        for thread, own in zip(threads, sessions, strict=True):
            thread.submit(own.close).result()


@contextmanager
def gpu_part(specs: Specs, pictures: list[np.ndarray]) -> Iterator[Callable[..., float]]:
    """Gives (rounds, each) -> frames a second of the program's way: upload, kernel, both inferences, all heads in arrays of their own."""
    with open_pair(*specs) as pair, GpuInput(pair.input_spec, 4) as maker:
        waiting: deque[tuple[Future, Future]] = deque()

        def ask(index: int) -> None:
            tensor, _ = maker.prepare(pictures[index % len(pictures)], index % 4)
            waiting.append((pair.reference.submit(tensor, index), pair.candidate.submit(tensor, index)))

        def take() -> None:
            for answer in waiting.popleft():
                answer.result()

        def rate(rounds: int, each: Callable[[int], None] = lambda done: None) -> float:
            start = time.perf_counter()
            for index in range(rounds):
                if len(waiting) == 4:
                    take()
                ask(index)
                each(index)
            while waiting:
                take()
            return rounds / (time.perf_counter() - start)

        rate(60)
        yield rate


def throughput(specs: Specs, built: Specs, pictures: list[np.ndarray]) -> None:
    """All of them stay open, and are measured in turn; a ratio is the median of the turns' ratios, each of two neighbours in time."""
    ours = ("GPU part, ONNX Runtime CUDA", "GPU part, TensorRT runner on the double")
    bare = ("bare, each frame waited for", "bare, only the last waited for")
    rates: dict[str, list[float]] = {title: [] for title in (*bare, *ours)}
    with (
        bare_loop(specs) as loop,
        gpu_part(specs, pictures) as with_ort,
        gpu_part(built, pictures) as with_trt,
    ):
        for _ in range(TURNS):
            rates[ours[0]].append(with_ort(ROUNDS))
            rates[bare[0]].append(loop(ROUNDS, True))
            rates[ours[1]].append(with_trt(ROUNDS))
            rates[bare[1]].append(loop(ROUNDS, False))
    for title, found in rates.items():
        print(f"  {title}: {np.median(found):.0f} frames/s ({min(found):.0f} to {max(found):.0f})")
    for ours_title in ours:
        for bare_title in bare:
            ratios = np.divide(rates[ours_title], rates[bare_title])
            print(
                f"  {ours_title} / {bare_title}: {np.median(ratios):.3f} ({ratios.min():.3f} to {ratios.max():.3f})"
            )


def overlap(title: str, specs: Specs, pictures: list[np.ndarray], count: int) -> None:
    """By events of the program's own feed: which share of the copies' time lies within a computation of either network."""
    runners = [OrtCudaRunner(spec) for spec in specs]
    with ExitStack() as stack:
        seen = stack.enter_context(Timeline())
        sides = [stack.enter_context(RunnerThread(runner, "side")) for runner in runners]
        feed = PairFeed(Stills(pictures, count), Listed(iter(range(count))), *sides, specs[0].input)
        seen.watch("reference", runners[0], feed._inputs)
        seen.watch("candidate", runners[1])
        with feed:
            for _ in feed:
                pass
    # The beginning warms up, and the end has nothing to overlap.
    windows = [slice(begin, begin + WINDOW) for begin in range(WINDOW, count - WINDOW, WINDOW)]
    busy = [seen.compute["reference"][window] + seen.compute["candidate"][window] for window in windows]
    spans = {
        "upload and kernel": [seen.upload[window] for window in windows],
        "download": [
            seen.download["reference"][window] + seen.download["candidate"][window] for window in windows
        ],
    }
    around = union(seen.compute["reference"] + seen.compute["candidate"])
    for what, found in spans.items():
        shares = [covered(window, around) for window in found]
        print(
            f"  {title}: of the time of {what} {np.median(shares):.1%} lies within a computation"
            f" (medians of {WINDOW} frames: {min(shares):.1%} to {max(shares):.1%})"
        )
    idle = [
        1 - sum(e - b for b, e in union(window)) / (max(e for _, e in window) - min(b for b, _ in window))
        for window in busy
    ]
    print(f"  {title}: of the time {np.median(idle):.1%} lies in no computation")


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

    with gpu_part(specs, pictures) as measured:
        rate = measured(rounds, each)
    shown = "; ".join(
        f"after {done}: host {host:.1f} MiB, GPU {gpu:.1f} MiB" for done, (host, gpu) in marks.items()
    )
    print(f"  {rounds} frames through the TensorRT runner, {rate:.0f} frames/s: {shown}")


def endings(specs: Specs, built: Specs, folder: Path) -> None:
    """Seconds from a signal in the middle of something to the end of the process."""
    programs = {
        "an inference": (INFERENCE, built[0].path, built[1].path, DATA / "street.avi"),
        "a graph capture": (CAPTURE, folder),
        "a build": (BUILD, specs[0].path, folder / "ended.engine"),
    }
    for what, (code, *arguments) in programs.items():
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            found = ended(code, *arguments, by=how)
            said = f"; it complained of {', '.join(found.complaints)}" if found.complaints else ""
            print(f"  stopped in the middle of {what} by {how.name}: ended after {found.seconds:.2f} s{said}")


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
        throughput(specs, built, pictures)
        overlap("yolov4-tiny", specs, pictures, 1200)
        bench("ONNX Runtime CUDA", specs)
        bench("double", built)
        whole_pipeline(specs, 1500)
        flat(built, pictures, 10_000)
        endings(specs, built, folder)
        large = load_spec(write_yolov3(folder / "yolov3.onnx"))
        print("YOLOv3 416 x 416, random weights, FP32 without TF32, twice:")
        overlap("YOLOv3", (large, large), pictures, 500)
        bench("ONNX Runtime CUDA", (large, large))
        whole_pipeline((large, large), 300)


if __name__ == "__main__":
    main()
