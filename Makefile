# The two main commands are `make reproduce` and `make test`. All make the environment when it is missing.
# `make reproduce` makes everything with JOBS processes at once, and then has DVC record it: `dvc repro`, which alone would
# do the same in one process after the other, finds every stage up to date.
# `make reproduce PROFILE=smoke` first makes that profile the active one in params.yaml.
# `make reference PROFILE=cpu` makes what is stored in results/reference/ for a profile (SEEDS=5: other than the
# profile's); stopped, it goes on from there. JOBS are done at once, each with its share of the cores.

BIN := .venv/bin
PYTHON ?= python3
export JOBS ?= 2

.PHONY: reproduce reference test lint types tests env lock

reproduce: env
ifdef PROFILE
	@case "$$PROFILE" in *[!A-Za-z0-9_-]*) false;; esac && grep -q "^  $$PROFILE:" params.yaml \
		|| { echo "error: params.yaml has no profile $$PROFILE" >&2; exit 2; }
	sed -i.bak "s/^active: *[^ ]*/active: $$PROFILE/" params.yaml && rm params.yaml.bak
endif
	$(BIN)/benchmark run --jobs "$$JOBS"
	$(BIN)/python -m pipelines.record
	PATH="$$PWD/$(BIN):$$PATH" dvc repro
	@echo "report: results/report.html; tables: results/*.csv, *.md, *.tex; figures: results/paper/, results/figures/"

reference: env
	@test -n "$$PROFILE" || { echo "error: name a profile, such as PROFILE=cpu" >&2; exit 2; }
	$(BIN)/benchmark run --profile "$$PROFILE" --jobs "$$JOBS" $(if $(SEEDS),--seeds "$$SEEDS")
	$(BIN)/benchmark ship --profile "$$PROFILE" --model ours --with-results

test: lint types tests

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: env
	$(BIN)/mypy

tests: env
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder   # threads of two processes on two cores would wait for each other

env: .venv/.ready

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

lock:
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
		--extra test pyproject.toml -o requirements.lock
