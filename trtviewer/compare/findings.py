"""Everything that a comparison of a whole source is asked for, fed frame by frame: totals, their certainty, heights, tracks, truth."""

from __future__ import annotations

from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.heights import HeightTotals
from trtviewer.compare.miss_map import MissMap
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.significance import Significance
from trtviewer.compare.totals import Totals
from trtviewer.compare.tracks import TrackTotals
from trtviewer.compare.true_objects import Labels
from trtviewer.compare.truth_totals import FrameTruth, TruthTotals
from trtviewer.models.spec import ModelSpec


class Findings:
    """Accumulates the comparisons of one source, in the order of its frames.

    Args:
        settings: every frame must have been compared at these.
        reference: the model whose classes and strides the rows are of.
        neighbours_alike: the source is a video, whose neighbouring frames say nearly the same; False for pictures.
        labels: the truth of the source, where there is one; stays the caller's to close.
    """

    def __init__(
        self,
        settings: CompareSettings,
        reference: ModelSpec,
        neighbours_alike: bool,
        labels: Labels | None = None,
    ) -> None:
        self.settings = settings
        self.labels = labels
        self.totals = Totals(settings, reference)
        self.significance = Significance(neighbours_alike)
        self.heights = HeightTotals()
        self.misses = MissMap()
        self.tracks = TrackTotals(reference.classes) if neighbours_alike else None
        self.truth = TruthTotals(settings, reference.classes, labels.classes) if labels is not None else None

    def update(self, comparison: FrameComparison) -> FrameTruth | None:
        """Adds one frame. Returns: what the truth says of it, where there is one.

        Raises:
            BadInput: the labels are of another picture.
            ValueError: it was compared at other settings.
        """
        self.totals.update(comparison)
        truth = None
        if self.truth is not None and self.labels is not None:
            truth = self.truth.update(comparison, self.labels.objects(comparison.frame))
        self.significance.update(comparison, truth)
        found, matching = comparison.reference.detections, comparison.matching
        self.heights.update(found, matching)
        self.misses.update(comparison.frame.size, found, comparison.candidate.detections, matching)
        if self.tracks is not None:
            self.tracks.update(comparison.frame.index, comparison.frame.time_s, found, matching)
        return truth
