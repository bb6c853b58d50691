"""The sentences under the verdict, worded as the terminal and the report word them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trtviewer.report.sentences import candidate_name, height_line, interval_lines, track_line


def findings_sentences(report: Mapping[str, Any]) -> tuple[str, ...]:
    """How sure the figures are, below which height the candidate is blind, what becomes of the tracks."""
    name = candidate_name(report)
    lines = [*interval_lines(report), height_line(report, name), track_line(report, name)]
    return tuple(f"{line[0].upper()}{line[1:]}." for line in lines if line)
