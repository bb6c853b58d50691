"""OpenCV, imported in the one place that undoes what its import does to the process: `from trtviewer.opencv import cv2`."""

import os

import cv2

# The wheel points Qt 5 variables at its own plugins; child processes would inherit them (facts/gui.md 6).
for _name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
    os.environ.pop(_name, None)

# What it would write to stderr, our own errors say in one line.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

__all__ = ["cv2"]
