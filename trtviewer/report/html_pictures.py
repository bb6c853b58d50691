"""The worst frames of the HTML report: both sides of each, with boxes as vectors over one embedded picture."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from trtviewer.report.html_tables import number, text
from trtviewer.report.worst_pictures import DrawnBox, HeatPictures, WorstPicture

LEGEND = (
    ("matched", "matched"),
    ("missed", "missed by the candidate"),
    ("extra", "extra in the candidate"),
    ("ghost", "where the other side has it"),
)


def embedded(data: bytes, kind: str) -> str:
    """A data address of a picture. Args: kind: "jpeg" or "png"."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def legend(with_truth: bool) -> str:
    """What the lines of the pictures mean."""
    shown = (*LEGEND, ("truth", "true object that neither finds")) if with_truth else LEGEND
    keys = "".join(
        f'<span class="key"><i class="swatch box-{style}"></i>{words}</span>' for style, words in shown
    )
    return f'<p class="legend">{keys}</p>'


def worst_figure(picture: WorstPicture, sides: tuple[str, str], with_maps: bool) -> str:
    """One frame: its figures, the reference on the left, the candidate on the right, and the maps of its scores.

    Args: sides: what the two are called. with_maps: whether to show the maps, where there are any.
    """
    place = f"Frame {picture.frame:,}"
    if picture.name:
        place += f" · {text(picture.name)}"
    elif picture.time_s:
        place += f" · {picture.time_s:.2f} s"
    mse = "" if picture.mse is None else f" · MSE {number(picture.mse, 3)}"
    source = f"f{picture.frame}"
    panels = "".join(
        f"<div><h3>{text(name)}</h3>{_panel(picture, boxes, source, whole=first)}</div>"
        for name, boxes, first in (
            (sides[0], picture.reference, True),
            (sides[1], picture.candidate, False),
        )
    )
    maps = _maps(picture.heat, sides) if with_maps and picture.heat is not None else ""
    return (
        f'<figure class="worst"><figcaption><b>{place}</b> · <span class="missed">{picture.missed:,} missed</span> · '
        f'<span class="extra">{picture.extra:,} extra</span><span class="faint">{mse}</span></figcaption>'
        f'<div class="pair">{panels}</div>{maps}</figure>'
    )


def _panel(picture: WorstPicture, boxes: Sequence[DrawnBox], source: str, *, whole: bool) -> str:
    """One side. The picture itself is in the page once: the second side uses the first one's."""
    height, width = picture.size
    image = (
        f'<image id="{source}" width="{width}" height="{height}" preserveAspectRatio="none" '
        f'href="{embedded(picture.jpeg, "jpeg")}"/>'
        if whole
        else f'<use href="#{source}"/>'
    )
    label = f"frame {picture.frame}, {picture.missed} missed, {picture.extra} extra"
    drawn = "".join(_box(box) for box in boxes)
    named = [box for box in boxes if box.label]
    tags = "".join(_tag(box, place, picture.size) for place, box in enumerate(named, 1))
    words = "".join(f'<li class="{box.kind}">{text(box.label)}</li>' for box in named)
    return (
        f'<svg class="picture" viewBox="0 0 {width} {height}" role="img" aria-label="{text(label)}">'
        f"{image}{drawn}{tags}</svg>{f'<ol>{words}</ol>' if words else ''}"
    )


def _box(box: DrawnBox) -> str:
    x0, y0, x1, y1 = box.xyxy
    place = f'x="{x0:.1f}" y="{y0:.1f}" width="{max(x1 - x0, 0):.1f}" height="{max(y1 - y0, 0):.1f}"'
    return f'<rect class="halo" {place}/><rect class="{box.kind}" {place}/>'


def _tag(box: DrawnBox, place: int, size: tuple[int, int]) -> str:
    """The box's number in the list below, at its corner, as large in the page whatever the frame's size."""
    font = max(size) / 46
    wide, high = font * (0.5 + 0.62 * len(str(place))), font * 1.2
    x = min(max(box.xyxy[0], 0.0), size[1] - wide)
    y = box.xyxy[1] - high if box.xyxy[1] >= high else box.xyxy[1]
    return (
        f'<g class="tag {box.kind}"><rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" rx="{font / 6:.1f}"/>'
        f'<text x="{x + wide / 2:.1f}" y="{y + high * 0.78:.1f}" font-size="{font:.1f}" text-anchor="middle">{place}</text></g>'
    )


def _maps(heat: HeatPictures, sides: tuple[str, str]) -> str:
    shown = [
        (f"{sides[0]}: best score by cell, {heat.title}", heat.reference),
        (f"{sides[1]}: the same", heat.candidate),
    ]
    note = f"yellow is {number(heat.greatest, 2)}"
    if heat.difference is not None:
        shown.append(
            (
                f"difference: vermilion where {sides[1]} has up to {number(heat.reach, 2)} less",
                heat.difference,
            )
        )
    parts = "".join(
        f'<div><h4>{text(title)}</h4><img alt="{text(title)}, {text(note)}" src="{embedded(data, "png")}" '
        f'width="{heat.size[1]}" height="{heat.size[0]}" style="height:auto"></div>'
        for title, data in shown
    )
    return f'<div class="maps">{parts}</div>'
