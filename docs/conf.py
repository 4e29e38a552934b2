"""Sphinx: `make docs`. The pages are Markdown that reads as well without it."""

from __future__ import annotations

import re
from pathlib import Path

project = "jupyter-arrowshm"
copyright = "the jupyter-arrowshm developers"
version = release = re.findall(r'"(.*)"', (Path(__file__).parents[1] / "jupyter_arrowshm" / "_version.py").read_text())[
    0
]

extensions = ["myst_parser"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
nitpicky = True

html_theme = "furo"
html_title = project
# No word of the pages is fetched from elsewhere, nor tells anybody who reads them.
html_show_sphinx = False
html_copy_source = False
