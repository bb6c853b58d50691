"""Everything that a comparison of a whole source is asked for, fed frame by frame: totals, and what the truth says."""

from __future__ import annotations

from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import Totals
from trtviewer.compare.true_objects import Labels
from trtviewer.compare.truth_totals import FrameTruth, TruthTotals
from trtviewer.models.spec import ModelSpec


class Findings:
    """Accumulates the comparisons of one source, in the order of its frames.

    Args:
        settings: every frame must have been compared at these.
        reference: the model whose classes and strides the rows are of.
        labels: the truth of the source, where there is one; stays the caller's to close.
    """

    def __init__(self, settings: CompareSettings, reference: ModelSpec, labels: Labels | None = None) -> None:
        self.settings = settings
        self.labels = labels
        self.totals = Totals(settings, reference)
        self.truth = TruthTotals(settings, reference.classes, labels.classes) if labels is not None else None

    def update(self, comparison: FrameComparison) -> FrameTruth | None:
        """Adds one frame. Returns: what the truth says of it, where there is one.

        Raises:
            BadInput: the labels are of another picture.
            ValueError: it was compared at other settings.
        """
        self.totals.update(comparison)
        if self.truth is None or self.labels is None:
            return None
        return self.truth.update(comparison, self.labels.objects(comparison.frame))
