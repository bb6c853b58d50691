"""How far what a dock needs is open: the reference, both models, frames that can be gone through."""

from __future__ import annotations

from dataclasses import dataclass

from trtviewer.gui.view_model import ViewModel


@dataclass(frozen=True, slots=True)
class Readiness:
    """Attributes:
    reference: it is open. both: the shown candidate is, too. frames: the source has an end.
    """

    reference: bool
    both: bool
    frames: bool

    @staticmethod
    def of(view_model: ViewModel) -> Readiness:
        models, source = view_model.models, view_model.source
        open_ones = [one is not None and one.spec is not None for one in (models.reference, models.candidate)]
        return Readiness(open_ones[0], all(open_ones), source is not None and source.length is not None)

    @property
    def all(self) -> bool:
        return self.both and self.frames
