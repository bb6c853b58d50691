"""Every frame of a range through both models, none dropped: for figures, not for watching."""

from __future__ import annotations

from collections.abc import Callable, Generator

from trtviewer.compare.error_meter import ErrorMeter
from trtviewer.compare.frame_comparison import FrameComparison, compare_frame
from trtviewer.compare.settings import CompareSettings
from trtviewer.pipeline.feed import Listed, PairFeed
from trtviewer.pipeline.pair import Pair, require_frames
from trtviewer.sources.source import FrameRange, Source


def comparisons(
    source: Source,
    frames: FrameRange,
    pair: Pair,
    settings: CompareSettings,
    cancelled: Callable[[], bool] = lambda: False,
) -> Generator[FrameComparison, None, None]:
    """Compares the frames one after the other, while the next are being decoded and run.

    Closing the iterator, or an error, stops and joins the threads behind it.

    Args:
        cancelled: looked at between frames, and while one is waited for; the comparisons simply end.

    Raises:
        BadInput: a frame cannot be read, a model fails on it, or a recording is of another number of frames.
    """
    require_frames(source, pair)
    meter = ErrorMeter()
    schedule = Listed(frames.indices(source.length))
    sides = pair.reference, pair.candidate
    with PairFeed(source, schedule, *sides, pair.input_spec, cancelled=cancelled) as feed:
        for run in feed:
            if cancelled():
                return
            yield compare_frame(
                run.frame,
                run.placement,
                settings,
                pair.correspondence,
                (pair.reference.spec, pair.reference.info, run.reference),
                (pair.candidate.spec, pair.candidate.info, run.candidate),
                meter,
            )
