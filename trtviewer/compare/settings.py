"""The user's thresholds: what may change without running a model again."""

from __future__ import annotations

from dataclasses import dataclass, fields

from trtviewer.detect.boxes import SCORE_FLOOR
from trtviewer.errors import BadUsage

BOUNDS = {
    "confidence": (SCORE_FLOOR, 1.0),
    "nms_iou": (0.0, 1.0),
    "match_iou": (0.1, 1.0),
    "epsilon": (0.0, 3e38),
}
"""The least and the greatest value of each; match IoU starts where a `moved` miss does, epsilon ends where float32 does."""


ClassThreshold = tuple[int, int, float]
"""Class, stride (`NO_STRIDE` where boxes have none), and the confidence of its boxes."""


@dataclass(frozen=True, slots=True)
class CompareSettings:
    """The thresholds of a comparison; equal settings compare equal.

    Attributes:
        confidence: a box is kept when its score is above.
        nms_iou: NMS removes a box whose IoU with a kept one is above.
        agnostic_nms: NMS looks at boxes of any class, not only of the same.
        match_iou: two boxes of one class are matched from this IoU on.
        epsilon: an output value counts as off when its difference is above.
    """

    confidence: float = 0.25
    nms_iou: float = 0.45
    agnostic_nms: bool = False
    match_iou: float = 0.5
    epsilon: float = 0.5

    def __post_init__(self) -> None:
        for name, (least, greatest) in BOUNDS.items():
            value = getattr(self, name)
            if not least <= value <= greatest:
                raise BadUsage(f"{name} is {value:g}, but goes from {least:g} to {greatest:g}")

    @property
    def candidate_thresholds(self) -> tuple[ClassThreshold, ...]:
        """Confidences of the candidate alone, by class and stride; empty: `confidence` holds for all."""
        return ()

    @property
    def plain(self) -> CompareSettings:
        """The same with no threshold re-fit in force: what is kept between runs."""
        return CompareSettings(**{item.name: getattr(self, item.name) for item in fields(CompareSettings)})


@dataclass(frozen=True, slots=True)
class RefittedSettings(CompareSettings):
    """Settings with a threshold re-fit applied to the candidate. The reference's detections stay those of `confidence`.

    Attributes:
        thresholds: of the candidate; what they do not name has `confidence`.
    """

    thresholds: tuple[ClassThreshold, ...] = ()

    @property
    def candidate_thresholds(self) -> tuple[ClassThreshold, ...]:
        return self.thresholds
