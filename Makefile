# SPDX-License-Identifier: Apache-2.0
#
#   make demo        one command: leases on a simulated cloud, made, started, used, refused, ended
#   make test        the self-contained tests, on every database whose server is installed
#   make cloud       a real OpenStack control plane on this machine, with the service on it
#   make cloud-down  stop it
#   make cloud-test  the tests that need it
#   make style       format, lint, types, spelling
#   make docs        the documents, the API reference and the release notes, as HTML
#   make clean       remove what these have made
#
# Everything is installed into a virtual environment in $(VENV); nothing needs root. PYTHON=...
# chooses the interpreter that it is made with.

VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
REQUIREMENTS := requirements.txt test-requirements.txt constraints.txt
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
# Inside another environment, make's own variables must not leak into the one made here.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help install demo test cloud cloud-down cloud-test style docs clean

help:
	@sed -n 's/^#   make/make/p' Makefile

install: $(INSTALLED)

$(BIN)/python:
	@tools/make-venv $(VENV)

$(INSTALLED): $(REQUIREMENTS) setup.cfg pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV), which takes about a minute"
	@$(PIP) install -c constraints.txt -r requirements.txt -r test-requirements.txt -e .
	@touch $@

demo: $(INSTALLED)
	@$(BIN)/python tools/demo

test: $(INSTALLED)
	@$(BIN)/python tools/test $(ARGS)

cloud: $(INSTALLED)
	@VENV=$(VENV) $(BIN)/python tools/cloud/up

cloud-down:
	@tools/cloud/down

cloud-test: $(INSTALLED)
	@VENV=$(VENV) $(BIN)/python tools/cloud/test $(ARGS)

style: $(INSTALLED)
	@PATH="$(abspath $(BIN)):$$PATH" tools/style

docs: $(INSTALLED)
	@$(PIP) install -c constraints.txt -r doc/requirements.txt -r api-ref/requirements.txt
	@$(BIN)/python -m sphinx -W --keep-going -q -b html -d doc/build/doctrees doc/source doc/build/html
	@$(BIN)/python -m sphinx -W --keep-going -q -b html -d doc/build/api-ref-doctrees api-ref/source doc/build/html/api-ref
	@$(BIN)/python tools/openapi doc/build/html/api-ref/openapi.json
	@$(BIN)/python -m sphinx -W --keep-going -q -b html -d doc/build/notes-doctrees releasenotes/source doc/build/releasenotes
	@echo "doc/build/html/index.html, with the API reference in api-ref, and doc/build/releasenotes/index.html"

clean:
	rm -rf $(VENV) .hypothesis .mypy_cache .ruff_cache .stestr .tox build demo-state dist doc/build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
