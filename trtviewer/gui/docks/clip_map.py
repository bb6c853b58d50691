"""Where in the picture a layer's input is clipped, as a map to lay over the frame; runs on a thread of the dock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trtviewer.blame.coach import RangeCoach
from trtviewer.blame.twin import Twin
from trtviewer.gui.view_model import Overlay
from trtviewer.preprocess import Placement
from trtviewer.sources.frame import Frame

FULL = 0.25
"""Share of channels beyond their range from which on a cell has the whole colour."""


@dataclass(frozen=True, eq=False, slots=True)
class ClipRequest:
    """One frame and one tensor; `colour` is red, green, blue 0..255, `opacity` 0..1."""

    twin: Twin
    frame: Frame
    placement: Placement
    tensor: str
    colour: tuple[int, int, int]
    opacity: float


class ClipMapper:
    """Keeps the network of one twin; one thread uses it."""

    def __init__(self) -> None:
        self._coach: tuple[Twin, RangeCoach] | None = None

    def __call__(self, request: ClipRequest) -> Overlay:
        """The map over the candidate's picture. Raises: KeyError, ValueError: the tensor is no map."""
        if self._coach is None or self._coach[0] is not request.twin:
            self._coach = (request.twin, RangeCoach(request.twin, threads=1))
        shares = self._coach[1].clip_map(request.frame, request.tensor)
        height, width = request.placement.input_size
        corners = np.array([[0, 0, width, height]], np.float32)
        left, top, right, bottom = request.placement.to_source(corners)[0].tolist()
        clipped = float((shares > 0).mean())
        return Overlay(
            request.frame.index,
            None,
            painted(shares, request.colour, request.opacity),
            (left, top, right, bottom),
            f"{request.tensor}: {100 * clipped:.2g} % of its cells clip",
        )


def painted(shares: np.ndarray, colour: tuple[int, int, int], opacity: float) -> np.ndarray:
    """[H, W] uint32 premultiplied ARGB: nothing where nothing is clipped, from a third of the colour up to all of it."""
    alpha = np.where(shares > 0, 1 / 3 + 2 / 3 * np.minimum(shares / FULL, 1), 0) * opacity
    result = np.round(alpha * 255).astype(np.uint32) << 24
    for shift, value in zip((16, 8, 0), colour, strict=True):
        result |= np.round(alpha * value).astype(np.uint32) << shift
    result.setflags(write=False)
    return result
