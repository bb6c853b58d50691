"""What the HTML report shows that the figures of the report do not hold: pictures, curves, what made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.average_precision import precision_curve
from trtviewer.compare.findings import Findings
from trtviewer.compare.tensor_error import ErrorHistogram
from trtviewer.report.worst_pictures import WorstPicture


@dataclass(frozen=True, eq=False, slots=True)
class PageEvidence:
    """What the page shows that the figures of the report do not hold.

    Attributes:
        pictures: the worst frames, the worst first.
        timeline: [N, 3] missed, extra, reference, each row of `timeline_unit` frames.
        misses: [3, rows, columns] matched, missed, extra by place in the frame.
        histograms: by output's name.
        precision: [101] precision by recall of both sides; None where there is no truth.
        command: as it was called, to repeat it; empty where it was not called from a command line.
        versions: name to version. hashes: "reference" and "candidate" to SHA-256.
    """

    pictures: tuple[WorstPicture, ...] = ()
    timeline: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    timeline_unit: int = 1
    misses: NDArray[np.int64] = field(default_factory=lambda: np.zeros((3, 1, 1), np.int64))
    histograms: Mapping[str, ErrorHistogram] = field(default_factory=lambda: MappingProxyType({}))
    precision: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    command: Sequence[str] = ()
    versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    hashes: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({}))


def evidence_of(
    findings: Findings,
    pictures: Sequence[WorstPicture],
    outputs: Sequence[str],
    command: Sequence[str],
    versions: Mapping[str, str],
    hashes: Mapping[str, str | None],
) -> PageEvidence:
    """Gathers it from what was found. Args: outputs: names of the paired outputs."""
    timeline, unit = findings.significance.timeline
    precision = None
    if findings.truth is not None:
        curves = [precision_curve(side) for side in (findings.truth.reference, findings.truth.candidate)]
        if curves[0] is not None and curves[1] is not None:
            precision = (curves[0], curves[1])
    return PageEvidence(
        tuple(pictures),
        timeline,
        unit,
        findings.misses.counts,
        {name: findings.totals.errors.histogram_of(name) for name in outputs},
        precision,
        tuple(command),
        versions,
        hashes,
    )
