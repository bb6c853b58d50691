"""Where the packaged program begins."""

import multiprocessing
import os
import sys

# A worker process of its own starts this same program; it must become a worker before anything else happens.
multiprocessing.freeze_support()

# The package leaves Qt's Wayland client out: on a Wayland desktop it runs through XWayland, whatever the session asks for.
if os.environ.get("QT_QPA_PLATFORM", "").startswith("wayland"):
    os.environ["QT_QPA_PLATFORM"] = "xcb"

# The start program names this package's folder in it; tools that are started from here (nvidia-smi) have their own libraries.
if "LD_LIBRARY_PATH_ORIG" in os.environ:
    os.environ["LD_LIBRARY_PATH"] = os.environ.pop("LD_LIBRARY_PATH_ORIG")
else:
    os.environ.pop("LD_LIBRARY_PATH", None)

from trtviewer.cli.main import main  # noqa: E402

sys.exit(main())
