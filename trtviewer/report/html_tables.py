"""Tables, tiles and bars of the HTML report. Everything that comes from outside is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from trtviewer.report.sentences import percent

DASH = "–"


def text(value: object) -> str:
    """Escaped for any place in the page, attributes included."""
    return escape(str(value), quote=True)


def number(value: float | None, digits: int = 4) -> str:
    """To so many digits that count; whole numbers with thousands apart; a dash where it is not defined."""
    if value is None:
        return DASH
    return f"{value:,}" if isinstance(value, int) else f"{value:.{digits}g}"


def signed(value: float | None, digits: int = 3) -> str:
    """A difference, in the colour of better or worse."""
    if value is None:
        return DASH
    shown = f"{value:+.{digits}f}"
    style = "" if float(shown) == 0 else "better" if value > 0 else "worse"
    return f'<span class="{style}">{shown.replace("-", "−")}</span>'


def table(heads: Sequence[str], rows: Iterable[str]) -> str:
    """A table that scrolls by itself where it is too wide. Args: heads: plain text. rows: as `row` makes them."""
    cells = "".join(f'<th scope="col">{text(head)}</th>' for head in heads)
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def row(cells: Sequence[str], style: str = "", first: str = "") -> str:
    """One row of ready cells. Args: style: the row's class. first: the first cell's."""
    opening = f'<tr class="{style}">' if style else "<tr>"
    lead = f'<td class="{first}">{cells[0]}</td>' if first else f"<td>{cells[0]}</td>"
    return opening + lead + "".join(f"<td>{cell}</td>" for cell in cells[1:]) + "</tr>"


def heading(words: str, columns: int) -> str:
    """A row that names those below it."""
    return f'<tr class="head"><td colspan="{columns}">{text(words)}</td></tr>'


def tile(name: str, value: str, note: str) -> str:
    """One large figure. Args: value: ready. name, note: plain text."""
    return f'<div class="tile"><span class="name">{text(name)}</span><b>{value}</b><span>{text(note)}</span></div>'


def bars(entries: Sequence[tuple[str, int, str]]) -> str:
    """Counts as bars. Args: entries: name, count, and the bar's class ("", "extra", "better", "plain")."""
    most = max((count for _, count, _ in entries), default=0) or 1
    rows = [
        f'<span>{text(name)}</span><span class="track"><span class="fill {style}" '
        f'style="display:block;width:{100 * count / most:.1f}%"></span></span>'
        f'<span class="number">{count:,}</span>'
        for name, count, style in entries
    ]
    return f'<div class="share">{"".join(rows)}</div>'


def pairs(entries: Iterable[tuple[str, object]]) -> str:
    """Names and values, one below the other."""
    return (
        "<dl>" + "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in entries) + "</dl>"
    )


COUNT_HEADS = ("", "reference", "candidate", "matched", "missed", "extra", "missed rate")


def count_row(name: str, counts: Mapping[str, Any], style: str = "", first: str = "") -> str:
    """A row under `COUNT_HEADS`."""
    cells = [f"{counts[key]:,}" for key in ("reference", "candidate", "matched")]
    for key in ("missed", "extra"):
        value = f"{counts[key]:,}"
        cells.append(f'<span class="{key}">{value}</span>' if counts[key] else value)
    return row([text(name), *cells, percent(counts["missed_rate"])], style, first)
