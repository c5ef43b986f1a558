# SPDX-License-Identifier: Apache-2.0
#
# Every target is complete on a machine with git, make, python3 (3.9 or newer) and a package index.
# An environment is made again only when the requirements that it is made of change.

PYTHON ?= python3
VENV := .venv
TOOLS := build/venv-tools
PIP := -m pip --disable-pip-version-check install -qq

.DEFAULT_GOAL := help
.PHONY: help venv demo test fuzz package inspect bench picture lint golden clean

# How long `make fuzz` runs for each of its targets.
SECONDS ?= 60

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

venv: $(VENV)/.stamp ## the environment .venv, with what the app needs at run time

demo: package ## build the package and show its search command at work
	@$(VENV)/bin/python tools/demo.py

test: package ## run everything: the tests on Python 3.9 and 3.13 (those that are here), then lint
	@set -e; versions=$$($(PYTHON) tools/pythons.py list); \
	for version in $$versions; do \
		$(MAKE) --no-print-directory build/venv-$$version/.stamp; \
		echo "== pytest on Python $$version"; \
		build/venv-$$version/bin/python -m pytest; \
	done
	@$(MAKE) --no-print-directory lint

fuzz: build/venv-fuzz/.stamp ## fuzz every entrance, SECONDS=60 for each of 16 targets; findings go to build/fuzz
	@build/venv-fuzz/bin/python tests/fuzz/run.py --seconds $(SECONDS) $(TARGETS)

package: $(VENV)/.stamp ## write dist/flowlag-<version>.tar.gz from the files that git tracks
	@$(VENV)/bin/python tools/package.py

inspect: package $(TOOLS)/.stamp ## run Splunk AppInspect on the package, with and without the tag for Splunk Cloud
	@$(TOOLS)/bin/python tools/inspect_app.py

bench: package ## measure the speed of the packaged search commands, and how right the profile is
	@$(VENV)/bin/python tools/bench.py
	@$(VENV)/bin/python tools/bench_match.py
	@PYTHONPATH=lib $(VENV)/bin/python tools/truth.py

picture: build/venv-bench/.stamp ## draw the README's picture from what `make bench` wrote
	@build/venv-bench/bin/python tools/speed_picture.py

lint: $(TOOLS)/.stamp ## ruff (rules and format) and mypy
	@$(TOOLS)/bin/ruff check .
	@$(TOOLS)/bin/ruff format --check .
	@$(TOOLS)/bin/mypy

golden: package ## write the expected files of the golden tests anew; the diff is the review
	@set -e; version=$$($(PYTHON) tools/pythons.py list | tail -n 1); \
	$(MAKE) --no-print-directory build/venv-$$version/.stamp; \
	build/venv-$$version/bin/python -m pytest tests/test_golden.py --update-golden

clean: ## remove everything that is made
	rm -rf build dist $(VENV) lib/*.egg-info .hypothesis .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# $(call make_venv,INTERPRETER,FOLDER): an environment with the run-time packages, installed as they are vendored:
# without the dependencies that they declare but do not import.
define make_venv
	@echo "== environment $(2)"
	@"$(1)" -m venv --clear $(2)
	@$(2)/bin/python $(PIP) --use-pep517 --no-deps --require-hashes -r requirements.txt
endef

$(VENV)/.stamp: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.9 or newer is needed, but $(PYTHON) is " + sys.version if sys.version_info < (3, 9) else 0)'
	$(call make_venv,$(PYTHON),$(VENV))
	@touch $@

$(TOOLS)/.stamp: requirements-dev.txt
	@echo "== environment $(TOOLS)"
	@"$$($(PYTHON) tools/pythons.py path 3.13 3.12 3.11 3.10 3.9 || echo $(PYTHON))" -m venv --clear $(TOOLS)
	@$(TOOLS)/bin/python $(PIP) -r requirements-dev.txt
	@touch $@

build/venv-bench/.stamp: requirements-bench.txt
	@echo "== environment $(@D)"
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python $(PIP) -r requirements-bench.txt
	@touch $@

build/venv-fuzz/.stamp: requirements.txt requirements-fuzz.txt
	$(call make_venv,$$($(PYTHON) tools/pythons.py path 3.13 3.12 3.11 3.10 3.9 || echo $(PYTHON)),$(@D))
	@$(@D)/bin/python $(PIP) -r requirements-fuzz.txt
	@touch $@

build/venv-%/.stamp: requirements.txt requirements-test.txt
	$(call make_venv,$$($(PYTHON) tools/pythons.py path $*),$(@D))
	@$(@D)/bin/python $(PIP) -r requirements-test.txt
	@touch $@
