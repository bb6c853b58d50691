"""A saved session: what is open, where it stands and how it is looked at, as TOML that a person can read and edit."""

from __future__ import annotations

import difflib
import json
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from trtviewer.atomic import write_text
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import SIZES
from trtviewer.errors import BadInput, BadUsage
from trtviewer.gui.panes.viewport import FIT, View
from trtviewer.gui.view_model import SPEEDS, Display, PaneMode, Playing, TruthLayer, ViewModel

SCHEMA = "trtviewer.session/1"
SIDES = ("reference", "candidate")


@dataclass(frozen=True, slots=True)
class Session:
    """Attributes:
    reference, candidates, source: addresses; models absolute, as far as the session file's own folder tells.
    shown: which candidate stands in the pane.
    truth: the file or folder of labels that was opened.
    frame: the frame that is shown.
    """

    reference: Path | None = None
    candidates: tuple[Path, ...] = ()
    shown: int = 0
    source: str | None = None
    truth: Path | None = None
    frame: int = 0
    settings: CompareSettings = field(default_factory=CompareSettings)
    display: Display = field(default_factory=Display)
    playing: Playing = field(default_factory=Playing)
    view: View = FIT

    @staticmethod
    def of(view_model: ViewModel, view: View, labels: str | None = None) -> Session:
        """What is in the window now; variants that were made here and not saved go with the window, so they are left out."""
        models, source = view_model.models, view_model.source
        lasting = [
            entry.path for entry in models.candidates if view_model.what_if.variant(entry.path).made is None
        ]
        shown = models.candidate.path if models.candidate is not None else None
        return Session(
            reference=models.reference.path if models.reference is not None else None,
            candidates=tuple(lasting),
            shown=lasting.index(shown) if shown in lasting else 0,
            source=source.address if source is not None else None,
            truth=None if labels is None else Path(labels),
            frame=view_model.position.frame_index,
            settings=view_model.settings,
            display=view_model.display,
            playing=replace(view_model.playing, playing=False),
            view=view,
        )


def write_session(path: Path, session: Session) -> None:
    """Writes the session, whole or not at all. Raises: BadInput: it cannot be written there."""
    display, playing, view = session.display, session.playing, session.view
    lines = [f"schema = {_text(SCHEMA)}", ""]
    if session.reference is not None:
        lines.append(f"reference = {_text(session.reference.absolute())}")
    lines.append(f"candidates = [{', '.join(_text(one.absolute()) for one in session.candidates)}]")
    lines.append(f"shown = {session.shown}")
    if session.source is not None:
        address = session.source
        if not address.startswith(("scene:", "camera:")):
            address = str(Path(address).absolute())
        lines.append(f"source = {_text(address)}")
    if session.truth is not None:
        lines.append(f"truth = {_text(session.truth.absolute())}")
    lines += [f"frame = {session.frame}", "", "[settings]"]
    for item in fields(CompareSettings):
        value = getattr(session.settings, item.name)
        lines.append(f"{item.name} = {str(value).lower() if isinstance(value, bool) else repr(float(value))}")
    lines += [
        "",
        "[display]",
        f"mode = {_text(display.mode.value)}",
        f"single_side = {_text(display.single_side)}",
    ]
    if display.classes is not None:
        lines.append(f"classes = {sorted(display.classes)}")
    lines.append(f"sizes = [{', '.join(_text(size) for size in SIZES if size in display.sizes)}]")
    lines += [f"{name} = {str(getattr(display, name)).lower()}" for name in ("boxes", "labels", "matched")]
    lines += [f"truth = {_text(display.truth.value)}", "", "[playing]", f"speed = {playing.speed!r}"]
    if playing.loop is not None:
        lines.append(f"loop = {list(playing.loop)}")
    lines += ["", "[view]", f"zoom = {view.zoom!r}", f"x = {view.x!r}", f"y = {view.y!r}"]
    write_text(path, "\n".join(lines) + "\n")


def read_session(path: Path) -> Session:
    """Raises: BadInput: it is not there, no session, or something in it is not what it should be; it names the key."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise BadInput("does not exist", subject=path) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(
            f"is no session: {error}", subject=path, advice="save it again with File > Save session"
        ) from error
    if table.get("schema") != SCHEMA:
        raise BadInput(f"is no session of this version: schema is not {SCHEMA}", subject=path)
    reader = _Reader(path, table)
    folder = path.absolute().parent
    reader.check(
        "",
        (
            "schema",
            "reference",
            "candidates",
            "shown",
            "source",
            "truth",
            "frame",
            "settings",
            "display",
            "playing",
            "view",
        ),
    )
    reference, source, truth = (reader.get("", name, str, None) for name in ("reference", "source", "truth"))
    if source is not None and not source.startswith(("scene:", "camera:")):
        source = str(folder / source)
    return Session(
        reference=None if reference is None else folder / reference,
        candidates=tuple(folder / one for one in reader.items("", "candidates", str, ())),
        shown=reader.get("", "shown", int, 0),
        source=source,
        truth=None if truth is None else folder / truth,
        frame=reader.get("", "frame", int, 0),
        settings=reader.settings(),
        display=reader.display(),
        playing=reader.playing(),
        view=reader.view(),
    )


class _Reader:
    """Takes values out of the table, and says which key is wrong."""

    def __init__(self, path: Path, table: dict[str, Any]) -> None:
        self._path = path
        self._table = table

    def section(self, name: str) -> dict[str, Any]:
        if not name:
            return self._table
        found = self._table.get(name, {})
        if not isinstance(found, dict):
            raise self._wrong("", name, "a table")
        return found

    def check(self, section: str, known: tuple[str, ...]) -> None:
        for key in self.section(section):
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
                raise BadInput(f"key {_dotted(section, key)} is unknown", subject=self._path, advice=advice)

    def get(self, section: str, key: str, kind: type, default: Any) -> Any:
        value = self.section(section).get(key, default)
        if value is default:
            return default
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self._wrong(
                section,
                key,
                {
                    str: "a text",
                    int: "a whole number",
                    float: "a number",
                    bool: "true or false",
                    list: "a list",
                }[kind],
            )
        return value

    def items(self, section: str, key: str, kind: type, default: Any) -> Any:
        values = self.get(section, key, list, default)
        if not all(isinstance(value, kind) for value in values):
            raise self._wrong(section, key, "a list of such values")
        return values

    def settings(self) -> CompareSettings:
        names = tuple(item.name for item in fields(CompareSettings))
        self.check("settings", names)
        values = {
            item.name: self.get("settings", item.name, type(item.default), item.default)
            for item in fields(CompareSettings)
        }
        try:
            return CompareSettings(**values)
        except BadUsage as error:
            raise BadInput(f"[settings] {error.what}", subject=self._path) from error

    def display(self) -> Display:
        self.check(
            "display", ("mode", "single_side", "classes", "sizes", "boxes", "labels", "matched", "truth")
        )
        plain = Display()
        classes = (
            self.items("display", "classes", int, None) if "classes" in self.section("display") else None
        )
        return Display(
            mode=PaneMode(self._one_of("display", "mode", tuple(PaneMode), plain.mode)),
            single_side=self._one_of("display", "single_side", SIDES, plain.single_side),
            classes=None if classes is None else frozenset(classes),
            sizes=frozenset(self.items("display", "sizes", str, SIZES)) & frozenset(SIZES),
            boxes=self.get("display", "boxes", bool, True),
            labels=self.get("display", "labels", bool, True),
            matched=self.get("display", "matched", bool, True),
            truth=TruthLayer(self._one_of("display", "truth", tuple(TruthLayer), plain.truth)),
        )

    def playing(self) -> Playing:
        self.check("playing", ("speed", "loop"))
        speed = self.get("playing", "speed", float, 1.0)
        loop = self.items("playing", "loop", int, ())
        if loop and (len(loop) != 2 or not 0 <= loop[0] < loop[1]):
            raise self._wrong("playing", "loop", "the first and the last frame")
        return Playing(
            speed=min(SPEEDS, key=lambda one: abs(one - speed)), loop=(loop[0], loop[1]) if loop else None
        )

    def view(self) -> View:
        self.check("view", ("zoom", "x", "y"))
        return View(*(self.get("view", name, float, getattr(FIT, name)) for name in ("zoom", "x", "y")))

    def _one_of(self, section: str, key: str, known: tuple[str, ...], default: str) -> str:
        value: str = self.get(section, key, str, default)
        if value not in known:
            raise self._wrong(section, key, " or ".join(known))
        return value

    def _wrong(self, section: str, key: str, expected: str) -> BadInput:
        return BadInput(f"{_dotted(section, key)} is not {expected}", subject=self._path)


def _dotted(section: str, key: str) -> str:
    return f"{section}.{key}" if section else key


def _text(value: object) -> str:
    """A TOML basic string; JSON's escapes are TOML's."""
    return json.dumps(str(value), ensure_ascii=False)
