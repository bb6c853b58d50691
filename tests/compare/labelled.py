"""Made sources with truth whose AP is known: a long one is the population, and what is compared is drawn from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.average_precision import IOU_THRESHOLDS, VERDICT, PrecisionTotals
from trtviewer.compare.intervals import Interval, NoInterval, difference_interval
from trtviewer.compare.precision_influence import difference_influence
from trtviewer.compare.sorted_runs import structured


@dataclass(frozen=True)
class Kind:
    """How the candidate differs from the reference.

    Attributes:
        noise: of each side's logits, loss: what the candidate scores lower in hard frames. box: noise of its IoU.
        drop: share of the objects that the candidate drops.
        classes: shares of the objects by class.
        video: hardness drifts (its correlation is 0.95 from frame to frame) and objects stay for 20 frames on the mean.
    """

    noise: float = 0.5
    loss: float = 0.0
    box: float = 0.03
    drop: float = 0.0
    classes: Sequence[float] = (0.5, 0.5)
    video: bool = False


@dataclass(frozen=True)
class Rows:
    """Detections of one side: frame, class, score and IoU with the true object that they find (0 finds none)."""

    frame: NDArray[np.intp]
    class_id: NDArray[np.intp]
    score: NDArray[np.float64]
    iou: NDArray[np.float64]

    def of(self, frames: NDArray[np.intp]) -> Rows:
        """Those of some frames, in that order."""
        begin = np.searchsorted(self.frame, frames)
        count = np.searchsorted(self.frame, frames, side="right") - begin
        first = np.concatenate(([0], np.cumsum(count)[:-1]))
        index = np.repeat(begin - first, count) + np.arange(count.sum())
        place = np.repeat(np.arange(len(frames)), count)
        return Rows(place, self.class_id[index], self.score[index], self.iou[index])


@dataclass(frozen=True)
class Source:
    """Both sides, and [frames, classes] true objects."""

    sides: tuple[Rows, Rows]
    objects: NDArray[np.int64]

    def of(self, frames: NDArray[np.intp]) -> Source:
        return Source((self.sides[0].of(frames), self.sides[1].of(frames)), self.objects[frames])


def population(rng: np.random.Generator, kind: Kind, frames: int) -> Source:
    """A long source."""
    classes = len(kind.classes)
    if kind.video:
        hard = drift(rng, frames)
        tracks = rng.poisson(3.5 / 20 * (frames + 200))
        begin = rng.integers(-200, frames, tracks)
        end = np.minimum(begin + rng.geometric(1 / 20, tracks), frames)
        begin = np.maximum(begin, 0)
        length = np.maximum(end - begin, 0)
        track = np.repeat(np.arange(tracks), length)
        first = np.concatenate(([0], np.cumsum(length)[:-1]))
        frame = begin[track] + np.arange(len(track)) - first[track]
        own, share = np.sqrt(0.5), np.sqrt(0.5)
    else:
        hard = rng.exponential(0.7, frames)
        frame = np.repeat(np.arange(frames), rng.poisson(3.5, frames))
        track, tracks, own, share = np.arange(len(frame)), len(frame), 0.0, 1.0

    def of_objects(draw: NDArray[np.float64]) -> NDArray[np.float64]:
        """What belongs to a track, and what changes from frame to frame."""
        return share * draw[track] + own * rng.normal(0, 1, len(track))

    class_id = rng.choice(classes, tracks, p=kind.classes)[track]
    base = 1.5 - hard[frame] + of_objects(rng.normal(0, 1, tracks))
    fit = rng.normal(0, 1, tracks)[track]
    loss = kind.loss * hard[frame] * rng.exponential(1, tracks)[track]
    dropped = (rng.random(tracks) < kind.drop)[track]
    ghosts = np.repeat(np.arange(frames), rng.poisson(2.0, frames))
    ghost_base = -1.0 - hard[ghosts] + rng.normal(0, 1, len(ghosts))
    ghost_class = rng.choice(classes, len(ghosts), p=kind.classes)
    sides = []
    for is_candidate in (False, True):
        logit = base + kind.noise * of_objects(rng.normal(0, 1, tracks)) - is_candidate * loss
        ghost = ghost_base + kind.noise * rng.normal(0, 1, len(ghosts))
        score = 1 / (1 + np.exp(-np.concatenate((logit, ghost))))
        iou = np.clip(0.85 + 0.1 * fit + kind.box * of_objects(rng.normal(0, 1, tracks)), 0, 0.999)
        kept = np.concatenate((~(dropped & is_candidate), np.ones(len(ghosts), bool))) & (score > 0.02)
        row = np.concatenate((frame, ghosts))
        order = np.flatnonzero(kept)[np.argsort(row[kept], kind="stable")]
        columns = np.concatenate((class_id, ghost_class)), score, np.concatenate((iou, np.zeros(len(ghosts))))
        sides.append(Rows(row[order], *(column[order] for column in columns)))
    objects = np.zeros((frames, classes), np.int64)
    np.add.at(objects, (frame, class_id), 1)
    return Source((sides[0], sides[1]), objects)


def drift(rng: np.random.Generator, frames: int) -> NDArray[np.float64]:
    """Hardness that changes slowly, with the distribution that pictures have."""
    step = rng.normal(0, 1, frames)
    value = np.empty(frames)
    value[0] = step[0]
    for index in range(1, frames):
        value[index] = 0.95 * value[index - 1] + np.sqrt(1 - 0.95**2) * step[index]
    rank = (np.argsort(np.argsort(value)) + 0.5) / frames
    hard: NDArray[np.float64] = -0.7 * np.log(1 - rank)
    return hard


class MadeTotals(PrecisionTotals):
    """Verdicts that are known without any box. Args: see `Source`."""

    def __init__(self, rows: Rows, objects: NDArray[np.int64]) -> None:
        super().__init__(objects.shape[1])
        right = rows.iou[:, None] >= IOU_THRESHOLDS
        bits = (right << np.arange(len(IOU_THRESHOLDS))).sum(axis=1)
        verdicts = structured(
            VERDICT,
            class_id=rows.class_id,
            score=rows.score,
            frame=rows.frame,
            right=bits[:, None],
            aside=np.array(0),
        )
        self._frames = len(objects)
        self._objects[:] = objects.sum(axis=0)
        np.add.at(self._right, rows.class_id, right)
        self._pending.append(verdicts)
        self._of_frame = objects.astype(np.float64)

    def objects_by_block(self, block_of_frame: NDArray[np.intp], blocks: int) -> NDArray[np.float64]:
        counts = np.zeros((blocks, self._of_frame.shape[1]))
        np.add.at(counts, block_of_frame, self._of_frame)
        return counts


def both_totals(source: Source) -> tuple[PrecisionTotals, PrecisionTotals]:
    return MadeTotals(source.sides[0], source.objects), MadeTotals(source.sides[1], source.objects)


def true_differences(source: Source) -> NDArray[np.float64]:
    """[2] of AP50 and AP50-95, candidate - reference."""
    ours, theirs = (side.result() for side in both_totals(source))
    return np.array([theirs.ap50 - ours.ap50, theirs.ap50_95 - ours.ap50_95])  # type: ignore[operator]


def ap_intervals(source: Source, video: bool) -> list[Interval | NoInterval]:
    """Of AP50 and AP50-95, as a comparison makes them."""
    frames = len(source.objects)
    blocks = min(frames, 256 if video else 128)
    sides = both_totals(source)
    middle, influence = difference_influence(*sides, np.arange(frames) * blocks // frames, blocks)
    return [
        difference_interval(
            float(middle[column]),
            float(middle[column]),
            influence[:, column],
            frames,
            frames if video else None,
        )
        for column in (0, 1)
    ]


def samples(rng: np.random.Generator, whole: Source, kind: Kind, frames: int, count: int) -> Iterator[Source]:
    """So many sources of so many frames: pictures by chance, or parts of the video that have no frame in common."""
    for index in range(count):
        chosen = rng.integers(0, len(whole.objects), frames)
        yield whole.of(np.arange(index * frames, (index + 1) * frames) if kind.video else chosen)
