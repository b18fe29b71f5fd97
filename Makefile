# The front door; `make help` lists the targets.
PROFILE  ?= quick
# (GNU nproc would take OMP_NUM_THREADS, which is about threads, for the number of cores.)
CORES    ?= $(shell env -u OMP_NUM_THREADS nproc 2>/dev/null || echo 2)
PROTOCOL ?= as_written
ARCH     ?= binary_encoding
SEED     ?= 0
# Runs that share the GPU, where there is one.
GPU_RUNS ?= 4

# Where `make serve` shows the report.
PORT     ?= 8000

# What is about recorded runs takes PROFILE where it is given, else paper.
RECORDED  = $(if $(filter file,$(origin PROFILE)),paper,$(PROFILE))

# A variable that no target reads, or only another, would be ignored without a word.
GIVEN := $(foreach name,$(.VARIABLES),$(if $(findstring command,$(origin $(name))),$(name)))
# What a variable is read by, where that is not all that builds.
READ := $(foreach goal,book report plan run paper slurm verify export,PROFILE/$(goal)) \
	EXPERIMENT/run PROTOCOL/run ARCH/run SEED/run EPOCHS/run SHARD/paper SHARD/slurm YES/paper RUN/verify \
	FILE/import URL/launch PART/bench PORT/serve SLURM/slurm AXE/test-browser CHROMIUM/test-browser CHROMIUM/pdf \
	BINENC_REPORT/test-browser
KNOWN := CORES GPU_RUNS TMPDIR OMP_NUM_THREADS BINENC_DATA BINENC_DEVICE $(foreach pair,$(READ),$(firstword $(subst /, ,$(pair))))
UNREAD := $(filter-out $(KNOWN),$(GIVEN)) $(foreach name,$(GIVEN),$(if $(filter $(name)/%,$(READ)),\
	$(if $(filter $(MAKECMDGOALS:%=$(name)/%),$(READ)),,$(name))))
$(if $(strip $(UNREAD)),$(error $(strip $(UNREAD)): not read by `make $(MAKECMDGOALS)`; `make help` names what is. A \
	field of an experiment or a protocol is changed behind its name: EXPERIMENT=digits_mlp,gamma=1))

# Of 0 cores Snakemake would wait for ever, and 0 of a resource are no limit to it.
$(foreach name,CORES GPU_RUNS,$(if $(shell echo '$($(name))' | grep -Eqx '[1-9][0-9]*' || echo no),\
	$(error $(name)=$($(name)): give a whole number, at least 1)))

# The active environment where binenc can be imported from it, else .venv, made when it is not there.
ACTIVE := $(shell python3 -PEc 'import binenc, os, sys; print(os.path.dirname(sys.executable))' 2>/dev/null)
# From a .venv whose Python an upgrade of the system replaced nothing can be imported.
BROKEN := $(if $(ACTIVE),,$(if $(wildcard .venv/installed),$(shell .venv/bin/python -PEc 'import yaml' 2>/dev/null || echo yes)))
export PATH := $(or $(ACTIVE),$(CURDIR)/.venv/bin):$(PATH)
export PYTHONPATH := $(CURDIR)
PIP := $(or $(ACTIVE),.venv/bin)/pip

# Snakemake keeps a cache there, also where nobody may write.
ifeq ($(XDG_CACHE_HOME)$(shell [ -w "$$HOME" ] && echo writable),)
export XDG_CACHE_HOME := $(CURDIR)/_build/cache
endif

export CORES

# What is written and read is UTF-8, also where the locale says otherwise.
export PYTHONUTF8 := 1

# A page more than cores, as a page waits for its kernel or its kernel for it, but no training more.
TRAININGS = $(or $(if $(filter-out cpu,$(or $(BINENC_DEVICE),cuda)),$(if $(shell nvidia-smi -L 2>/dev/null),$(GPU_RUNS))),$(CORES))

# One build at a time; what a build lent to its pages ends a moment after it.
FREE = { flock -w 3 -E 75 _build/lock true; [ $$? != 75 ]; }
ALONE = mkdir -p _build && { $(FREE) || echo "another build is at work here: waiting" >&2; } && \
	flock --no-fork _build/lock

# After a power loss the next command resumes by itself. What `train` is for has no record: it runs, whatever
# Snakemake remembers.
SNAKEMAKE = python -m snakemake --cores $$(($(CORES) + 1)) --max-threads $(CORES) --rerun-incomplete --nolock \
	--keep-going --scheduler greedy --forcerun train --resources training=$(TRAININGS)
BUILD = $(ALONE) python -m pipeline.warm -- $(SNAKEMAKE)

# Snakemake is kept quiet, and a build that fails for its reasons would end without a word; 2 is a wrong word of the user.
LEFT = { code=$$?; [ $$code = 2 ] || echo "not complete: make plan says what is left, or what is wrong" >&2; exit $$code; }

BUILT = [ -e _build/html/index.html ] || { echo "make $(1) needs what make book makes: run that first" >&2; exit 2; }

REPORT = echo "report: $(CURDIR)/_build/html/index.html"

.DEFAULT_GOAL := help
.PHONY: help broken env book report plan run paper slurm verify export import test test-browser linkcheck pdf readme launch bench lint lab serve clean

broken:

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r name what; do printf '%-14s%s\n' $$name "$$what"; done

env: $(if $(filter-out $(CURDIR)/.venv/bin,$(ACTIVE)),,.venv/installed)

.venv/installed: requirements.lock $(if $(BROKEN),broken)
	python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "binenc needs Python 3.11 or newer")'
	python3 -m venv $(if $(BROKEN),--clear) .venv
	.venv/bin/python -m pip install --progress-bar off -q -r requirements.lock
	.venv/bin/python -m pip install --progress-bar off -q --no-deps -e .
	@touch $@

book: env  ## train what is missing of PROFILE (quick), render the report to _build/html
	@$(BUILD) --quiet all --config "profile=$(PROFILE)" || $(LEFT)
	@$(REPORT)

report: env  ## render the report from the records there are, without training
	@$(BUILD) --quiet all --config "profile=$(PROFILE)" train=false || $(LEFT)
	@$(REPORT)

plan: env  ## what `make book` would do, one line a job
	@said=$$($(SNAKEMAKE) -n --config "profile=$(PROFILE)" 2>&1) || { echo "$$said" >&2; exit 1; }; \
		echo "$$said" | sed -n "s/^Job [0-9]*: //p; /^Nothing to be done/p"

run: env  ## one page: EXPERIMENT=digits_mlp [PROFILE= PROTOCOL= ARCH= SEED= EPOCHS=]
	@python -m pipeline.run "$(PROFILE)" "$(EXPERIMENT)$(if $(EPOCHS),$(comma)epochs=$(EPOCHS))" \
		"$(PROTOCOL)" "$(ARCH)" "$(SEED)"

paper: env  ## train what is missing of PROFILE (paper), after an estimate: [SHARD=1/4 YES=1 BINENC_DEVICE=cpu]
	@$(ALONE) python -m binenc.commands.estimate "$(RECORDED)" --cores $(CORES) --keep _build/estimate.json \
		$(if $(SHARD),--shard "$(SHARD)") $(if $(filter 1,$(YES)),--yes)
	@$(BUILD) --quiet all --config "profile=$(RECORDED)" $(if $(SHARD),"shard=$(SHARD)" -- pages) || $(LEFT)
	$(if $(SHARD),,@$(REPORT))

slurm: env  ## the same with each page a job of a Slurm cluster: profiles/slurm/config.yaml
	@python -c 'import snakemake_executor_plugin_slurm' 2>/dev/null || { \
		echo "make slurm needs Snakemake's executor for it: $(PIP) install -e '.[slurm]'" >&2; exit 2; }
	@$(ALONE) python -m snakemake --profile profiles/slurm $(SLURM) \
		--quiet host rules progress --config "profile=$(RECORDED)" $(if $(SHARD),"shard=$(SHARD)" -- pages)

verify: env  ## train a recorded run again and compare: RUN=mnist/as_written/binary_encoding/seed-0 [PROFILE=paper]
	@python -m binenc.commands.verify "$(RECORDED)" "$(RUN)"

export: env  ## pack the records of PROFILE (paper) into one file of _build
	@python -m binenc.commands.exchange export "$(RECORDED)" "_build/$(RECORDED)-records.tar"

import: env  ## check and add the records of such a file: FILE=_build/paper-records.tar
	@python -m binenc.commands.exchange import "$(FILE)"

test: env  ## all tests that need no browser and no GPU
	@OMP_NUM_THREADS=1 python -m pytest -q -n $(CORES)

test-browser: env  ## look at the report in chromium; needs playwright, and AXE=.../axe.min.js of npm's axe-core
	@python -c 'import playwright' 2>/dev/null || { echo "make test-browser needs chromium, and $(PIP) install -e '.[browser]'" >&2; exit 2; }
	@python -m pytest -q -m browser

linkcheck: env  ## links, images, downloads and sizes of the report that was built last
	@$(call BUILT,$@)
	@python -m pipeline.check _build/stage _build/html

pdf: env  ## the report as one PDF, printed by chromium
	@$(ALONE) python -m pipeline.pdf

readme: env  ## the verdicts of paper, first_epochs and quick, and a figure of the first, into README.md
	@python -m pipeline.readme paper first_epochs quick

launch: env  ## Colab and Binder buttons for URL=https://github.com/owner/name
	@python -m pipeline.launch "$(URL)"

bench: env  ## what takes how long, beside a baseline and the limit, to _build/bench.json: [PART=cpu, gpu, build or bf16]
	@python -m bench $(PART)

lint: env  ## ruff
	@ruff check . && ruff format --check .

lab: env  ## the notebooks in JupyterLab
	@python -m jupyterlab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/book/intro.ipynb

serve: env  ## the report on loopback: [PORT=8000]
	@$(call BUILT,$@)
	@python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

clean:  ## remove _build (records stay)
	@[ ! -e _build/lock ] || $(FREE) || { echo "a build is at work here: stop it first" >&2; exit 2; }
	rm -rf _build

comma := ,
