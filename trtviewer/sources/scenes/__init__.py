"""Procedural scenes: moving pictures of a street, with their truth, that ship with the program."""

from trtviewer.sources.scenes.address import open_scene

__all__ = ["open_scene"]
