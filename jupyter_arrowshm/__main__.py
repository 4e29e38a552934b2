"""``python -m jupyter_arrowshm``: the same as ``jupyter arrowshm``."""

import sys

from .cli import main

sys.exit(main())
