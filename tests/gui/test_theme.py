"""Colours that can be read, and line styles that can be told apart."""

from __future__ import annotations

import itertools

import pytest

from trtviewer.gui.style_sheet import style_sheet
from trtviewer.gui.theme import BOX_STYLES, THEMES, Theme, contrast


def independent_contrast(one: str, other: str) -> float:
    """WCAG 2.1, written out from its text."""
    values = []
    for name in (one, other):
        parts = [int(name[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        values.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(values) + 0.05) / (min(values) + 0.05)


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
@pytest.mark.parametrize("role", ("text", "faint", "accent", "matched", "missed", "extra", "warning"))
def test_that_every_text_is_readable_on_every_ground(theme: Theme, role: str) -> None:
    for ground in ("background", "surface", "raised"):
        assert independent_contrast(getattr(theme, role), getattr(theme, ground)) >= 4.5, ground


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_that_text_on_the_accent_is_readable(theme: Theme) -> None:
    assert independent_contrast(theme.on_accent, theme.accent) >= 4.5
    assert contrast(theme.on_accent, theme.accent) == pytest.approx(
        independent_contrast(theme.on_accent, theme.accent), abs=0.01
    )


def test_that_no_two_meanings_share_both_colour_and_line() -> None:
    looks = {kind: (style.color, style.width, style.style) for kind, style in BOX_STYLES.items()}
    for one, other in itertools.combinations(looks, 2):
        assert looks[one] != looks[other], (one, other)
    lines = {kind: looks[kind][1:] for kind in ("matched", "missed", "extra", "truth")}
    assert len(set(lines.values())) == len(lines), "also without colour"


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_that_the_style_sheet_names_no_colour_of_its_own(theme: Theme) -> None:
    roles = {getattr(theme, role) for role in theme.__slots__}
    used = {word.strip(";,") for word in style_sheet(theme).split() if word.startswith("#")}
    assert used <= roles
