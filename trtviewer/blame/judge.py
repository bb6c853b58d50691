"""Judges what a changed network makes of frames whose reference is known: it was run once and is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.error_meter import ErrorMeter
from trtviewer.compare.frame_comparison import FrameComparison, compare_frame
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import Totals
from trtviewer.models.correspond import correspond
from trtviewer.models.spec import ModelSpec
from trtviewer.preprocess import Placement
from trtviewer.runners.heads import as_heads
from trtviewer.runners.runner import RunnerInfo, RunResult, RunTimes
from trtviewer.sources.frame import Frame

_TIMES = RunTimes(0.0, 0.0, 0.0)
_INFO = RunnerInfo("ONNX Runtime CPU", "unknown", True)


@dataclass(frozen=True, eq=False, slots=True)
class KeptReference:
    """What the reference made of a frame.

    Attributes:
        frame: with no picture behind it: of its pixels only their number is known.
        placement: where it lies in the input.
        result: its heads.
    """

    frame: Frame
    placement: Placement
    result: RunResult


class Judge:
    """Compares heads of networks that are the reference's own, with some layers changed, with the reference's.

    One thread uses it.

    Args:
        reference: decodes both sides: the changed networks have its outputs.
    """

    def __init__(self, reference: ModelSpec, settings: CompareSettings) -> None:
        self._spec = reference
        self._settings = settings
        self._correspondence = correspond(reference, reference)
        self._meter = ErrorMeter()

    def totals(self) -> Totals:
        """Empty figures, for what `compare` gives."""
        return Totals(self._settings, self._spec)

    def keep(
        self, frame: Frame, placement: Placement, heads: Mapping[str, NDArray[np.float32]]
    ) -> KeptReference:
        """Keeps what the reference made of a frame, and lets its picture go."""
        return KeptReference(frame.without_picture(), placement, RunResult(as_heads(dict(heads)), _TIMES))

    def compare(self, reference: KeptReference, heads: Mapping[str, NDArray[np.float32]]) -> FrameComparison:
        """The frame, with the heads of a changed network as the candidate's."""
        return compare_frame(
            reference.frame,
            reference.placement,
            self._settings,
            self._correspondence,
            (self._spec, _INFO, reference.result),
            (self._spec, _INFO, RunResult(as_heads(dict(heads)), _TIMES)),
            self._meter,
        )
