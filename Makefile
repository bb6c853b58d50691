# trtviewer: `make demo` shows it, `make test` proves it; both set up all that they need.
BIN := .venv/bin

.PHONY: demo demo-models test lint bench lock package package-test setup setup-test clean

demo: setup
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname -s)" != Linux ]; then $(BIN)/trtviewer demo; \
	else $(BIN)/trtviewer demo --headless; fi

test: setup-test lint
	$(BIN)/python -m pytest

# The demo's INT8 twins, by the command line alone (resources/demo/README.md says why so).
demo-models: setup
	$(BIN)/trtviewer quantize resources/demo/detector.onnx -o resources/demo/detector-int8-careless.onnx \
		--source "scene:street?condition=day&seed=2&frames=300" --frames 8 --method entropy
	$(BIN)/trtviewer quantize resources/demo/detector.onnx -o resources/demo/detector-int8-good.onnx \
		--source "scene:street?condition=mix&seed=2&frames=3000" --frames 64 --method percentile \
		--keep-float first --keep-float heads

lint: setup-test
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: setup-test
	@for script in tests/benchmarks/bench_*.py; do name=$$(basename $$script .py); echo "== $$name"; \
		$(BIN)/python -m tests.benchmarks.$$name || exit 1; done

# A folder that runs with no Python installed, dist/trtviewer/, and an archive of it.
package: setup
	$(BIN)/python packaging/build.py

# Builds the folder and starts it as a stranger's machine would: no Python, an empty home, a screen of its own.
package-test: setup-test
	$(BIN)/python packaging/build.py --no-archive
	$(BIN)/python packaging/smoke_test.py dist/trtviewer --beside $(BIN)/python

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
	rm -rf .venv build-output dist .pytest_cache .mypy_cache .ruff_cache
