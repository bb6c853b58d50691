"""Whether a model is fed as it was trained: other preprocessings are tried on a few frames, and the model itself tells.

A detector that sees what it knows finds the same objects in a picture and in its mirror image. The scores of what it finds in both, less
those of what it finds in one alone, are its agreement with itself; a wrong range of values, channel order or normalisation costs most
of it, whether it makes the model blind or makes it see things everywhere. A preprocessing under
which the model agrees clearly better with itself is likely the right one. Of a candidate it also tells whether it agrees with the
reference: one that was calibrated under another preprocessing does so only there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.matching import match
from trtviewer.compare.settings import CompareSettings
from trtviewer.detect.boxes import CandidateBoxes, Detections
from trtviewer.detect.families import decode
from trtviewer.detect.nms import suppress
from trtviewer.errors import BadInput
from trtviewer.models.spec import InputSpec, ModelSpec, Resize
from trtviewer.preprocess import Preprocessor
from trtviewer.runners.runner import Runner
from trtviewer.sources.frame import Frame

BETTER = 1.25
"""How many times as much a model must agree with itself under another preprocessing for that to be called likely."""
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True, slots=True)
class Tried:
    """One preprocessing, and how the models fared with it.

    Attributes:
        change: what is other than now, in words; empty for what is set now.
        input: the preprocessing.
        found: detections of the reference a frame.
        confirmed: scores of what it finds in a frame and in its mirror image, added up, a frame.
        doubtful: scores of what it finds in the frame alone, likewise.
        agreement: of the candidate with the reference, F1 over all frames; None without a candidate, or where nothing is found.
    """

    change: str
    input: InputSpec
    found: float
    confirmed: float
    doubtful: float
    agreement: float | None

    @property
    def self_agreement(self) -> float:
        """How much more the model confirms than not; below 0 where it mostly contradicts itself."""
        return self.confirmed - self.doubtful


@dataclass(frozen=True, slots=True)
class PreprocessingReport:
    """All that was tried, what is set now first.

    Attributes:
        likely: what fits clearly better than what is set now; None where nothing does.
    """

    tried: tuple[Tried, ...]
    likely: Tried | None

    def words(self) -> str:
        """The report in a sentence."""
        now = self.tried[0]
        if self.likely is None:
            return "the preprocessing fits: with nothing else that was tried does the model agree clearly better with itself"
        return (
            f"likely a wrong preprocessing: with {self.likely.change} the model agrees with itself by {self.likely.self_agreement:.2f} "
            f"a frame (scores confirmed in the mirror image, less those that are not), now by {now.self_agreement:.2f}"
        )


def variants(spec: InputSpec) -> tuple[tuple[str, InputSpec], ...]:
    """Preprocessings that are often mistaken for each other, each with what it changes; what is set now is the first, unnamed."""
    scales = {1 / 255: "values 0..1", 1.0: "values 0..255"}
    plain = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    found = [("", spec)]
    other = "bgr" if spec.colour == "rgb" else "rgb"
    found.append(
        (f"{other.upper()} order", replace(spec, colour=other, mean=spec.mean[::-1], std=spec.std[::-1]))
    )
    for scale, name in scales.items():
        changed = replace(spec, pixel_scale=scale, mean=plain[0], std=plain[1])
        if changed != spec:
            found.append((name, changed))
    normalised = replace(spec, pixel_scale=1 / 255, mean=IMAGENET[0], std=IMAGENET[1])
    if normalised != spec:
        found.append(("ImageNet's mean and std", normalised))
    for resize, name in ((Resize.LETTERBOX, "a letterbox"), (Resize.STRETCH, "stretching")):
        letterboxes = (Resize.LETTERBOX, Resize.LETTERBOX_TOPLEFT)
        if resize is not spec.resize and not (resize in letterboxes and spec.resize in letterboxes):
            found.append((name, replace(spec, resize=resize)))
    return tuple(found)


def check_preprocessing(
    frames: Iterable[Frame],
    settings: CompareSettings,
    reference: Runner,
    candidate: Runner | None = None,
    *,
    progress: Callable[[int], None] = lambda runs: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> PreprocessingReport:
    """Tries all `variants` on a few frames, which should hold objects.

    Args:
        reference, candidate: entered.
        progress: told how many pictures were run.
        cancelled: asked before each; what was tried whole by then is the report.

    Raises:
        BadInput: there is no frame, or nothing is known of the reference's input.
    """
    if reference.spec.input is None:
        raise BadInput("says nothing of its input", subject=reference.spec.path)
    kept = list(frames)
    if not kept:
        raise BadInput("there is no frame to try preprocessings on", subject=reference.spec.path)
    runs = 0
    tried: list[Tried] = []
    for change, spec in variants(reference.spec.input):
        preprocessor = Preprocessor(spec)
        tally = _Tally()
        for frame in kept:
            if cancelled() and tried:
                return PreprocessingReport(tuple(tried), _likely(tried))
            tally.add(frame, preprocessor, settings, reference, candidate)
            runs += 2
            progress(runs)
        tried.append(tally.result(change, spec, len(kept), candidate is not None))
    return PreprocessingReport(tuple(tried), _likely(tried))


class _Tally:
    """What one preprocessing gives over the frames."""

    def __init__(self) -> None:
        self._found = 0
        self._confirmed = 0.0
        self._doubtful = 0.0
        self._matched = 0
        self._both = 0

    def add(
        self,
        frame: Frame,
        preprocessor: Preprocessor,
        settings: CompareSettings,
        reference: Runner,
        candidate: Runner | None,
    ) -> None:
        mirror = np.ascontiguousarray(frame.picture[:, ::-1])
        straight = _detections(frame.picture, frame.index, preprocessor, settings, reference)
        mirrored = _detections(mirror, frame.index, preprocessor, settings, reference)
        back = _mirrored(mirrored, frame.size[1])
        pairs = match(straight, back, settings).pairs
        self._found += len(straight)
        scores = straight.score[pairs[:, 0]].astype(np.float64) * back.score[pairs[:, 1]]
        self._confirmed += float(np.sqrt(scores).sum())
        self._doubtful += float(np.delete(straight.score, pairs[:, 0]).sum(dtype=np.float64))
        if candidate is not None:
            theirs = _detections(frame.picture, frame.index, preprocessor, settings, candidate)
            self._matched += len(match(straight, theirs, settings).pairs)
            self._both += len(straight) + len(theirs)

    def result(self, change: str, spec: InputSpec, frames: int, has_candidate: bool) -> Tried:
        agreement = 2 * self._matched / self._both if has_candidate and self._both else None
        return Tried(
            change,
            spec,
            self._found / frames,
            self._confirmed / frames,
            self._doubtful / frames,
            agreement,
        )


def _detections(
    picture: NDArray[np.uint8],
    index: int,
    preprocessor: Preprocessor,
    settings: CompareSettings,
    runner: Runner,
) -> Detections:
    prepared = preprocessor.prepare(picture)
    # A model whose own input is pixels undoes its own normalisation, not the one that is tried.
    spec: ModelSpec = runner.spec
    boxes = decode(spec, runner.run(prepared.tensor, index).heads, prepared.placement)
    return suppress(boxes, settings.confidence, settings.nms_iou, settings.agnostic_nms)


def _mirrored(detections: Detections, width: int) -> Detections:
    xyxy = detections.xyxy.copy()
    xyxy[:, [0, 2]] = width - xyxy[:, [2, 0]]
    boxes = CandidateBoxes(
        xyxy=xyxy,
        score=detections.score,
        class_id=detections.class_id,
        stride=detections.stride,
        head=detections.boxes.head[detections.index],
        position=detections.boxes.position[detections.index],
        final=True,
    )
    return Detections(boxes, np.arange(len(boxes), dtype=np.int32))


def _likely(tried: Sequence[Tried]) -> Tried | None:
    now, *others = tried
    best = max(others, key=lambda each: each.self_agreement, default=None)
    if best is None or best.self_agreement <= max(0.0, BETTER * now.self_agreement):
        return None
    return best
