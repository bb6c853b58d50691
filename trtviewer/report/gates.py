"""Gates and goals: `missed_rate > 0.05 or by_size.small.missed > 3`, read from text and asked of a report."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from trtviewer.errors import BadUsage

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_COMPARISON = re.compile(
    r"\s*(?P<name>[^<>=]*[^<>=\s])\s*(?P<operator><=|>=|<|>)\s*(?P<number>[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?)(?![\w.])\s*"
)
_JOINT = re.compile(r"(?P<word>and|or)\s")
_GRAMMAR = "write NAME < NUMBER (or <=, >, >=), joined by and/or"

_NEEDED = {
    "tracks": "objects are followed through a video, and this source has no time",
    "truth": "`compare` takes true objects with --truth",
}
"""Parts of a report that are not in every one, and what they need."""

Names = Mapping[str, float | None]
"""Every name that a gate may use, with its value; None where it is not defined."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One `NAME operator NUMBER`."""

    name: str
    operator: str
    number: float

    def holds(self, names: Names) -> bool | None:
        """Whether it is true; None where the figure is not defined. Raises: BadUsage: there is no such name."""
        value = _value(self.name, names)
        return None if value is None else _OPERATORS[self.operator](value, self.number)


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition: any of `terms` in which every comparison holds.

    Attributes:
        text: as the user wrote it.
    """

    text: str
    terms: tuple[tuple[Comparison, ...], ...]

    def fails(self, report: Mapping[str, Any]) -> str:
        """What to say when this gate fails the run: the figures that make it true, or that are null; empty where it passes.

        Raises: BadUsage: the report has no figure of that name; the nearest ones are named.
        """
        return self._said(report, of_null=True)

    def met(self, report: Mapping[str, Any]) -> bool:
        """Whether this goal is reached; a figure that is not defined reaches none. Raises: BadUsage, as `fails`."""
        return bool(self._said(report, of_null=False))

    def require_names(self, report: Mapping[str, Any]) -> None:
        """Raises: BadUsage: a name is unknown. Good to know before an hour of work, from a report of no frames."""
        names = figures(report)
        for term in self.terms:
            for comparison in term:
                _value(comparison.name, names)

    def _said(self, report: Mapping[str, Any], *, of_null: bool) -> str:
        self.require_names(report)
        names = figures(report)
        for term in self.terms:
            held = [comparison.holds(names) for comparison in term]
            if all(of_null if answer is None else answer for answer in held):
                return ", ".join(dict.fromkeys(_figure(comparison.name, names) for comparison in term))
        return ""


def parse_gate(text: str) -> Gate:
    """Reads a gate or goal; `and` binds before `or`, there are no brackets.

    Raises: BadUsage: it cannot be read; it says from where on.
    """
    terms: list[list[Comparison]] = [[]]
    place = 0
    while True:
        found = _COMPARISON.match(text, place)
        if found is None:
            raise BadUsage(
                f"cannot be read from {text[place:]!r} on", subject=f"gate {text!r}", advice=_GRAMMAR
            )
        terms[-1].append(Comparison(found["name"], found["operator"], float(found["number"])))
        place = found.end()
        if place == len(text):
            return Gate(text.strip(), tuple(tuple(term) for term in terms))
        joint = _JOINT.match(text, place)
        if joint is None:
            raise BadUsage(
                f"cannot be read from {text[place:]!r} on", subject=f"gate {text!r}", advice=_GRAMMAR
            )
        if joint["word"] == "or":
            terms.append([])
        place = joint.end()


def check(gates: Sequence[Gate], report: Mapping[str, Any]) -> tuple[str, ...]:
    """One line for each gate that fails the run; empty where all pass. Raises: BadUsage: a name is unknown."""
    for gate in gates:
        gate.require_names(report)
    lines = []
    for gate in gates:
        said = gate.fails(report)
        if said:
            lines.append(f"gate failed: {gate.text} ({said})")
    return tuple(lines)


def figures(report: Mapping[str, Any]) -> dict[str, float | None]:
    """Every figure of a report by its dotted path; those of `detections` also without it.

    Entries of lists go by their `name`, else by their `stride` ("none" where it is null).
    """
    names: dict[str, float | None] = {}
    _collect(report, "", names)
    _collect(report.get("detections", {}), "", names)
    return names


def _collect(value: Any, path: str, into: dict[str, float | None]) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _collect(inner, f"{path}.{key}" if path else str(key), into)
    elif isinstance(value, list | tuple):
        for entry in value:
            key = _key(entry)
            if key:
                _collect(entry, f"{path}.{key}", into)
    elif value is None:
        into[path] = None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        into[path] = float(value)


def _key(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return ""
    if "name" in entry:
        return str(entry["name"])
    if "stride" in entry:
        return "none" if entry["stride"] is None else str(entry["stride"])
    return ""


def _value(name: str, names: Names) -> float | None:
    if name not in names:
        part = name.partition(".")[0]
        if part in _NEEDED and not any(known.startswith(f"{part}.") for known in names):
            raise BadUsage(f"there is no '{part}' here", subject=name, advice=_NEEDED[part])
        near = get_close_matches(name, names, n=3, cutoff=0.4)
        advice = (
            f"nearest: {', '.join(near)}"
            if near
            else "the keys of `detections` in compare --json, or a dotted path"
        )
        raise BadUsage("there is no figure of that name", subject=name, advice=advice)
    return names[name]


def _figure(name: str, names: Names) -> str:
    value = names[name]
    return f"{name} is not defined here" if value is None else f"{name} is {value:.6g}"
