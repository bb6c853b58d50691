"""The HTML report: one file that an engineer mails. It asks nothing of the network and holds everything that it shows."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trtviewer.atomic import write_text
from trtviewer.report.html_charts import (
    error_chart,
    height_chart,
    map_picture,
    precision_chart,
    timeline_chart,
)
from trtviewer.report.html_pictures import legend, worst_figure
from trtviewer.report.html_style import STYLE
from trtviewer.report.html_tables import (
    COUNT_HEADS,
    DASH,
    bars,
    count_row,
    heading,
    number,
    pairs,
    row,
    signed,
    table,
    text,
    tile,
)
from trtviewer.report.page_evidence import PageEvidence
from trtviewer.report.sentences import (
    candidate_name,
    height_line,
    interval_lines,
    percent,
    side_name,
    track_line,
    truth_lines,
)
from trtviewer.runners.runner import RECORDED

PICTURE_BYTES = 3_200_000
"""So much the pictures may take before they are written in base64: with it the page stays under 5 MB."""

_CLASSES = 20
_TRACKS = 10
_MAPS = 3

_REASONS = {
    "class_changed": "class changed",
    "moved": "moved",
    "suppressed": "removed by NMS",
    "below_confidence": "below the threshold",
    "gone": "gone, with their logits",
}


def write_html(path: Path, report: Mapping[str, Any], evidence: PageEvidence) -> None:
    """Writes the page, whole or not at all. Raises: BadInput: it cannot be written there."""
    write_text(path, html_report(report, evidence))


def html_report(report: Mapping[str, Any], evidence: PageEvidence) -> str:
    """The page of a report of schema `trtviewer.compare/1`."""
    sides = (side_name(report, "reference"), candidate_name(report, of_sentence=False))
    in_words = [name.replace("The ", "the ", 1) for name in sides]
    question = f"Does {in_words[1]} find what {in_words[0]} finds?"
    parts = [
        _header(report, question),
        _tiles(report),
        _lost(report, evidence),
        _memory(report, evidence, sides),
        _truth(report, evidence, sides),
        _pictures(report, evidence, sides),
        _outputs(report, evidence),
        _speed(report),
        _repeat(report, evidence),
    ]
    title = f"{question} {Path(report['source']['path']).name}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Nothing may be fetched, whatever stands in a name.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f'<meta name="generator" content="trtviewer {text(report["version"])}">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + f"\n<footer>Made by trtviewer {text(report['version'])}.</footer>\n</main>\n</body>\n</html>\n"
    )


def _arithmetic(side: Mapping[str, Any]) -> str:
    """As the beginning of a list; empty where it is not known."""
    return "" if side["precision"] in ("", "unknown") else f"{text(str(side['precision']).upper())}, "


def _header(report: Mapping[str, Any], question: str) -> str:
    answer = "".join(f'<p class="answer">{text(sentence)}</p>' for sentence in report["verdict"])
    paths = "; ".join(
        f"{key} <b>{text(Path(report[key]['path']).name)}</b> ({_arithmetic(report[key])}{text(report[key]['runner'])}"
        f"{', emulated' if report[key]['emulated'] else ''})"
        for key in ("reference", "candidate")
    )
    height, width = report["source"]["size"]
    frames = "1 frame" if report["frames"] == 1 else f"{report['frames']:,} frames"
    return (
        f'<header><p class="kind">Comparison of two detectors over {frames}</p>'
        f"<h1>{text(question)}</h1>{answer}"
        f'<p class="sides">{paths}; source <b>{text(report["source"]["path"])}</b>, {width}×{height}</p></header>'
    )


def _tiles(report: Mapping[str, Any]) -> str:
    found, intervals = report["detections"], report["detections_intervals"]
    shown = [
        tile("Missed", percent(found["missed_rate"]), f"{found['missed']:,} of {found['reference']:,}"),
        tile("Agreement", number(found["agreement_f1"], 3), "F1 between the sides"),
        tile("Extra", f"{found['extra']:,}", "only the candidate has them"),
    ]
    missed = intervals["missed_rate"]
    if missed["low"] is not None:
        span = f"{100 * missed['low']:.1f}–{100 * missed['high']:.1f}&nbsp;%"
        shown.append(tile("95 % sure", span, "where the missed rate lies"))
    if "truth" in report and report["truth"]["difference"]["ap50"] is not None:
        change = 100 * report["truth"]["difference"]["ap50"]
        shown.append(tile("AP50 against truth", signed(change, 1), "points, candidate − reference"))
    if report["by_height"]["blind_below"] is not None:
        shown.append(tile("Blind below", f"{report['by_height']['blind_below']} px", "of object height"))
    return f'<div class="tiles">{"".join(shown)}</div>'


def _lost(report: Mapping[str, Any], evidence: PageEvidence) -> str:
    rows = [count_row("all", report["detections"], "sum"), heading("by scale", len(COUNT_HEADS))]
    for counts in report["by_stride"]:
        stride = counts["stride"]
        rows.append(count_row("no stride" if stride is None else f"stride {stride}", counts, first="sub"))
    rows.append(heading("by size in the frame", len(COUNT_HEADS)))
    rows += [count_row(size, counts, first="sub") for size, counts in report["by_size"].items()]
    classes = [counts for counts in report["by_class"] if counts["reference"] or counts["candidate"]]
    classes.sort(key=lambda counts: (-(counts["missed"] + counts["extra"]), -counts["reference"]))
    if classes:
        more = len(classes) - _CLASSES
        rows.append(heading(f"by class{f', {more} more not shown' if more > 0 else ''}", len(COUNT_HEADS)))
        rows += [count_row(counts["name"], counts, first="sub") for counts in classes[:_CLASSES]]
    reasons = []
    for kind in ("missed", "extra"):
        counts = report["detections"][f"{kind}_reasons"]
        entries = [(_REASONS[key], count, kind) for key, count in counts.items()]
        if report["detections"][kind]:
            reasons.append(
                f'<div class="card"><h3>Why {report["detections"][kind]:,} '
                f"{'are missed' if kind == 'missed' else 'are extra'}</h3>{bars(entries)}</div>"
            )
    sure = "".join(f"<p>{text(line[0].upper() + line[1:])}.</p>" for line in interval_lines(report))
    return (
        f'<section><h2>What is lost</h2>{sure}<div class="card">{table(COUNT_HEADS, rows)}</div>'
        f'<div class="three">{"".join(reasons)}{map_picture(evidence.misses, report["source"]["size"])}</div></section>'
    )


def _memory(report: Mapping[str, Any], evidence: PageEvidence, sides: tuple[str, str]) -> str:
    name = candidate_name(report)
    cards = []
    chart = height_chart(report["by_height"], sides[1])
    if chart:
        line = height_line(report, name) or f"{sides[1]} is blind at no height that occurs here"
        cards.append(
            f'<div class="card"><h3>Recall by height</h3><p>{text(_sentence(line))}</p>{chart}</div>'
        )
    if len(evidence.timeline) > 1:
        chart = timeline_chart(evidence.timeline, evidence.timeline_unit)
        cards.append(f'<div class="card"><h3>Over the source</h3>{chart}</div>')
    tracks = _tracks(report["tracks"])
    line = track_line(report, name)
    if line:
        tracks = f'<div class="card"><h3>Tracks</h3><p>{text(_sentence(line))}</p>{tracks}</div>'
    if not cards and not line:
        return ""
    return f'<section><h2>What a viewer would notice</h2><div class="two">{"".join(cards)}</div>{tracks}</section>'


def _tracks(tracks: Mapping[str, Any] | None) -> str:
    if tracks is None or not tracks["worst"]:
        return ""
    heads = (
        "worst tracks", "frames", "height px", "seen by reference", "found by candidate", "gaps", "longest gap",
        "first found after",
    )  # fmt: skip
    rows = [
        row(
            [
                text(track["class"]),
                f"{track['first_frame']:,}–{track['last_frame']:,}",
                f"{track['height']:.0f}",
                f"{track['seen']:,}",
                f"{track['found']:,}",
                f"{track['gaps']:,}",
                f"{track['longest_gap']:,} ({track['longest_gap_s']:.1f} s)",
                '<span class="missed">never</span>'
                if track["first_found_after"] is None
                else f"{track['first_found_after']:,}",
            ]
        )
        for track in tracks["worst"][:_TRACKS]
    ]
    return table(heads, rows)


def _truth(report: Mapping[str, Any], evidence: PageEvidence, sides: tuple[str, str]) -> str:
    if "truth" not in report:
        return ""
    truth = report["truth"]
    lines = "".join(f"<p>{text(_sentence(line))}</p>" for line in truth_lines(report))
    rows = [
        row([name, *(number3(truth[side][key]) for side in ("reference", "candidate")), signed(truth["difference"][key])])
        for name, key in (
            ("AP50", "ap50"), ("AP75", "ap75"), ("AP50-95", "ap50_95"), ("AP50-95, small", "ap50_95_small"),
            ("AP50-95, medium", "ap50_95_medium"), ("AP50-95, large", "ap50_95_large"), ("precision", "precision"),
            ("recall", "recall"),
        )
    ]  # fmt: skip
    classes = sorted(truth["by_class"], key=lambda entry: -entry["objects"])
    if len(classes) > 1:
        rows.append(heading("AP50 by class", 4))
        for entry in classes[:_CLASSES]:
            ours, theirs = entry["reference"]["ap50"], entry["candidate"]["ap50"]
            change = None if None in (ours, theirs) else theirs - ours
            rows.append(
                row([text(entry["name"]), number3(ours), number3(theirs), signed(change)], first="sub")
            )
    differences = truth["differences"]
    entries = [
        ("true objects lost", differences["lost"], ""),
        ("new false alarms", differences["false_new"], ""),
        ("true objects gained", differences["gained"], "better"),
        ("false alarms gone", differences["false_gone"], "better"),
        ("same object, another box", differences["same_object"], "plain"),
        ("ignored", differences["ignored"], "plain"),
    ]
    curve = ""
    if evidence.precision is not None:
        curve = f'<div class="card"><h3>Precision and recall at IoU 0.5</h3>{precision_chart(evidence.precision, sides)}</div>'
    return (
        f"<section><h2>Against the truth</h2>{lines}"
        f'<div class="two"><div class="card">{table(("", sides[0], sides[1], "difference"), rows)}</div>'
        f'<div><div class="card"><h3>What the differences are</h3>{bars(entries)}</div>{curve}</div></div>'
        f'<p class="faint">AP by COCO\'s definitions, of all boxes with a score above {truth["ap_floor"]:g}; '
        f"precision, recall and differences at the confidence of the settings. "
        f"Truth: {text(truth['path'])} ({text(truth['kind'])}).</p></section>"
    )


def _pictures(report: Mapping[str, Any], evidence: PageEvidence, sides: tuple[str, str]) -> str:
    shown: list[str] = []
    used = 0
    for picture in evidence.pictures:
        used += len(picture.jpeg)
        if used > PICTURE_BYTES:
            break
        shown.append(worst_figure(picture, sides, with_maps=len(shown) < _MAPS))
    if not shown:
        return ""
    return f"<section><h2>The worst frames</h2>{legend('truth' in report)}{''.join(shown)}</section>"


def _outputs(report: Mapping[str, Any], evidence: PageEvidence) -> str:
    if not report["outputs"]:
        why = report["outputs_reason"]
        return f"<section><h2>The outputs</h2><p>Not compared: {text(why)}.</p></section>" if why else ""
    epsilon = report["settings"]["epsilon"]
    heads = ("output", "stride", "MSE", "mean |d|", "max |d|", f"|d| > {epsilon:g}", "cosine", "SQNR dB")
    rows = []
    for output in report["outputs"]:
        stride = DASH if output["stride"] is None else f"{output['stride']}"
        rows.append(row([text(output["name"]), stride, *_error_cells(output)], "sum"))
        for group, error in output["groups"].items() if len(output["groups"]) > 1 else ():
            rows.append(row([text(group), "", *_error_cells(error)], first="sub"))
    chart = error_chart(evidence.histograms, epsilon)
    histogram = f'<div class="card"><h3>How far values are off</h3>{chart}</div>' if chart else ""
    return f'<section><h2>The outputs</h2><div class="card">{table(heads, rows)}</div>{histogram}</section>'


def _error_cells(error: Mapping[str, Any]) -> list[str]:
    return [
        number(error["mse"]),
        number(error["mae"]),
        number(error["max_abs"]),
        percent(error["over_epsilon"]),
        number(error["cosine"], 6),
        number(error["sqnr_db"]),
    ]


def _speed(report: Mapping[str, Any]) -> str:
    heads = ("latency with both running, ms", "mean", "p50", "p95", "p99", "frames/s")
    rows, emulated, recorded = [], False, False
    for key in ("reference", "candidate"):
        side = report[key]
        recorded |= side["runner"] == RECORDED
        emulated |= side["emulated"] and side["runner"] != RECORDED
        name = f"{key}: {text(side['precision'])} in {text(side['runner'])}"
        latency = [number(side["latency_ms"][part], 3) for part in ("mean", "p50", "p95", "p99")]
        rows.append(
            row([f"{name}{', emulated' if side['emulated'] else ''}", *latency, number(side["fps"], 3)])
        )
    note = (
        "<p>INT8 was emulated in float here: its speed stands for nothing on a GPU.</p>" if emulated else ""
    )
    if recorded:
        note += "<p>Recorded outputs are read from files and nothing is run: they have no latency.</p>"
    speedup = (
        ""
        if report["speedup"] is None
        else f"<p>Each alone, the candidate is {report['speedup']:.2f} times as fast.</p>"
    )
    return f'<section><h2>Speed</h2>{note}{speedup}<div class="card">{table(heads, rows)}</div></section>'


def _repeat(report: Mapping[str, Any], evidence: PageEvidence) -> str:
    settings = report["settings"]
    command = f"<pre>{text(shlex.join(evidence.command))}</pre>" if evidence.command else ""
    made = pairs(
        [
            ("confidence", f"above {settings['conf']:g}"),
            *_own_thresholds(settings),
            ("NMS IoU", f"{settings['nms']:g}{', any class' if settings['agnostic_nms'] else ''}"),
            ("match IoU", f"{settings['match_iou']:g}"),
            ("epsilon", f"{settings['epsilon']:g}"),
            ("frames", f"{report['frames']:,}"),
            *(
                (key, f"{report[key]['path']}{_hash(evidence.hashes.get(key))}")
                for key in ("reference", "candidate")
            ),
            ("source", report["source"]["path"]),
        ]
    )
    return (
        f'<section><h2>To repeat it</h2>{command}<div class="two"><div class="card">{made}</div>'
        f'<div class="card">{pairs(evidence.versions.items())}</div></div></section>'
    )


def _own_thresholds(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The candidate's, where a threshold re-fit is in force."""
    rows = []
    for own in settings.get("candidate_conf", ()):
        stride = "" if own["stride"] is None else f", stride {own['stride']}"
        rows.append(f"class {own['class_id']}{stride}: {own['conf']:g}")
    return [("of the candidate", "; ".join(rows))] if rows else []


def number3(value: float | None) -> str:
    """Three decimals, as AP is given."""
    return DASH if value is None else f"{value:.3f}"


def _hash(value: str | None) -> str:
    return f" (SHA-256 {value})" if value else ""


def _sentence(line: str) -> str:
    return f"{line[0].upper()}{line[1:]}{'' if line.endswith('.') else '.'}"
