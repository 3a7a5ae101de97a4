# What people type. 'make help' lists it; each target's line after ## is its description.
SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := .venv/bin
# More or other tests: make test TESTS=tests/unit PYTEST_ARGS="-k halt"
TESTS ?=
PYTEST_ARGS ?=
# How long: make soak MINUTES=60
MINUTES ?= 10
ROUNDS ?= 10
# A recorded day of one pair: make backtest-bench DATA=data/columns/BTC-USD/2026-07-24.parquet
DATA ?= ../shared/data/kraken_btc_20260724_levels_trades.csv
# Which modules: make mutants MODULES=executor/account/pnl.py
MODULES ?=
# Which clients: make compat CLIENTS="krakenrs cryptofeed"
CLIENTS ?=

.PHONY: help setup run test coverage mutants check chaos soak watchers compat simulate bench bench-check backtest-bench calibrate regimes docs docs-pages screenshots fix rust lock release clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: ## install everything that running needs into .venv/; a second run does nothing
	@scripts/setup.sh

run: setup ## set up, then run every process in the sandbox until Ctrl-C
	@scripts/greet.sh
	@$(BIN)/supervisord -n -c supervisord.conf

test: ## set up, then run all tests
	@scripts/setup.sh dev
	@$(BIN)/pytest -n 2 --dist loadfile $(PYTEST_ARGS) $(TESTS)

coverage: ## run the unit tests of the cores, and fail where one of their lines or branches is not covered
	@scripts/setup.sh dev
	@$(BIN)/coverage run -m pytest tests/unit/book tests/unit/executor tests/unit/shared/kraken
	@$(BIN)/coverage report

mutants: ## break the cores in small ways, and fail where no test notices and no reason is given; writes docs/mutants.md
	@scripts/setup.sh dev
	@$(BIN)/python -m scripts.mutants $(MODULES)

check: ## check format, lint, types, layering, generated pages, Rust's lint
	@scripts/setup.sh dev
	@scripts/check.sh

chaos: ## restart and kill every component ROUNDS times, compare with the exchange; writes docs/chaos.md from ten on
	@scripts/setup.sh dev
	@$(BIN)/python -m tests.chaos.acts --rounds $(ROUNDS)

soak: ## run three strategies on one account for MINUTES, and check the invariants; writes docs/soak.md
	@scripts/setup.sh dev
	@$(BIN)/python -m tests.chaos.soak --minutes $(MINUTES)

watchers: ## attach 20 web clients and 50 tails, stop one of each, and check for losses; writes docs/watchers.md
	@scripts/setup.sh dev
	@$(BIN)/python -m tests.chaos.watchers

compat: ## install published clients, run a whole session of each with MINUTES of books; writes docs/compat.md
	@scripts/setup.sh dev
	@$(BIN)/python -m tests.compat.run --minutes $(MINUTES) $(CLIENTS)

simulate: ## run the executor against a simulated exchange in virtual time (SIMULATE_ARGS="--help")
	@scripts/setup.sh dev
	@$(BIN)/python -m tests.simulation.run $(SIMULATE_ARGS)

bench: ## measure the way from a frame to an order, part by part, beside others; writes benchmarks/RESULTS.md
	@scripts/setup.sh dev
	@$(BIN)/python -m benchmarks

bench-check: ## compare calls and memory of the hot paths with what is recorded (benchmarks/guard.json)
	@scripts/setup.sh dev
	@$(BIN)/python -m benchmarks.guard

backtest-bench: ## measure the backtests beside others that people use; writes benchmarks/RESULTS.md (DATA=PATH of a day)
	@scripts/setup.sh dev
	@$(BIN)/python -m benchmarks.backtest_peers $(DATA)
	@$(BIN)/python -m benchmarks.backtest_agree $(DATA)

calibrate: ## compare the synthetic market with captures of the real one; writes docs/market.md
	@scripts/setup.sh
	@$(BIN)/python -m simulator calibrate --seconds 14400 --seeds 3 --page docs/market.md \
		$(if $(wildcard ../shared/data),--captures ../shared)

regimes: ## run every model in every regime of the synthetic market (REGIMES_ARGS="--seeds 4"); writes docs/strategies.md
	@scripts/setup.sh
	@$(BIN)/python -m backtest regimes --page docs/strategies.md $(REGIMES_ARGS)

docs: ## build the pages of docs/ as a site, in run/site/
	@scripts/setup.sh dev
	@$(BIN)/python scripts/docs_site.py

docs-pages: ## write the pages and tables of docs/ that are made from the code
	@scripts/setup.sh
	@$(BIN)/python scripts/docs_pages.py

screenshots: ## write docs/images/ from the sandbox that runs here (make run)
	@scripts/setup.sh dev
	@$(BIN)/python scripts/screenshots.py

fix: ## format the code, and mend what ruff can mend
	@scripts/setup.sh dev
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

rust: ## build the Rust module again
	@scripts/setup.sh rust

lock: ## write the lock files from pyproject.toml (queries the package index)
	@scripts/lock.sh

release: ## write VERSION into pyproject.toml, commit and tag; the changelog must have its dated section
	@$(BIN)/python scripts/release.py $(VERSION)

clean: ## remove what set-up and build made; data/ and logs/ stay
	rm -rf .venv rust_client/target .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info run/mutants run/coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
