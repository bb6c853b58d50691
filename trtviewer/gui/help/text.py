"""The program's help is its README, one text for both: each of its sections is a page; no Qt."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trtviewer.resources import readme

SCHEME = "trtviewer:"
"""Begins the links that open a dock, a control or a command of the window; elsewhere they are plain words."""

TOUR = "the-window-in-five-minutes"
WHAT_NOW = "my-int8-model-loses-objects-what-now"
"""Pages that the Help menu opens."""

_HEADING = re.compile(r"^##? (.+)$", re.MULTILINE)
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")


@dataclass(frozen=True, slots=True)
class HelpPage:
    """One section.

    Attributes:
        title: its heading.
        slug: what a link within the README names it by, as GitHub makes it of the heading.
        markdown: the whole of it, with its heading.
    """

    title: str
    slug: str
    markdown: str

    @property
    def pictures(self) -> tuple[str, ...]:
        """Its pictures, as paths from the README."""
        return tuple(_PICTURE.findall(self.markdown))


def help_pages() -> tuple[HelpPage, ...]:
    """The pages, in the README's order. Raises: OSError: it was not shipped."""
    text = readme().read_text("utf-8")
    found = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in found[1:]] + [len(text)]
    return tuple(
        HelpPage(heading[1], _slug(heading[1]), text[heading.start() : end].strip() + "\n")
        for heading, end in zip(found, ends, strict=True)
    )


def _slug(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
