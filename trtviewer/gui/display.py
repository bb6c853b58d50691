"""Whether a window can be opened here at all: Qt would not say so, it ends the process."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from trtviewer.errors import MissingRuntime

_ADVICE = "every other command works without one; trtviewer demo --headless writes a report and a picture"


@contextmanager
def answering_display() -> Iterator[None]:
    """Asks the X server itself, where Qt would; Qt connects within the block.

    The connection is held meanwhile: a server whose last client leaves begins anew, and would refuse Qt at that moment.

    Raises: MissingRuntime: there is no display, it does not answer, or a library of Qt's X11 part is missing.
    """
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if sys.platform != "linux" or (platform and not platform.startswith("xcb")):
        yield
        return
    if not os.environ.get("DISPLAY"):
        if os.environ.get("WAYLAND_DISPLAY") and not platform:
            yield
            return
        raise MissingRuntime("needs a display, and none is here (DISPLAY is empty)", advice=_ADVICE)
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
        ctypes.CDLL("libxcb-cursor.so.0")
    except OSError as error:
        raise MissingRuntime(
            f"needs a library for its window that is not here: {error}",
            advice="on Debian or Ubuntu: sudo apt-get install libxcb1 libxcb-cursor0",
        ) from error
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = (ctypes.c_char_p, ctypes.c_void_p)
    xcb.xcb_connection_has_error.argtypes = (ctypes.c_void_p,)
    xcb.xcb_disconnect.argtypes = (ctypes.c_void_p,)
    connection = xcb.xcb_connect(None, None)
    try:
        if xcb.xcb_connection_has_error(connection):
            raise MissingRuntime(
                "needs a display, and this one does not answer",
                subject=f"DISPLAY={os.environ['DISPLAY']}",
                advice=_ADVICE,
            )
        yield
    finally:
        xcb.xcb_disconnect(connection)
