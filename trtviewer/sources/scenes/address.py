"""The text of a scene: `scene:street?condition=night&seed=3&frames=300&size=1280x720`."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from trtviewer.errors import BadUsage
from trtviewer.sources.scenes.street import SceneSettings, StreetScene
from trtviewer.sources.scenes.weather import CONDITIONS
from trtviewer.sources.source import Source

PREFIX = "scene:"
_SCENES: dict[str, Callable[[str, SceneSettings], Source]] = {"street": StreetScene}
_DEFAULTS = {"condition": "day", "seed": "1", "frames": "600", "size": "1280x720"}
_LEAST_SIZE, _MOST_SIZE = 64, 4096


def open_scene(address: str) -> Source:
    """The scene of an address.

    Args: address: "scene:NAME", or "scene:NAME?key=value&..." with condition (day, rain, night, or mix, which goes through
        all three), seed (a street of its own each), frames, and size (WIDTHxHEIGHT).
    Raises: BadUsage: a name, key or value is not one of these; it lists them.
    """
    name, _, query = address.removeprefix(PREFIX).partition("?")
    scene = _SCENES.get(name)
    if scene is None:
        raise BadUsage(
            f"there is no scene {name!r}", subject=address, advice=f"scenes are {', '.join(_SCENES)}"
        )
    values = dict(_DEFAULTS)
    for part in filter(None, query.split("&")):
        key, equals, value = part.partition("=")
        if key not in _DEFAULTS or not equals:
            near = difflib.get_close_matches(key, _DEFAULTS, 1)
            meant = f"did you mean {near[0]!r}? " if near and key not in _DEFAULTS else ""
            raise BadUsage(
                f"{part!r} is not a setting of a scene",
                subject=address,
                advice=f"{meant}settings are condition=, seed=, frames=, size=",
            )
        values[key] = value
    if values["condition"] not in CONDITIONS:
        raise BadUsage(
            f"there is no condition {values['condition']!r}",
            subject=address,
            advice=f"conditions are {', '.join(CONDITIONS)}",
        )
    wide, _, high = values["size"].lower().partition("x")
    settings = SceneSettings(
        values["condition"],
        _whole(address, "seed", values["seed"], 0, 2**31 - 1),
        _whole(address, "frames", values["frames"], 1, 10_000_000),
        _whole(address, "size", wide, _LEAST_SIZE, _MOST_SIZE),
        _whole(address, "size", high, _LEAST_SIZE, _MOST_SIZE),
    )
    return scene(address, settings)


def _whole(address: str, key: str, text: str, low: int, high: int) -> int:
    if text.isascii() and text.isdigit() and low <= int(text) <= high:
        return int(text)
    example = "WIDTHxHEIGHT, such as 1280x720, each" if key == "size" else "a whole number"
    raise BadUsage(
        f"{key}={text} is not understood", subject=address, advice=f"{key} is {example} from {low} to {high}"
    )
