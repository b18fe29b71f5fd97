# The front door. `make help` lists what there is.
PROFILE ?= quick
CORES ?= $(shell nproc 2>/dev/null || echo 2)
PYTHON := $(shell if python3 -c 'import binenc, snakemake' 2>/dev/null; then command -v python3; else echo .venv/bin/python; fi)
export PATH := $(abspath $(dir $(PYTHON))):$(PATH)
SNAKEMAKE = flock _build/lock $(PYTHON) -m snakemake --cores $(CORES) --rerun-incomplete --nolock --keep-going --quiet rules

book: env
	@mkdir -p _build
	@$(SNAKEMAKE) --config profile=$(PROFILE)

env: $(PYTHON)

.venv/bin/python: requirements.lock
	python3 -m venv .venv
	.venv/bin/pip install -r requirements.lock
	.venv/bin/pip install --no-deps -e .
	touch $@

.PHONY: book env
