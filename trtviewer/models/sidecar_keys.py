"""Which keys a sidecar may have, and what each may be: tables of key to check."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from trtviewer.models.spec import Family, Resize

Check = Callable[[Any], Any]
"""Gives the value as the program keeps it. Raises: ValueError, saying what it must be."""


_LARGEST = 1e300
"""TOML's whole numbers have no bounds, floats have; NaN and infinity are not below it."""


def check_table(
    table: Mapping[str, Any], keys: Mapping[str, Check], where: str, faults: list[str]
) -> dict[str, Any]:
    """The values of `table` as the program keeps them; what is wrong is added to `faults`, one entry each."""
    values = {}
    for key, value in table.items():
        name = f"{where}.{key}" if where else key
        if key not in keys:
            faults.append(_unknown(key, name, keys, where))
            continue
        try:
            values[key] = keys[key](value)
        except ValueError as error:
            faults.append(f"{name} {error}")
    # Tables inside are checked by whoever reads them.
    return {key: value for key, value in values.items() if keys[key] is not _inner}


def nearest(word: str, words: Iterable[str]) -> str:
    """The one of `words` that is most like `word`."""
    choices = sorted(words)
    return next(iter(difflib.get_close_matches(word.lower(), choices, 1, 0.0)), choices[0])


def _unknown(key: str, name: str, keys: Mapping[str, Check], where: str) -> str:
    homes = [
        title for title, other in _HOMES.items() if key in other and not where.startswith(title.strip("[]"))
    ]
    if homes:
        return f'unknown key "{name}": "{key}" belongs in {homes[0]}'
    return f'unknown key "{name}", the nearest is "{nearest(key, keys)}"'


def _choice(choices: type[StrEnum] | tuple[str, ...], but: tuple[str, ...] = ()) -> Check:
    words = tuple(str(word) for word in choices if str(word) not in but)

    def check(value: Any) -> Any:
        if value not in words:
            hint = f', the nearest is "{nearest(value, words)}"' if isinstance(value, str) else ""
            raise ValueError(f"must be one of {', '.join(words)}, not {value!r}{hint}")
        return choices(value) if isinstance(choices, type) else value

    return check


def _number(least: float = -math.inf, *, above: float = -math.inf, most: float = math.inf) -> Check:
    def check(value: Any) -> float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        good = number and abs(value) <= _LARGEST
        if not good or value < least or value <= above or value > most:
            limits = [
                f"at least {least:g}" if least > -math.inf else "",
                f"above {above:g}" if above > -math.inf else "",
                f"at most {most:g}" if most < math.inf else "",
            ]
            raise ValueError(
                f"must be a number {' and '.join(filter(None, limits))}".rstrip() + f", not {value!r}"
            )
        return float(value)

    return check


def _whole(least: int, most: int | None = None) -> Check:
    def check(value: Any) -> int:
        good = isinstance(value, int) and not isinstance(value, bool)
        if not good or value < least or (most is not None and value > most):
            limits = f"from {least} to {most}" if most is not None else f"from {least} on"
            raise ValueError(f"must be a whole number {limits}, not {value!r}")
        return int(value)

    return check


def _list(item: Check, what: str, *lengths: int) -> Check:
    def check(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or not value or (lengths and len(value) not in lengths):
            raise ValueError(f"must be {what}, not {value!r}")
        try:
            return tuple(item(entry) for entry in value)
        except ValueError as error:
            raise ValueError(f"must be {what}, and each {error}") from error

    return check


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be a text, not {value!r}")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {value!r}")
    return value


def _classes(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    return _list(_text, "the name of a file, or a list of names")(value)


def _inner(value: Any) -> Any:
    return value


INPUT_KEYS: dict[str, Check] = {
    "colour": _choice(("rgb", "bgr")),
    "pixel_scale": _number(above=0),
    "mean": _list(_number(), "a list of three numbers", 3),
    "std": _list(_number(above=0), "a list of three numbers", 3),
    "resize": _choice(Resize),
    "pad": _whole(0, 255),
    "layout": _choice(("nchw", "nhwc")),
    "size": _list(_whole(1, 65536), "a list of height and width", 2),
}
HEAD_KEYS: dict[str, Check] = {
    "output": _text,
    "stride": _whole(1),
    "box": _choice(("exp", "square")),
    "scale_xy": _number(above=0),
    "anchors": _list(_list(_number(above=0), "a pair of width and height", 2), "a list of pairs"),
    "layout": _choice(("nchw", "nhwc", "nhwac", "nahwc", "ncp", "npc")),
    "decoded": _flag,
}
OUTPUT_KEYS: dict[str, Check] = {
    "name": _text,
    "shape": _list(_whole(1), "a list of whole numbers"),
    "dtype": _choice(("float32", "float16", "float64", "int32", "int64", "int8", "uint8")),
    "layout": _choice(("nchw", "nhwc", "nhwac", "nahwc", "ncp", "npc")),
}
TOP_KEYS: dict[str, Check] = {
    "family": _choice(Family, but=("none",)),
    "classes": _classes,
    "input": _inner,
    "head": _inner,
    "output": _inner,
}
_HOMES = {"[input]": INPUT_KEYS, "[[head]]": HEAD_KEYS, "[[output]]": OUTPUT_KEYS}
