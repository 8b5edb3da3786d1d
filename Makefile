# make lab        set up .venv and open the course in JupyterLab
# make test       set up .venv and run every test, the notebooks included
# make venv       set up .venv alone
# make notebooks  run all notebooks in place and normalise the files
# make bench      measure speed, as ratios of things run side by side
# make lint       check and format code and notebooks

# The first Python on this machine that the course supports; `make lab PYTHON=/some/python` chooses another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
# An extra package index, for instance the one with CPU-only builds of PyTorch (README.md, "CPU only").
INDEX ?=

# One thread: as fast for networks of this size on two cores, and the same numbers on every run.
SINGLE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)

.PHONY: lab test venv notebooks bench lint

lab: venv
	cd notebooks && ../.venv/bin/jupyter lab $(AS_ROOT) 00_start_here.ipynb

test: venv
	$(SINGLE_THREAD) .venv/bin/python -m pytest

venv: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	@[ -n "$(PYTHON)" ] || { echo "The course needs Python 3.11, 3.12 or 3.13, and none was found: install one," \
		"or name it: make lab PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check $(if $(INDEX),--extra-index-url $(INDEX)) \
		--constraint constraints.txt --editable .
	touch .venv/installed

notebooks: venv
	$(SINGLE_THREAD) .venv/bin/python -m course_utils.notebook_files

bench: venv
	$(SINGLE_THREAD) .venv/bin/python -m tests.benchmarks

lint: venv
	.venv/bin/ruff check --fix . && .venv/bin/ruff format .
