"""Trees and lamp posts: sprites that stand on the pavement, and hide what passes behind them."""

from __future__ import annotations

import numpy as np

from trtviewer.sources.scenes.chance import Chance, wave
from trtviewer.sources.scenes.solids import shaded
from trtviewer.sources.scenes.sprite import Canvas, Sprite

TREE_HEIGHT = 6.6
LAMP_HEIGHT = 7.2
LAMP_REACH = 1.7


def tree_sprite(seed: int, variant: int, scale: float) -> Sprite:
    """A tree of the street, `scale` pixels a metre."""
    chance = Chance(seed, 31, variant)
    canvas = Canvas(
        -2.5 * scale - 2, -TREE_HEIGHT * 1.05 * scale - 2, 2.5 * scale + 2, 0.1 * scale + 2, (52, 92, 66)
    )
    bark = (58, 72, 86)
    canvas.limb((0.0, 0.0), (0.04 * scale, -2.6 * scale), (0.15 * scale, 0.11 * scale), bark)
    canvas.limb(
        (-0.05 * scale, 0.0), (-0.02 * scale, -2.4 * scale), (0.05 * scale, 0.04 * scale), shaded(bark, 1.15)
    )
    for side in (-1.0, 1.0):
        canvas.limb(
            (0.02 * scale, -2.3 * scale),
            (side * 0.9 * scale, -3.5 * scale),
            (0.08 * scale, 0.05 * scale),
            bark,
        )
    leaf = chance.pick(((44, 100, 70), (50, 112, 92), (40, 92, 62), (44, 108, 106)))
    lobes = [
        (chance.between(-1.05, 1.05), chance.between(3.3, 5.5), chance.between(0.75, 1.15)) for _ in range(7)
    ] + [(0.0, 4.4, 1.35)]
    leaves = []
    for x, y, size in lobes:
        for _ in range(70 if scale > 40 else 40 if scale > 12 else 14):
            turn, reach = chance.between(0, 1), float(np.sqrt(chance.between(0, 1))) * size
            dx, dy = wave(turn) * reach, wave(turn + 0.25) * reach
            light = (
                0.80 + 0.34 * (dy - 0.6 * dx) / size * 0.6 + 0.10 * (y - 4.4) + chance.between(-0.16, 0.16)
            )
            leaves.append((light, x + dx, y + dy, chance.between(0.10, 0.30)))
    # From the shaded underside to the sunlit top: later leaves lie over earlier ones.
    leaves.sort()
    fat = 1.0 if scale > 40 else 1.25 if scale > 12 else 1.9
    for light, x, y, radius in leaves:
        canvas.disc(x * scale, -y * scale, radius * fat * scale, shaded(leaf, min(1.3, max(0.34, light))))
    return canvas.finish((0.0, 0.0))


def lamp_sprite(scale: float, side: int) -> Sprite:
    """A lamp post; `side` -1 stands left of the road, its arm to the right."""
    canvas = Canvas(
        -2.2 * scale - 2, -(LAMP_HEIGHT + 0.5) * scale - 2, 2.2 * scale + 2, 0.1 * scale + 2, (70, 72, 74)
    )
    steel = (84, 86, 88)
    thin = max(0.055, 0.45 / scale)
    reach = -side * LAMP_REACH
    canvas.limb((0.0, 0.0), (0.0, -1.0 * scale), (0.12 * scale, 0.09 * scale), shaded(steel, 0.8))
    canvas.limb(
        (0.0, -1.0 * scale), (0.0, -(LAMP_HEIGHT - 0.3) * scale), (thin * scale * 1.2, thin * scale), steel
    )
    canvas.limb(
        (0.0, -(LAMP_HEIGHT - 0.3) * scale),
        (reach * 0.7 * scale, -LAMP_HEIGHT * scale),
        (thin * scale,) * 2,
        steel,
    )
    canvas.limb(
        (reach * 0.65 * scale, -LAMP_HEIGHT * scale),
        (reach * 1.05 * scale, -(LAMP_HEIGHT - 0.02) * scale),
        (0.11 * scale, 0.09 * scale),
        (112, 116, 118),
    )
    return canvas.finish((0.0, 0.0))
