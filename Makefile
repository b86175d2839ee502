# fastproxy: `make run` shows it, `make test` checks it. Everything goes into .venv and build/; nothing is installed elsewhere.

PYTHON ?= python3
PYTEST_ARGS ?=
# Two tests at a time, those of one file in one process; PYTEST_ARGS="-n 0" for one at a time, and for -s.
PYTEST := -m pytest -n logical --maxprocesses 2 --dist loadfile --no-loadscope-reorder
BENCH ?= ../shared/bench/compare.py
BENCH_ARGS ?=
SOAK_SECONDS ?= 300
SOAK_ARGS ?=
WSTEST ?= wstest
FUZZ_SECONDS ?= 60

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run build compile debug sanitize fuzz test lint annotate bench soak autobahn wheel pages tools clean help
.DEFAULT_GOAL := help

help:
	@echo "make run       three echo nodes, fastproxy in front of them, pages to open"
	@echo "make test      lint, then every test"
	@echo "make lint      ruff, mypy, cython-lint"
	@echo "make build     the environment and the compiled modules"
	@echo "make debug     the compiled modules with bounds checks and assertions, then their tests"
	@echo "make sanitize  the same with the address and undefined-behaviour sanitizers (needs gcc)"
	@echo "make fuzz      every fuzz target for FUZZ_SECONDS (60), two at a time, with the sanitizers (needs gcc)"
	@echo "make annotate  Cython's annotated sources, in build/release/"
	@echo "make bench     beside Envoy, HAProxy and nginx (needs them, and BENCH=path/to/compare.py)"
	@echo "make soak      everything at once for five minutes, each byte checked (SOAK_SECONDS=300, SOAK_ARGS='--seed 1')"
	@echo "make autobahn  the Autobahn WebSocket suite, directly and through fastproxy (needs WSTEST=path/to/wstest)"
	@echo "make wheel     a wheel in dist/"
	@echo "make clean     removes all that make has made"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "fastproxy needs Python 3.11 or newer; say which with: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Dependency groups need pip 25.1, newer than the one that Python 3.11 brings.
$(READY): pyproject.toml | $(VENV)/bin/python
	$(PY) -m pip install --quiet --upgrade 'pip>=25.1'
	$(PY) -m pip install --quiet --group dev
	touch $@

build: compile $(VENV)/.installed

compile: $(READY)
	$(PY) setup.py --quiet build_ext --inplace --parallel 2

# Editable: its modules run from this tree, and `fastproxy` stands in .venv/bin.
$(VENV)/.installed: $(READY) setup.py fastproxy/__init__.py | compile
	FASTPROXY_BUILT=1 $(PY) -m pip install --quiet --no-build-isolation --editable .
	touch $@

# The browser library of the echo pages, and the Node clients of the tests.
pages: node_modules/.package-lock.json

node_modules/.package-lock.json: package.json package-lock.json
	@if command -v npm >/dev/null; then \
		echo "npm ci"; npm ci --no-audit --no-fund --loglevel=error && touch $@; \
	else \
		echo "npm is not installed: the echo pages will take socket.io-client from its public CDN."; \
	fi

run: build pages
	$(PY) -m echo.demo

tools:
	@missing=""; for tool in node npm chromium; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then \
		echo "make test needs:$$missing. On Debian: apt-get install nodejs npm chromium (.ci/run does it)." >&2; exit 1; \
	fi

test: tools build pages lint
	$(PY) $(PYTEST) $(PYTEST_ARGS)

lint: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	cython-lint $$(find fastproxy -name '*.pyx' -o -name '*.pxd')

debug: export FASTPROXY_DEBUG = 1
debug: build pages
	$(PY) -m pytest --ignore tests/packaging --ignore tests/loadtest $(PYTEST_ARGS)

# The sanitizers have to be there before Python is; Python itself leaks by design at its end. What a worker of a proxy
# dies of stands in a file, as its supervisor only starts another one.
REPORTS := $(CURDIR)/build/reports
sanitize: export FASTPROXY_DEBUG = 1
sanitize: export FASTPROXY_SANITIZE = 1
sanitize: compile $(VENV)/.installed
	rm -rf $(REPORTS) && mkdir -p $(REPORTS)
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" PYTHONMALLOC=malloc \
		ASAN_OPTIONS=detect_leaks=0:log_path=$(REPORTS)/address \
		UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:log_path=$(REPORTS)/undefined \
		$(PY) -m pytest tests/unit tests/property tests/proxy $(PYTEST_ARGS); \
		status=$$?; cat $(REPORTS)/* 2>/dev/null && exit 1; exit $$status

fuzz: build
	$(PY) -m tests.fuzz.campaign $(FUZZ_SECONDS)

annotate: build
	@echo "open build/release/fastproxy/*.html"

bench: build
	@test -f $(BENCH) || { echo "no $(BENCH): say BENCH=path/to/compare.py" >&2; exit 1; }
	$(PY) $(BENCH) --fastproxy $(VENV)/bin/fastproxy $(BENCH_ARGS)

soak: build
	$(PY) -m tests.soak --seconds $(SOAK_SECONDS) $(SOAK_ARGS)

autobahn: build
	$(PY) -m tests.conformance.autobahn --wstest $(WSTEST)

wheel: $(READY)
	$(PY) -m build --wheel

clean:
	rm -rf $(VENV) build dist log node_modules *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find fastproxy \( -name '*.so' -o -name '*.c' -o -name '*.html' \) -delete
	find . -name __pycache__ -prune -exec rm -rf {} +
