"""Where the packaged program begins."""

import multiprocessing
import os
import sys

# A worker process of its own starts this same program; it must become a worker before anything else happens.
multiprocessing.freeze_support()

# The package leaves Qt's Wayland client out: on a Wayland desktop it runs through XWayland, whatever the session asks for.
if os.environ.get("QT_QPA_PLATFORM", "").startswith("wayland"):
    os.environ["QT_QPA_PLATFORM"] = "xcb"

from trtviewer.cli.main import main  # noqa: E402

sys.exit(main())
