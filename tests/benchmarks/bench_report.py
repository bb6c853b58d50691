"""What a report costs beyond the comparison: seconds, bytes and memory, for 500, 2,000 and 20,000 frames with truth.

    python -m tests.benchmarks.bench_report [--frames 500 2000 20000]

Wanted of 2,000: at most 5 MB, built in at most 2 s, and memory that stays as it is however many frames there are.

The comparisons are 60 real ones of the bundled demo, given again and again as later frames: the same work for the report,
without an hour of inference.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from trtviewer.bundled_demo import bundled_demo
from trtviewer.compare.findings import Findings
from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import Totals
from trtviewer.compare.truth_files import own_labels
from trtviewer.models.load import load_spec
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.pair import open_pair
from trtviewer.report.compare_json import ReportModel, ReportSource
from trtviewer.report.findings_report import findings_report
from trtviewer.report.html import write_html
from trtviewer.report.page_evidence import evidence_of
from trtviewer.report.provenance import versions
from trtviewer.report.worst_frames import WorstFrames
from trtviewer.report.worst_pictures import WorstPicture, picture_of
from trtviewer.sources.address import open_source
from trtviewer.sources.source import FrameRange

REAL = 60


def repeated(real: list[FrameComparison], count: int) -> Iterator[FrameComparison]:
    for index in range(count):
        one = real[index % len(real)]
        yield replace(one, frame=replace(one.frame, index=index, time_s=index / 30))


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[500, 2_000, 20_000])
    arguments = parser.parse_args()
    demo = bundled_demo()
    reference, candidate = load_spec(demo.reference), load_spec(demo.candidates[0])
    settings = CompareSettings()
    with ExitStack() as stack:
        source = stack.enter_context(open_source(demo.source))
        labels = own_labels(source, reference.classes)
        assert labels is not None
        stack.enter_context(labels)
        pair = stack.enter_context(open_pair(reference, candidate))
        begin = time.perf_counter()
        real = list(comparisons(source, FrameRange(every=15, count=REAL), pair, settings))
        each_ms = 1e3 * (time.perf_counter() - begin) / REAL
        truths = [labels.objects(one.frame) for one in real]
        models = [ReportModel(side.spec, side.info) for side in (pair.reference, pair.candidate)]

        class Known:
            """The truth of the sixty, so that drawing the scene again is not measured."""

            path, kind, left_out, classes = labels.path, labels.kind, labels.left_out, labels.classes

            def objects(self, frame):  # type: ignore[no-untyped-def]
                return truths[frame.index % REAL]

        print(f"comparing itself: {each_ms:.1f} ms a frame")
        for count in arguments.frames:
            plain = Totals(settings, reference)
            begin = time.perf_counter()
            for one in repeated(real, count):
                plain.update(one)
            base_s = time.perf_counter() - begin
            parts_s = [0.0, 0.0]
            findings = Findings(settings, reference, True, Known())  # type: ignore[arg-type]
            pictures = WorstFrames[WorstPicture](True)
            resident = []
            for index, one in enumerate(repeated(real, count)):
                if index % 500 == 499:
                    resident.append(resident_bytes() / 1e6)
                begin = time.perf_counter()
                truth = findings.update(one)
                middle = time.perf_counter()
                pictures.update(one, lambda: picture_of(one, truth))  # noqa: B023
                parts_s[0] += middle - begin
                parts_s[1] += time.perf_counter() - middle
            begin = time.perf_counter()
            report = findings_report(
                findings, *models, ReportSource(source.address, source.size, source.rate), pair.correspondence
            )
            figures_s = time.perf_counter() - begin
            names = [output["name"] for output in report["outputs"]]
            with TemporaryDirectory() as folder:
                page = Path(folder) / "report.html"
                begin = time.perf_counter()
                write_html(page, report, evidence_of(findings, pictures.kept, names, [], versions(), {}))
                page_s = time.perf_counter() - begin
                size = page.stat().st_size
            print(
                f"{count:5,} frames: totals alone {1e3 * base_s / count:.2f} ms a frame; with truth, tracks and intervals "
                f"{1e3 * parts_s[0] / count:.2f}; pictures {1e3 * parts_s[1] / count:.2f}; figures {figures_s:.2f} s; "
                f"page {page_s:.2f} s, {size / 1e6:.2f} MB; memory {resident[0]:.0f} MB at 500, at most {max(resident):.0f} later, "
                f"{resident_bytes() / 1e6:.0f} after the report"
            )


if __name__ == "__main__":
    main()
