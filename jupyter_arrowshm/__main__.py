"""``python -m jupyter_arrowshm``: the same as ``jupyter arrowshm``."""

import sys

from .cli.main import main

sys.exit(main())
