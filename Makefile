# trtviewer: `make demo` shows it, `make test` proves it; both set up all that they need.
BIN := .venv/bin

.PHONY: demo test lint bench lock setup setup-test clean

demo: setup
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname -s)" != Linux ]; then $(BIN)/trtviewer demo; \
	else $(BIN)/trtviewer demo --headless; fi

test: setup-test lint
	$(BIN)/python -m pytest

lint: setup-test
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: setup-test
	@for script in tests/benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

setup:
	@bash packaging/system_libraries.sh
	@bash packaging/setup.sh

setup-test:
	@bash packaging/system_libraries.sh --tests
	@bash packaging/setup.sh test,rtx

# Needs uv; resolves for every supported Python and platform at once.
lock:
	uv pip compile --universal --python-version 3.11 --extra rtx --extra test --no-annotate --no-header \
		pyproject.toml -o requirements.lock

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
