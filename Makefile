# make lab          set up .venv and open the course in JupyterLab
# make test         set up .venv and run every test, the notebooks included
# make site         set up .venv and build the course as a web site in _site; it needs node
# make slides       set up .venv and build a deck of slides for each notebook in _site/slides; it needs node
# make venv         set up .venv alone
# make work         copy the notebooks to work/, for a reader who updates the course; what is there already stays
#
# For a class (README.md):
# make assignment OUT=folder [NOTEBOOKS="03 08"] [FORMAT=nbgrader]    write what students are handed
# make grade HANDED_IN=folder-or-zip OUT=folder [NOTEBOOKS="03 08"]   grade what they hand in
#
# For authors:
# make check        check style, format, types, floors and scripts, as CI does; `make lint` mends what can be mended
# make notebooks    run all notebooks in place and normalise the files
# make models       write course_utils/models.py from the notebooks' cells tagged `model`
# make bench        measure speed, and quality at equal time, side by side; `make bench ONLY="vae recipes"` for some parts
# make times        measure how long the notebooks run, and write it into README.md and their first cells
# make test-lowest  run the tests with the lowest versions that pyproject.toml allows, in .venv-lowest
# make test-colab   run 00, 04 and 07 and the tests of the demos with what Colab has, in .venv-colab
# make constraints  set up .venv with the newest versions, and write them down in constraints.txt

# The first Python on this machine that the course supports and that can make a .venv (Debian ships the module
# ensurepip apart, in python3-venv); `make lab PYTHON=/some/python` chooses another.
SUITABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(SUITABLE)' 2>/dev/null && echo $$p && break; done)
# An extra package index, for instance the one with CPU-only builds of PyTorch (README.md, "CPU only").
INDEX ?=
# The numbers of the notebooks that a class is handed, such as "03 08"; all of them without it.
NOTEBOOKS ?=
FORMAT ?= notebooks
# More options for JupyterLab, for instance `make lab OPTIONS=--ip=0.0.0.0` in a container.
OPTIONS ?=

# One thread: as fast for networks of this size on two cores, and the same numbers on every run.
SINGLE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)
# No question about news at the first start: the .venv's default, which the reader's own settings override.
NEWS := {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}
INSTALL := -m pip install --disable-pip-version-check $(if $(INDEX),--extra-index-url "$(INDEX)")
ESLINT := site/node_modules/.bin/eslint
SCRIPTS := course_utils/explorers/web site tests/web
COURSE := --editable ".[lab,test,site]"
# Two workers, each with a file at a time, in the order of pyproject.toml's testpaths: the notebooks first.
TEST := -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: lab test site slides venv assignment grade work check lint notebooks models bench times test-lowest test-colab constraints

lab: .venv/installed
	@echo "JupyterLab starts: if no browser opens, open the address that it prints. Ctrl+C ends it."
	.venv/bin/python -m jupyterlab $(AS_ROOT) --ServerApp.root_dir=. \
		--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb $(OPTIONS)

test: .venv/installed site/node_modules/.package-lock.json
	@echo "Every test and every notebook runs: about 20 minutes on two cores."
	.venv/bin/python $(TEST)
	@echo "All tests have passed. Next: make lab opens the course."

site: .venv/installed site/node_modules/.package-lock.json
	$(SINGLE_THREAD) .venv/bin/python -m workshop.site

slides: .venv/installed site/node_modules/.package-lock.json
	.venv/bin/python -m workshop.slides

# What the pages and decks take from npm. Without it `make site` fails, and tests that need it are skipped by name.
site/node_modules/.package-lock.json: site/package-lock.json
	@cd site && npm ci --no-audit --no-fund || echo "npm ci failed: the site and the slides need node and npm."

venv: .venv/installed
	@echo "The course is installed in .venv. Next: make lab opens it, make test tests it."

work:
	@mkdir -p work
	@for path in notebooks/*.ipynb; do test -e "work/$${path##*/}" || cp "$$path" work/; done
	@echo "Your copies of the notebooks are in work/. Next: make lab, and open them there."

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
		echo "Making the folder .venv with $$("$(PYTHON)" --version)"; "$(PYTHON)" -m venv --clear .venv; fi
	@echo "Installing PyTorch, JupyterLab and the rest into .venv, which takes some minutes. On Linux: 3 GB to"
	@echo "download, and 6 GB on the disk (README.md says how to do without CUDA); much less elsewhere."
	.venv/bin/python $(INSTALL) --constraint constraints.txt $(COURSE)
	@mkdir -p .venv/share/jupyter/lab/settings
	@echo '$(NEWS)' > .venv/share/jupyter/lab/settings/overrides.json
	@echo "$(CURDIR)" > .venv/installed

assignment: .venv/installed
	$(if $(OUT),,$(error make assignment needs OUT=folder))
	.venv/bin/python -m workshop.assignment "$(OUT)" --notebooks $(NOTEBOOKS) --format $(FORMAT)

grade: .venv/installed
	$(if $(and $(HANDED_IN),$(OUT)),,$(error make grade needs HANDED_IN=folder-or-zip and OUT=folder))
	.venv/bin/python -m workshop.grade "$(HANDED_IN)" "$(OUT)" --notebooks $(NOTEBOOKS)

check: .venv/installed site/node_modules/.package-lock.json
	.venv/bin/python -m ruff check . && .venv/bin/python -m ruff format --check .
	.venv/bin/python -m mypy && .venv/bin/lint-imports --no-logo --no-cache
	@if [ -x $(ESLINT) ]; then $(ESLINT) --config site/eslint.config.mjs $(SCRIPTS); \
		else echo "The scripts of the pages were not checked: eslint is missing."; fi

lint: .venv/installed
	.venv/bin/python -m ruff check --fix . && .venv/bin/python -m ruff format .

notebooks: .venv/installed
	$(SINGLE_THREAD) .venv/bin/python -m workshop.notebooks

models: .venv/installed
	.venv/bin/python -m workshop.export_models

bench: .venv/installed
	$(SINGLE_THREAD) .venv/bin/python -m workshop.bench $(ONLY)

times: .venv/installed
	$(SINGLE_THREAD) .venv/bin/python -m workshop.times

test-lowest:
	"$(PYTHON)" -m venv --clear .venv-lowest && .venv-lowest/bin/python $(INSTALL) uv
	.venv-lowest/bin/python -m uv pip install --python .venv-lowest --resolution lowest-direct $(COURSE)
	.venv-lowest/bin/python $(TEST) -m "not pinned"

test-colab:
	"$(PYTHON)" -m venv --clear .venv-colab
	.venv-colab/bin/python $(INSTALL) --constraint workshop/colab.txt --editable . pytest nbval
	$(SINGLE_THREAD) .venv-colab/bin/python -m pytest tests/explorers \
		notebooks/00_start_here.ipynb notebooks/04_transpose_convolution.ipynb notebooks/07_vae_notation_and_elbo.ipynb

constraints:
	"$(PYTHON)" -m venv --clear .venv && .venv/bin/python $(INSTALL) $(COURSE)
	{ grep '^#' constraints.txt; .venv/bin/python -m pip freeze --all --exclude pip --exclude-editable; } > .venv/frozen
	mv .venv/frozen constraints.txt
