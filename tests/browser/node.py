"""The views' own TypeScript, run outside a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from browser.lab import CHECKOUT

JS = CHECKOUT / "js"
# Node may be PyPI's, beside Python.
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def evaluate(place: Path, modules: list[str], expression: str, given: object) -> Any:
    """The JSON of an expression in which ``given`` and everything that the modules (of js/src) export are known."""
    entry = "".join(f"export * from './src/{module}';\n" for module in modules)
    bundle = place / "modules.cjs"
    esbuild = [JS / "node_modules" / ".bin" / "esbuild", "--bundle", "--platform=node", f"--outfile={bundle}"]
    options: dict[str, Any] = {"env": ENVIRONMENT, "check": True, "text": True, "stdout": subprocess.PIPE}
    subprocess.run([*esbuild, "--log-level=error"], input=entry, cwd=JS, **options)
    script = (
        f"const m = require({json.dumps(str(bundle))});"
        "const given = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        f"console.log(JSON.stringify((({{{', '.join(_exports(bundle))}}}) => {expression})(m)));"
    )
    done = subprocess.run(["node", "-e", script], input=json.dumps(given), **options)
    return json.loads(done.stdout)


def _exports(bundle: Path) -> list[str]:
    names = f"console.log(Object.keys(require({json.dumps(str(bundle))})).join())"
    done = subprocess.run(["node", "-e", names], env=ENVIRONMENT, check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout.strip().split(",")
