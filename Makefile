# SPDX-License-Identifier: Apache-2.0
#
# Every target is complete on a machine with git, make, python3 (3.9 or newer) and a package index.
# An environment is made again only when the requirements that it is made of change.

PYTHON ?= python3
VENV := .venv
TOOLS := build/venv-tools
PSA := build/venv-psa
NEWEST := 3.13 3.12 3.11 3.10 3.9
PIP := -m pip --disable-pip-version-check install -qq

.DEFAULT_GOAL := help
.PHONY: help venv demo check test page ui see screenshots fuzz live package inspect bench scale picture lint golden generated clean

# How many tests run at once: as many as there are cores.
WORKERS ?= auto
PYTEST := -m pytest -n $(WORKERS) --dist worksteal
VERSIONS = $(shell $(PYTHON) tools/pythons.py list 2>/dev/null)
HAS_BROWSER = $(shell command -v npm >/dev/null && command -v chromium >/dev/null && echo yes)

# How long `make fuzz` runs for each of its targets.
SECONDS ?= 60

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

venv: $(VENV)/.stamp ## the environment .venv, with what the app needs at run time

demo: package ## build the package and show its search command at work
	@$(VENV)/bin/python -m tools.demo

check: package lint ## a first answer in three minutes: lint, and the quick tests on one Python
	@set -e; version=$$($(PYTHON) tools/pythons.py list | tail -n 1); \
	$(MAKE) --no-print-directory build/venv-$$version/.stamp; \
	echo "== pytest on Python $$version, without the tests marked slow"; \
	build/venv-$$version/bin/python $(PYTEST) -m "not slow"

test: ## run everything: the tests on Python 3.9 and 3.13 (those that are here), the dashboards, lint
	@$(PYTHON) tools/pythons.py list >/dev/null
	@$(MAKE) --no-print-directory -j 4 package $(PSA)/.stamp $(TOOLS)/.stamp $(VERSIONS:%=build/venv-%/.stamp) \
		$(if $(HAS_BROWSER),page)
	@$(MAKE) --no-print-directory lint
	@set -e; for version in $(VERSIONS); do \
		echo "== pytest on Python $$version"; \
		build/venv-$$version/bin/python $(PYTEST); \
	done
	@if [ -n "$(HAS_BROWSER)" ]; then $(MAKE) --no-print-directory ui; \
	elif [ -n "$$REQUIRE_UI" ]; then echo "the dashboards must be drawn, but npm or chromium is missing" >&2; exit 1; \
	else echo "== the dashboards were NOT drawn: that needs Node.js with npm, and chromium"; fi
	@echo "== the live tests were NOT run: \`make live\` runs them on a Splunk instance"

page: build/venv-ui/.stamp
	@build/venv-ui/bin/python -m tests.ui.build

ui: package page ## draw the dashboards with Splunk's own renderer in headless Chromium, and use them
	@echo "== pytest in a browser"
	@build/venv-ui/bin/python $(PYTEST) tests/ui

see: package page ## serve the dashboards on sample data, for your own browser
	@PYTHONPATH=lib build/venv-ui/bin/python -m tests.ui.see

screenshots: package page ## take the README's pictures of the dashboards anew
	@build/venv-ui/bin/python -m pytest -q tests/ui/test_pictures.py --update-pictures

fuzz: build/venv-fuzz/.stamp ## fuzz every entrance, SECONDS=60 for each of 18 targets; findings go to build/fuzz
	@PYTHONPATH=lib build/venv-fuzz/bin/python -m tests.fuzz.run --seconds $(SECONDS) $(TARGETS)

live: package $(PSA)/.stamp ## run the live suite on a Splunk instance: make live SPLUNK_URL=... SPLUNK_TOKEN=...
	@set -e; version=$$($(PYTHON) tools/pythons.py list | tail -n 1); \
	$(MAKE) --no-print-directory build/venv-$$version/.stamp; \
	build/venv-$$version/bin/python -m pytest tests/live -m live --live
	@$(PSA)/bin/python -m tests.live.addon run build/flowlag

package: $(VENV)/.stamp ## write dist/flowlag-<version>.tar.gz from the files that git tracks
	@$(VENV)/bin/python -m tools.package

inspect: package $(TOOLS)/.stamp ## run Splunk AppInspect on the package, with and without the tag for Splunk Cloud
	@$(TOOLS)/bin/python -m tools.inspect_app

bench: package build/venv-others/.stamp ## measure the speed of the packaged search commands and of the shell
	@set -e; for version in $(VERSIONS); do $(MAKE) --no-print-directory build/venv-$$version/.stamp; done
	@PYTHONPATH=lib $(VENV)/bin/python -m bench.enrich
	@PYTHONPATH=lib $(VENV)/bin/python -m bench.match
	@PYTHONPATH=lib $(VENV)/bin/python -m bench.connect
	@PYTHONPATH=lib $(VENV)/bin/python -m bench.shell
	@PYTHONPATH=lib $(VENV)/bin/python -m bench.accuracy.truth

scale: package ## measure the packaged search commands at sizes that no search should need: speed, CPU, memory
	@PYTHONPATH=lib $(VENV)/bin/python -m bench.scale

picture: build/venv-bench/.stamp ## draw the README's picture from what `make bench` wrote
	@build/venv-bench/bin/python -m bench.picture

lint: $(TOOLS)/.stamp ## ruff (rules and format) and mypy
	@$(TOOLS)/bin/ruff check .
	@$(TOOLS)/bin/ruff format --check .
	@$(TOOLS)/bin/mypy

golden: package ## write the expected files of the golden tests anew; the diff is the review
	@set -e; version=$$($(PYTHON) tools/pythons.py list | tail -n 1); \
	$(MAKE) --no-print-directory build/venv-$$version/.stamp; \
	build/venv-$$version/bin/python -m pytest tests/golden --update-golden

generated: $(VENV)/.stamp ## write every generated file that is stale: help, tables of docs, dashboards, icons, samples
	@PYTHONPATH=lib $(VENV)/bin/python -m tools.generated

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

# $(call make_tools,VERSIONS): an environment of tools, on the first of these Pythons that is here, else the one at hand.
define make_tools
	@echo "== environment $(@D)"
	@"$$($(PYTHON) tools/pythons.py path $(1) || echo $(PYTHON))" -m venv --clear $(@D)
	@$(@D)/bin/python $(PIP) -r $<
	@touch $@
endef

$(TOOLS)/.stamp: requirements-dev.txt
	$(call make_tools,$(NEWEST))

build/venv-ui/.stamp: tests/ui/requirements.txt
	$(call make_tools,$(NEWEST))

# The newest Python that pytest-splunk-addon names, else the next best.
$(PSA)/.stamp: tests/live/requirements.txt
	$(call make_tools,3.11 3.13 3.12 3.10 3.9)

build/venv-fuzz/.stamp: requirements.txt tests/fuzz/requirements.txt
	$(call make_venv,$$($(PYTHON) tools/pythons.py path $(NEWEST) || echo $(PYTHON)),$(@D))
	@$(@D)/bin/python $(PIP) -r tests/fuzz/requirements.txt
	@touch $@

build/venv-bench/.stamp: bench/requirements.txt
	$(call make_tools,$(NEWEST))

build/venv-others/.stamp: bench/others.txt
	$(call make_tools,$(NEWEST))

build/venv-%/.stamp: requirements.txt requirements-test.txt
	$(call make_venv,$$($(PYTHON) tools/pythons.py path $*),$(@D))
	@$(@D)/bin/python $(PIP) -r requirements-test.txt
	@touch $@
