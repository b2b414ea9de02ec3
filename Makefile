# Needs make and any Python >= 3.11 with venv. tools/targets.py says what each target does.
.DEFAULT_GOAL := help
.PHONY: help demo test bench lock clean

# Whatever Python starts at all finds the right ones, behind the shims of version managers too.
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.*/bin/python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 7))' >/dev/null 2>&1 && { echo "$$python"; break; }; done)
RUN = $(if $(PYTHON),"$(PYTHON)" -m tools.targets,@echo "error: no Python found: install Python >= 3.11 with venv"; exit 1;)

help:
	@echo "make demo    run the orders example: real runtime client, embedded AWS and PostgreSQL"
	@echo "make test    tests and checkers on every Python from 3.11 to 3.14 found (ONLY='tests/test_x.py -k name' for a part)"
	@echo "make bench   benchmarks beside the peers"
	@echo "make lock    pin the constraint sets anew (UPGRADE=1: newest versions)"
	@echo "make clean   remove environments, downloads and caches"

demo:
	@$(RUN) demo

test:
	@$(RUN) test --required "$(REQUIRE)" -- $(ONLY)

bench:
	@$(RUN) bench

lock:
	@$(RUN) lock $(if $(UPGRADE),--upgrade)

clean:
	rm -rf .venvs .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
