# The main commands are `make reproduce`, `make test` and, with the slow tests, `make test-all`. All make the environment
# when it is missing.
# `make reproduce` makes everything with JOBS processes at once, and then has DVC record it: `dvc repro`, which alone would
# do the same in one process after the other, finds every stage up to date.
# `make reproduce PROFILE=smoke` first makes that profile the active one in params.yaml.
# `make test-cluster` installs Ray beside the rest, and tests runs on a cluster of two nodes on this machine.
# `make reference PROFILE=cpu` makes what is stored in results/reference/ for a profile; SEEDS=1: its first training seed.
# Stopped, it resumes from there, and on another clone from the models and seeds that are stored, see docs/regression.md.
# JOBS are done at once, each with its share of the cores. GENERATORS are stored, too.

BIN := .venv/bin
PYTHON ?= python3
export JOBS ?= 2
# without a place for its cache, such as in a home that is read-only, uv does without
UV_CACHE = $${UV_CACHE_DIR:-$${XDG_CACHE_HOME:-$$HOME/.cache}/uv}
UV := $(BIN)/uv $(shell mkdir -p "$(UV_CACHE)" 2> /dev/null && [ -w "$(UV_CACHE)" ] || echo --no-cache)
STORED = results/reference/$(PROFILE)
GENERATORS ?= ours
NO_GIT := no_scm = true  \# there is no .git here

.PHONY: reproduce reference test test-all test-cluster lint types tests tests-all lowest env lock scm

reproduce: env
ifdef PROFILE
	@case "$$PROFILE" in *[!A-Za-z0-9_-]*) false;; esac && grep -q "^  $$PROFILE:" params.yaml \
		|| { echo "error: params.yaml has no profile $$PROFILE" >&2; exit 2; }
	sed -i.bak "s/^active: *[^ ]*/active: $$PROFILE/" params.yaml && rm params.yaml.bak
endif
	$(BIN)/python -m pipelines.record --check
	$(BIN)/benchmark run --jobs "$$JOBS"
	$(BIN)/python -m pipelines.record
	PATH="$$PWD/$(BIN):$$PATH" dvc repro
	@echo "report: results/report.html; tables: results/*.csv, *.md, *.tex; figures: results/paper/, results/figures/"

reference: env
	@test -n "$$PROFILE" || { echo "error: name a profile, such as PROFILE=cpu" >&2; exit 2; }
	$(BIN)/benchmark run --profile "$$PROFILE" --jobs "$$JOBS" $(if $(SEEDS),--seeds "$$SEEDS") \
		$(if $(wildcard $(STORED)/archive/*),--resume-from "$(STORED)")
	$(BIN)/benchmark export --profile "$$PROFILE" --with-results --model $(GENERATORS) \
		$(if $(filter smoke quick,$(PROFILE)),,--archive)  # those are made in minutes

test: lint types tests

test-all: lint types tests-all

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: env
	$(BIN)/mypy

PYTEST = OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder   # more threads would wait for each other

tests: env
	$(PYTEST) -m "not slow and not cluster"

tests-all: env
	$(PYTEST)

# the tests with the oldest packages that pyproject.toml allows, in an environment of its own
LOWEST := .venv-lowest

lowest:
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/pip install --quiet --disable-pip-version-check uv
	$(LOWEST)/bin/uv pip compile --quiet --no-config --resolution lowest-direct --only-binary :all: --extra test \
		--python $(LOWEST)/bin/python pyproject.toml -o $(LOWEST)/requirements.txt
	$(LOWEST)/bin/uv pip install --quiet --no-config --python $(LOWEST)/bin/python -r $(LOWEST)/requirements.txt
	$(LOWEST)/bin/uv pip install --quiet --no-config --python $(LOWEST)/bin/python --no-deps -e .
	OMP_NUM_THREADS=1 $(LOWEST)/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder

test-cluster: .venv/.cluster
	OMP_NUM_THREADS=1 $(BIN)/pytest -m cluster -v tests/cluster

.venv/.cluster: requirements-cluster.lock .venv/.ready
	$(UV) pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r $<
	touch $@

env: .venv/.ready scm

scm:  # DVC asks for a git repository unless it is told that there is none, as in a download
	@if [ ! -d .dvc ]; then :; elif [ ! -e .git ]; then grep -qs no_scm .dvc/config.local || printf '[core]\n%s\n' '$(NO_GIT)' >> .dvc/config.local; \
	elif grep -qs '$(NO_GIT)' .dvc/config.local; then \
		sed -i.bak '/$(NO_GIT)/d' .dvc/config.local && rm .dvc/config.local.bak; fi

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(UV) pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

lock:
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
		--extra test pyproject.toml -o requirements.lock
	grep -o 'ray==[0-9.]*' pyproject.toml | $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url \
		--python-version 3.11 --constraint requirements.lock --output-file requirements-cluster.lock -
