"""Both sides of one frame, and what each changed setting computes again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.cell_error import cell_errors
from trtviewer.compare.error_meter import ErrorMeter
from trtviewer.compare.kept import KeptFrame
from trtviewer.compare.matching import Matching, match
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.suppression import candidate_detections, reference_detections
from trtviewer.compare.tensor_error import FrameErrors, mean_mse, output_mse
from trtviewer.detect.boxes import CandidateBoxes, Detections
from trtviewer.detect.families import ScaleMap, canonical, channels_of, decode, scale_maps
from trtviewer.errors import ShapeMismatch
from trtviewer.models.correspond import Correspondence
from trtviewer.models.spec import ModelSpec
from trtviewer.preprocess import Placement
from trtviewer.runners.runner import RunnerInfo, RunResult, RunTimes
from trtviewer.sources.frame import Frame


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """What one model made of a frame.

    Attributes:
        heads: output name to array, as the runner gave them.
        boxes: decoded once, above the score floor.
        detections: what the settings leave of them.
        times: None of a recording.
    """

    spec: ModelSpec
    heads: Mapping[str, NDArray[np.float32]]
    boxes: CandidateBoxes
    detections: Detections
    times: RunTimes | None
    info: RunnerInfo

    @property
    def latency_ms(self) -> float | None:
        """All of the run with its copies; None of a recording."""
        return None if self.times is None else self.times.total_ms


@dataclass(frozen=True, eq=False, slots=True)
class FrameComparison:
    """One frame, what both models made of it, and how that differs; nothing in it changes any more.

    Attributes:
        placement: where the frame lies in the models' input.
        settings: what `matching`, the detections and `errors` were made with.
        correspondence: which outputs are paired.
        errors: of the paired outputs, on this frame.
    """

    frame: Frame
    placement: Placement
    settings: CompareSettings
    correspondence: Correspondence
    reference: Side
    candidate: Side
    matching: Matching
    errors: FrameErrors

    @property
    def missed(self) -> int:
        """Detections that only the reference has."""
        return len(self.matching.missed)

    @property
    def extra(self) -> int:
        """Detections that only the candidate has."""
        return len(self.matching.extra)

    @property
    def mse(self) -> float | None:
        """The mean over the paired outputs of their MSE on this frame; None where none has one."""
        return mean_mse(self.errors)

    def paired_maps(self) -> tuple[tuple[ScaleMap, ScaleMap], ...]:
        """The maps of the paired outputs, reference and candidate."""
        return paired_maps(
            self.correspondence,
            (self.reference.spec, self.reference.heads),
            (self.candidate.spec, self.candidate.heads),
        )

    def with_settings(self, settings: CompareSettings, meter: ErrorMeter | None = None) -> FrameComparison:
        """The same frame at other settings: never inference, never decoding, and only what depends on what changed.

        Args: meter: of whoever asks again and again; else one is made where epsilon changed.
        """
        old = self.settings
        if settings == old:
            return self
        reference, candidate, matching, errors = self.reference, self.candidate, self.matching, self.errors
        boxes_change = (old.confidence, old.nms_iou, old.agnostic_nms) != (
            settings.confidence,
            settings.nms_iou,
            settings.agnostic_nms,
        )
        if boxes_change:
            reference = replace(reference, detections=reference_detections(reference.boxes, settings))
        if boxes_change or settings.candidate_thresholds != old.candidate_thresholds:
            boxes_change = True
            candidate = replace(candidate, detections=candidate_detections(candidate.boxes, settings))
        if boxes_change or settings.match_iou != old.match_iou:
            matching = match(reference.detections, candidate.detections, settings)
        if settings.epsilon != old.epsilon:
            meter = meter if meter is not None else ErrorMeter()
            errors = meter.count_over(self.paired_maps(), errors, settings.epsilon)
        return replace(
            self,
            settings=settings,
            reference=reference,
            candidate=candidate,
            matching=matching,
            errors=errors,
        )

    def kept(self) -> KeptFrame:
        """What is kept of the frame once its picture and heads are let go: enough to match it again."""
        reference = (self.reference.spec, self.reference.heads)
        candidate = (self.candidate.spec, self.candidate.heads)
        forth = dict(self.correspondence.pairs)
        back = {other: mine for mine, other in self.correspondence.pairs}
        return KeptFrame(
            frame_index=self.frame.index,
            time_s=self.frame.time_s,
            frame_size=self.frame.size,
            reference=self.reference.boxes,
            candidate=self.candidate.boxes,
            error_mse=output_mse(self.errors),
            reference_cell_error=cell_errors(self.reference.boxes, reference, candidate, forth),
            candidate_cell_error=cell_errors(self.candidate.boxes, candidate, reference, back),
        )


def compare_frame(
    frame: Frame,
    placement: Placement,
    settings: CompareSettings,
    correspondence: Correspondence,
    reference: tuple[ModelSpec, RunnerInfo, RunResult],
    candidate: tuple[ModelSpec, RunnerInfo, RunResult],
    meter: ErrorMeter,
) -> FrameComparison:
    """Decodes both results once and compares them.

    Args: meter: kept by the caller from frame to frame, for its buffers.

    Raises:
        ShapeMismatch: a head is not what its model's spec says, or paired heads differ in shape.
    """
    ours = _side(*reference, placement, settings, reference_detections)
    theirs = _side(*candidate, placement, settings, candidate_detections)
    pairs = paired_maps(correspondence, (ours.spec, ours.heads), (theirs.spec, theirs.heads))
    return FrameComparison(
        frame=frame,
        placement=placement,
        settings=settings,
        correspondence=correspondence,
        reference=ours,
        candidate=theirs,
        matching=match(ours.detections, theirs.detections, settings),
        errors=meter.measure(pairs, settings.epsilon),
    )


def paired_maps(
    correspondence: Correspondence,
    reference: tuple[ModelSpec, Mapping[str, NDArray[np.float32]]],
    candidate: tuple[ModelSpec, Mapping[str, NDArray[np.float32]]],
) -> tuple[tuple[ScaleMap, ScaleMap], ...]:
    """The maps of the paired outputs, scale by scale, in the order of the reference's.

    Raises:
        ShapeMismatch: paired outputs do not hold the same channels.
    """
    if not correspondence.pairs:
        return ()
    ours, theirs = (scale_maps(*side) for side in (reference, candidate))
    pairs: list[tuple[ScaleMap, ScaleMap]] = []
    for mine, other in correspondence.pairs:
        of_reference = [scale_map for scale_map in ours if scale_map.output == mine]
        of_candidate = [scale_map for scale_map in theirs if scale_map.output == other]
        shapes = [[scale_map.values.shape for scale_map in side] for side in (of_reference, of_candidate)]
        if shapes[0] == shapes[1]:
            pairs += zip(of_reference, of_candidate, strict=True)
        else:
            pairs.append(
                (_whole(*reference, mine, reference[0], mine), _whole(*candidate, other, reference[0], mine))
            )
    return tuple(pairs)


def _whole(
    spec: ModelSpec, heads: Mapping[str, NDArray[np.float32]], output: str, named_by: ModelSpec, name: str
) -> ScaleMap:
    """One output as a single map with no grid: for a side that does not know its grid (recorded outputs)."""
    values = canonical(spec, output, heads[output])
    channels = channels_of(named_by, name)
    if len(values) != len(channels):
        raise ShapeMismatch(
            f"has {len(values)} channels in {spec.path}, {len(channels)} in {named_by.path}", subject=name
        )
    return ScaleMap(name, name, named_by.head(name).stride, values.reshape(len(values), 1, -1), channels)


def _side(
    spec: ModelSpec,
    info: RunnerInfo,
    result: RunResult,
    placement: Placement,
    settings: CompareSettings,
    found: Callable[[CandidateBoxes, CompareSettings], Detections],
) -> Side:
    boxes = decode(spec, result.heads, placement)
    return Side(spec, result.heads, boxes, found(boxes, settings), result.times, info)
