# make lab          set up .venv and open the course in JupyterLab
# make test         set up .venv and run every test, the notebooks included
# make venv         set up .venv alone
# make notebooks    run all notebooks in place and normalise the files
# make bench        measure speed, as ratios of things run side by side
# make lint         check and format code and notebooks
# make constraints  set up .venv with the newest versions, and write them down in constraints.txt

# The first Python on this machine that the course supports and that can make a .venv (Debian ships the module
# ensurepip apart, in python3-venv); `make lab PYTHON=/some/python` chooses another.
SUITABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(SUITABLE)' 2>/dev/null && echo $$p && break; done)
# An extra package index, for instance the one with CPU-only builds of PyTorch (README.md, "CPU only").
INDEX ?=
# More options for JupyterLab, for instance `make lab OPTIONS=--ip=0.0.0.0` in a container.
OPTIONS ?=

# One thread: as fast for networks of this size on two cores, and the same numbers on every run.
SINGLE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)
# No question about news at the first start: the .venv's default, which the reader's own settings override.
NEWS := {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}
INSTALL := .venv/bin/python -m pip install --quiet --disable-pip-version-check $(if $(INDEX),--extra-index-url "$(INDEX)")

.PHONY: lab test venv notebooks bench lint constraints

lab: venv
	.venv/bin/python -m jupyterlab $(AS_ROOT) --ServerApp.root_dir=. \
		--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb $(OPTIONS)

test: venv
	$(SINGLE_THREAD) .venv/bin/python -m pytest

venv: .venv/installed

# The file is written last, so an installation that was interrupted starts again. It names the folder, because a
# .venv does not work in another one.
ifneq ($(shell cat .venv/installed 2>/dev/null),$(CURDIR))
.PHONY: .venv/installed
endif
.venv/installed: pyproject.toml constraints.txt
	@if ! .venv/bin/python -c 'import pip; $(SUITABLE)' 2>/dev/null; then \
		"$(PYTHON)" -c '$(SUITABLE)' 2>/dev/null || { \
			echo "The course needs Python 3.11, 3.12 or 3.13 with its module venv, and none was found: install one" \
			"(Debian, Ubuntu: apt-get install python3-venv; macOS: brew install python@3.13)," \
			"or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }; \
		"$(PYTHON)" -m venv --clear .venv; fi
	@echo "Installing the course into .venv: some minutes, and up to 6 GB on Linux."
	$(INSTALL) --constraint constraints.txt --editable .
	@mkdir -p .venv/share/jupyter/lab/settings
	@echo '$(NEWS)' > .venv/share/jupyter/lab/settings/overrides.json
	@echo "$(CURDIR)" > .venv/installed

notebooks: venv
	$(SINGLE_THREAD) .venv/bin/python -m course_utils.notebook_files

bench: venv
	$(SINGLE_THREAD) .venv/bin/python -m tests.benchmarks

lint: venv
	.venv/bin/python -m ruff check --fix . && .venv/bin/python -m ruff format .

constraints:
	"$(PYTHON)" -m venv --clear .venv && $(INSTALL) --editable .
	{ grep '^#' constraints.txt; .venv/bin/python -m pip freeze --all --exclude pip --exclude-editable; } > .venv/frozen
	mv .venv/frozen constraints.txt
