"""The comparison report on a terminal: the verdict first, then the figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from trtviewer.cli.progress import console
from trtviewer.cli.truth_tables import print_truth
from trtviewer.report.sentences import candidate_name, height_line, interval_lines, track_line
from trtviewer.runners.runner import RECORDED

UNDEFINED = "–"


def print_report(report: Mapping[str, Any]) -> None:
    """Prints a report of schema `trtviewer.compare/1`."""
    out = console()
    for sentence in report["verdict"]:
        out.print(f"[bold]{escape(sentence)}[/]", soft_wrap=True)
    out.print(_speed_line(report), soft_wrap=True)
    for table in (_detections(report), _reasons(report)):
        out.print()
        out.print(table)
    out.print(_agreement_line(report["detections"]), soft_wrap=True)
    name = candidate_name(report)
    for line in (*interval_lines(report), height_line(report, name), track_line(report, name)):
        if line:
            out.print(line, markup=False, soft_wrap=True)
    out.print()
    if "truth" in report:
        print_truth(out, report)
        out.print()
    if report["outputs"]:
        out.print(output_table(report["outputs"], report["settings"]["epsilon"]))
        for line in nonfinite_lines(report["outputs"]):
            out.print(line, markup=False, soft_wrap=True)
    elif report["outputs_reason"]:
        out.print(f"outputs are not compared: {report['outputs_reason']}", soft_wrap=True, markup=False)
    worst = [frame for frame in report["frames_worst"] if frame["missed"] + frame["extra"]][:5]
    if worst:
        listed = ", ".join(f"{frame['frame']} ({frame['missed'] + frame['extra']})" for frame in worst)
        out.print(f"\nworst frames (missed + extra): {listed}", highlight=False)


def figure(value: float | None, digits: int = 4) -> str:
    """A number to so many digits that count, with thousands apart; a dash where it is not defined."""
    if value is None:
        return UNDEFINED
    return f"{value:,}" if isinstance(value, int) else f"{value:.{digits}g}"


def percent(value: float | None) -> str:
    """A share as "4.5 %"; a dash where it is not defined."""
    return UNDEFINED if value is None else f"{100 * value:.1f} %"


def output_table(outputs: list[Mapping[str, Any]], epsilon: float) -> Table:
    """The errors of some outputs, each in all and by channel group."""
    table = _table(
        "output", ["stride", "MSE", "mean |d|", "max |d|", f"|d| > {epsilon:g}", "cosine", "SQNR dB"]
    )
    for output in outputs:
        stride = str(output["stride"]) if output["stride"] else ""
        table.add_row(output["name"], stride, *_error_cells(output))
        if len(output["groups"]) > 1:
            for group, error in output["groups"].items():
                table.add_row(f"  {group}", "", *_error_cells(error), style="dim")
    return table


def nonfinite_lines(outputs: list[Mapping[str, Any]]) -> list[str]:
    """One line for each output with values that are inf or NaN."""
    lines = []
    for output in outputs:
        counts = output["nonfinite"]
        if counts["reference"] or counts["candidate"]:
            lines.append(
                f"{output['name']}: inf or NaN in {counts['reference']:,} values of the reference "
                f"and {counts['candidate']:,} of the candidate; they are left out of the figures"
            )
    return lines


def _speed_line(report: Mapping[str, Any]) -> str:
    sides = []
    for name in ("reference", "candidate"):
        side = report[name]
        mark = " emulated" if side["emulated"] else ""
        latency = "" if side["runner"] == RECORDED else f", {figure(side['latency_ms']['mean'], 3)} ms"
        sides.append(f"{name} {side['precision']}{mark}, {side['runner']}{latency}")
    note = ""
    sides_run = [side for side in (report["reference"], report["candidate"]) if side["runner"] != RECORDED]
    if any(side["emulated"] for side in sides_run):
        note = " (emulated INT8: its speed stands for nothing on a GPU)"
    return f"[dim]{escape('; '.join(sides))}; {report['frames']:,} frames{note}[/]"


def _detections(report: Mapping[str, Any]) -> Table:
    table = _table("", ["reference", "candidate", "matched", "missed", "extra", "missed rate"])
    table.add_row("all", *_count_cells(report["detections"]), style="bold")
    for row in report["by_stride"]:
        name = "no stride" if row["stride"] is None else f"stride {row['stride']}"
        table.add_row(name, *_count_cells(row))
    for size, row in report["by_size"].items():
        table.add_row(size, *_count_cells(row))
    classes = [row for row in report["by_class"] if row["reference"] or row["candidate"]]
    for row in sorted(classes, key=lambda row: -(row["missed"] + row["extra"]))[:10]:
        table.add_row(escape(row["name"]), *_count_cells(row))
    return table


def _reasons(report: Mapping[str, Any]) -> Table:
    detections = report["detections"]
    table = _table("reason", ["missed", "extra"])
    for reason, count in detections["missed_reasons"].items():
        table.add_row(reason.replace("_", " "), f"{count:,}", f"{detections['extra_reasons'][reason]:,}")
    return table


def _agreement_line(detections: Mapping[str, Any]) -> str:
    return (
        f"[dim]F1 {figure(detections['agreement_f1'])}, mean IoU {figure(detections['mean_iou'])}, "
        f"mean score difference {figure(detections['mean_score_delta'], 3)}[/]"
    )


def _table(first: str, numbers: list[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(first)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table


def _count_cells(row: Mapping[str, Any]) -> list[str]:
    counts = [f"{row[key]:,}" for key in ("reference", "candidate", "matched", "missed", "extra")]
    return [*counts, percent(row["missed_rate"])]


def _error_cells(error: Mapping[str, Any]) -> list[str]:
    return [
        figure(error["mse"]),
        figure(error["mae"]),
        figure(error["max_abs"]),
        percent(error["over_epsilon"]),
        figure(error["cosine"], 6),
        figure(error["sqnr_db"], 4),
    ]
