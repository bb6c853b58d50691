"""The fixed camera: a pinhole with a shifted lens, so that what is upright stays upright."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Camera:
    """World metres (x right, y up, z away from the camera, ground at y = 0) to pixels of the frame.

    Attributes:
        width, height: of the frame, pixels.
        focal: pixels.
        horizon_x, horizon_y: where the street runs to, pixels.
        x, eye: where the camera hangs, metres.
    """

    width: int
    height: int
    focal: float
    horizon_x: float
    horizon_y: float
    x: float
    eye: float

    def project(self, x: float, y: float, z: float) -> tuple[float, float]:
        """The pixel of a point in front of the camera (z > 0)."""
        scale = self.focal / z
        return self.horizon_x + (x - self.x) * scale, self.horizon_y + (self.eye - y) * scale

    @property
    def nearest_ground(self) -> float:
        """How far away the ground at the lower edge of the frame is, metres."""
        return self.focal * self.eye / (self.height - self.horizon_y)
