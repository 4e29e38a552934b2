# make demo   run the main job on real data
# make test   check the style and types, then run all tests
# Both need git, make and Python 3.10 or later with venv; they keep to .venv/.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
OLDEST := .venv-oldest

.PHONY: demo test lint test-python test-oldest torture bench clean

demo: $(VENV)/.demo
	$(BIN)/jupyter arrowshm demo

test: lint test-python test-oldest

lint: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

test-python: $(VENV)/.test
	$(BIN)/python -m pytest

# The oldest releases that we say we work with; the newest ones are what `make test-python` runs on.
test-oldest: $(OLDEST)/.test
	$(OLDEST)/bin/python -m pytest -q tests/core/test_tabular.py tests/core/test_types.py

torture: $(VENV)/.test
	JUPYTER_ARROWSHM_KILLS=10000 $(BIN)/python -m pytest -s --timeout=7200 tests/faults

bench: $(VENV)/.test
	$(BIN)/python benchmarks/publish.py
	$(BIN)/python benchmarks/attach.py

clean:
	rm -rf $(VENV) $(OLDEST) dist

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "Python 3.10 or later is needed; name it with make PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "venv is missing: apt-get install python3-venv"; exit 1; }
	$(PIP) --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml
	$(PIP) --editable . --group demo
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	$(PIP) --editable . --group test --group lint
	@touch $@

$(OLDEST)/.test: pyproject.toml
	@$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip --disable-pip-version-check install --quiet --upgrade "pip>=25.1"
	$(OLDEST)/bin/python -m pip --disable-pip-version-check install --quiet --editable . --group oldest
	@touch $@
