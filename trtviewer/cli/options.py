"""Options that several commands share, so that they mean the same everywhere."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from trtviewer.compare.settings import CompareSettings
from trtviewer.models.engine_file import ENGINE_SUFFIXES
from trtviewer.models.trust import trust
from trtviewer.runners.trt_module import use_plugins
from trtviewer.sources.source import FrameRange

_DEFAULTS = CompareSettings()


def whole_number(least: int) -> Callable[[str], int]:
    """A converter for argparse: whole numbers from `least` on."""

    def convert(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}, not {value}")
        return value

    convert.__name__ = "whole number"
    return convert


def positive_number(text: str) -> float:
    """A converter for argparse: numbers above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
    return value


def add_models(parser: argparse.ArgumentParser) -> None:
    """--reference and --candidate, both needed."""
    parser.add_argument("--reference", type=Path, required=True, metavar="M", help="usually the FP32 model")
    parser.add_argument("--candidate", type=Path, required=True, metavar="M", help="usually the INT8 model")
    add_engine_options(parser)


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """--trust and --plugin, wherever an engine may be loaded."""
    parser.add_argument(
        "--trust", action="store_true", help="load engines that were not built here: a plan is code"
    )
    add_plugins(parser)


def add_plugins(parser: argparse.ArgumentParser) -> None:
    """--plugin, which may be given again."""
    parser.add_argument(
        "--plugin",
        type=Path,
        action="append",
        default=[],
        metavar="LIB",
        help="a plugin library; its code runs",
    )


def allow_engines(arguments: argparse.Namespace) -> None:
    """Does what the options of `add_engine_options` say, for every command that has them, before any model is opened.

    Raises: BadInput: a plugin library is not there, or the trust cannot be remembered.
    """
    if not hasattr(arguments, "trust"):
        return
    use_plugins(arguments.plugin)
    named = [getattr(arguments, name, None) for name in ("model", "reference", "candidate")]
    models = [path for one in named for path in (one if isinstance(one, list) else [one])]
    for model in models if arguments.trust else []:
        if model is not None and model.suffix.lower() in ENGINE_SUFFIXES and model.is_file():
            trust(model)


def add_source(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """--source, and which of its frames."""
    parser.add_argument(
        "--source",
        required=required,
        metavar="S",
        help="a video, an image, a folder of images, camera:N, scene:NAME, or an evidence bundle",
    )
    parser.add_argument("--frames", type=whole_number(1), metavar="N", help="at most N frames")
    parser.add_argument("--every", type=whole_number(1), metavar="K", help="each K-th frame")
    parser.add_argument("--start", type=whole_number(0), default=0, metavar="I", help="from frame I on (0)")


def frame_range(arguments: argparse.Namespace, default_count: int | None = None) -> FrameRange:
    """The frames that the options of `add_source` name."""
    count = arguments.frames if arguments.frames is not None else default_count
    return FrameRange(arguments.start, arguments.every or 1, count)


def add_thresholds(parser: argparse.ArgumentParser) -> None:
    """The four thresholds and --agnostic-nms."""
    for name, value, meaning in (
        ("--conf", _DEFAULTS.confidence, "keep boxes whose score is above"),
        ("--nms", _DEFAULTS.nms_iou, "NMS removes a box whose IoU with a better one is above"),
        ("--match-iou", _DEFAULTS.match_iou, "boxes of one class match from this IoU on"),
        ("--epsilon", _DEFAULTS.epsilon, "a value of an output counts as off above this difference"),
    ):
        parser.add_argument(name, type=float, default=value, metavar="X", help=f"{meaning} ({value:g})")
    parser.add_argument("--agnostic-nms", action="store_true", help="NMS across classes")


def settings(arguments: argparse.Namespace) -> CompareSettings:
    """The settings that the options of `add_thresholds` name. Raises: BadUsage: one is out of its bounds."""
    return CompareSettings(
        confidence=arguments.conf,
        nms_iou=arguments.nms,
        agnostic_nms=arguments.agnostic_nms,
        match_iou=arguments.match_iou,
        epsilon=arguments.epsilon,
    )
