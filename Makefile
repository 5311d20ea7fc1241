# Everything a newcomer needs: `make run`, `make test`, `make check`, `make benchmarks`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# threads that wait sleep instead of spinning, which matters where other programs want the cores
export OMP_WAIT_POLICY ?= PASSIVE
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt

.PHONY: run test check format benchmarks clean
.DELETE_ON_ERROR:

run: $(VENV)/.run  ## the main job on real handwritten digits, a report at its end
	$(BIN)/gradus run digits --out runs/digits

# how many processes share the tests
WORKERS ?= 2
test: $(VENV)/.test  ## the whole test suite
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal tests src
	@# the examples of a page go on from one another, so that a page stays in one process
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile README.md docs

check: $(VENV)/.check  ## format, lint, types, and the directions of the rooms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.check
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmarks: $(VENV)/.benchmarks  ## ours beside the peers, in one run; results land in benchmarks/results
	$(BIN)/python -m benchmarks

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.created pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

$(VENV)/.test $(VENV)/.check $(VENV)/.benchmarks: $(VENV)/.%: $(VENV)/.created pyproject.toml constraints.txt
	$(PIP) --editable '.[$*]'
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
