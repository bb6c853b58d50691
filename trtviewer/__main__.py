"""`python -m trtviewer`, the same as the command `trtviewer`."""

import sys

from trtviewer.cli.main import main

sys.exit(main())
