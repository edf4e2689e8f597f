# Everything that a user or contributor of this repository runs; `make help` lists it. All that is made lies in build/.
# Needed: Python 3.11 or later, make, git, OpenSSH. PYTHON=/path/to/python3 chooses the interpreter.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := $(CURDIR)/build/venv
export PATH := $(VENV)/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/build/tree
export PYTHONPATH := $(CURDIR)/tests
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/build/cache/hypothesis
export PRE_COMMIT_HOME := $(CURDIR)/build/cache/pre-commit

# Each says that the virtual environment holds those requirements; make compares its time with theirs.
LAB := $(VENV)/.lab
TEST := $(VENV)/.test
BENCH := $(VENV)/.bench
FUZZ := $(VENV)/.fuzz
# How long `make fuzz` is at each target.
FUZZ_SECONDS ?= 20
# Environments of their own, since their tools are none of the tests', or would not go with these.
RELEASE := build/release
DOCS := build/docs-venv
ECOSYSTEM := $(CURDIR)/build/tools-venv
EDA := $(CURDIR)/build/eda-venv
RECORDING := $(CURDIR)/build/recording-venv
AWX := build/ecosystem/collections/ansible_collections/awx/awx/MANIFEST.json
AMAZON_AWS := build/bench/collections/ansible_collections/amazon/aws/MANIFEST.json

PYTEST := python -m pytest -q

.PHONY: help venv demo lab test lint typecheck sanity unit integration oldest faults fuzz bench bench-renew bench-cloudwatch bench-rtm bench-inventory \
	molecule ecosystem eda matrix docs screenshots recording release ee lock audit sbom clean

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

venv: $(TEST) ## make or update the virtual environment build/venv

$(LAB): requirements.txt tests/requirements/lab.txt tools/venv
	@tools/venv $(VENV) tests/requirements/lab.txt
	@tools/collection_tree
	@touch $@

$(TEST): $(LAB) tests/requirements/suite.txt tests/requirements/test.txt
	@tools/venv $(VENV) tests/requirements/test.txt
	@touch $@

$(BENCH): $(LAB) tests/requirements/bench.txt
	@tools/venv $(VENV) tests/requirements/bench.txt
	@touch $@

$(FUZZ): $(LAB) tests/requirements/fuzz.txt
	@tools/venv $(VENV) tests/requirements/fuzz.txt
	@touch $@

$(AMAZON_AWS): | $(BENCH)
	@python tools/fetch_collection.py amazon.aws 'ansible>=12,<15' build/bench/collections

demo: $(LAB) ## renew a fleet of seven appliances in the lab, twice; result in build/demo/summary.json
	@tools/require_programs sshd
	tests/demo/run

lab: $(LAB) ## start the lab to play with; says how to point ansible at it; Ctrl-C ends it
	@tools/require_programs sshd
	@echo "In another terminal, first: . build/venv/bin/activate; export ANSIBLE_COLLECTIONS_PATH=$$ANSIBLE_COLLECTIONS_PATH"
	python -m lab up --fleet tests/lab/fleets/demo.yml --state build/lab

test: $(TEST) $(ECOSYSTEM)/.ecosystem ## run every check: the whole of what CI runs
	@tools/require_programs sshd curl chromium
	@# The longest first; none of them keeps two cores busy.
	@$(MAKE) --jobs 3 --output-sync oldest molecule sanity lint demo typecheck
	@$(MAKE) unit integration

lint: $(TEST) ## what is checked before each commit (ruff, yamllint, shellcheck), ansible-lint (production profile), changelog and documentation linters
	pre-commit run --all-files
	check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/*_*.yml
	ansible-lint
	antsibull-changelog lint
	antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self --skip-rstcheck .

typecheck: $(TEST) ## mypy --strict over the collection's logic
	mypy

sanity: $(TEST) ## ansible-test sanity, nothing ignored
	tools/sanity

unit: $(TEST) ## unit tests with their coverage thresholds
	@tools/require_programs sshd
	$(PYTEST) -n 2 --cov --cov-report= tests/unit
	coverage report --include 'plugins/module_utils/*' --fail-under 95
	coverage report --include 'plugins/*' --fail-under 90 --format total

integration: $(TEST) ## the playbook, modules and connection against the lab, faults included
	@tools/require_programs sshd curl chromium
	@# A good deal of each is waiting.
	$(PYTEST) -n 3 tests/integration

faults: $(TEST) ## the fault matrix: every playbook, every outside call, every way to fail; report in build/faults/ (two hours and more); FAULTS chooses, see docs/faults.md
	@tools/require_programs sshd faketime
	$(PYTEST) -n 2 tests/faults
	python -m faults --out build/faults $(FAULTS)

fuzz: $(FUZZ) ## coverage-guided fuzzing of all that parses what comes from outside, FUZZ_SECONDS (20) each; findings in build/fuzz/
	tests/fuzz/run $(FUZZ_SECONDS)

bench: bench-renew bench-cloudwatch bench-rtm bench-inventory ## all benchmarks; tables here, figures in build/bench/

bench-renew: $(BENCH) ## cost of renewing 50 appliances, compared with a bash loop
	@tools/require_programs sshd curl jq
	python tests/bench/renew.py

bench-cloudwatch: $(BENCH) ## cost of configuring 1,000 appliances, compared with a bash loop and with a loop of tasks
	@tools/require_programs curl jq
	python tests/bench/cloudwatch.py

bench-rtm: $(BENCH) $(AMAZON_AWS) ## time to roll RTM out, compared with a script and with a loop of tasks
	python tests/bench/rtm.py

bench-inventory: $(BENCH) ## time for inventory and audit of 5,000 appliances in 10 accounts by 4 regions
	@tools/require_programs sshd
	python tests/bench/inventory.py

$(RELEASE)/.release: tests/requirements/release.txt
	@tools/venv $(RELEASE) tests/requirements/release.txt
	@touch $@

$(ECOSYSTEM)/.ecosystem: $(LAB) tests/requirements/ecosystem.txt
	@tools/venv $(ECOSYSTEM) tests/requirements/ecosystem.txt
	@touch $@

$(EDA)/.eda: $(LAB) tests/requirements/eda.txt
	@tools/venv $(EDA) tests/requirements/eda.txt
	@touch $@

$(RECORDING)/.recording: tests/requirements/recording.txt
	@tools/venv $(RECORDING) tests/requirements/recording.txt
	@touch $@

$(DOCS)/.docs: tests/requirements/docs.txt
	@tools/venv $(DOCS) tests/requirements/docs.txt
	@touch $@

# 12.3.0 is the last that holds awx.awx.
$(AWX): | $(ECOSYSTEM)/.ecosystem
	@$(ECOSYSTEM)/bin/python tools/fetch_collection.py awx.awx ansible==12.3.0 build/ecosystem/collections

molecule: $(ECOSYSTEM)/.ecosystem ## each role with molecule, against the lab
	@tools/require_programs sshd
	PATH="$(ECOSYSTEM)/bin:$$PATH" NO_COLOR=1 molecule test --all

ecosystem: $(ECOSYSTEM)/.ecosystem $(AWX) ## the pattern for AWX and Automation Controller, as the platform would run it
	@tools/require_programs sshd
	PATH="$(ECOSYSTEM)/bin:$$PATH" python -m pytest -q tests/ecosystem/test_platform_*.py

eda: $(EDA)/.eda ## the rulebooks of Event-Driven Ansible, against the lab; needs Java 17
	@tools/require_programs sshd java
	PATH="$(EDA)/bin:$$PATH" python -m pytest -q tests/ecosystem/eda

oldest: $(TEST) ## the oldest pair of ansible-core and Python, with the oldest libraries: unit tests of the plugins, sanity, a run of each playbook
	python tools/matrix lowest --parts plugins,sanity,quick

matrix: $(TEST) ## each supported ansible-core with each Python of this machine (an hour or more); ROWS and PARTS choose, see docs/releasing.md
	@tools/require_programs sshd curl chromium
	python tools/matrix $(ROWS) $(if $(PARTS),--parts $(PARTS))

docs: $(DOCS)/.docs ## the documentation site, in build/docs/html; a warning or a broken link is an error
	tools/docs $(DOCS)

screenshots: $(TEST) ## the pictures of the reports for the README
	@tools/require_programs sshd chromium
	tools/screenshots

recording: $(LAB) $(RECORDING)/.recording ## the recorded terminal session for the README
	@tools/require_programs sshd
	PATH="$$PATH:$(RECORDING)/bin" tools/recording

release: $(TEST) $(RELEASE)/.release ## make and try a release: make release VERSION=1.2.3
	@tools/require_programs sshd
	tools/release $(RELEASE) $(VERSION)

ee: $(LAB) $(RELEASE)/.release ## the packages of the execution environment, in an empty environment, with the demo
	@tools/require_programs sshd
	tools/execution_environment $(RELEASE)

lock: $(RELEASE)/.release ## bring requirements.lock up to date: the newest versions of the libraries, with the hashes of their files
	CUSTOM_COMPILE_COMMAND="make lock" $(RELEASE)/bin/pip-compile --quiet --upgrade --generate-hashes --strip-extras \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options --output-file requirements.lock requirements.txt

audit: $(RELEASE)/.release ## ask the Python Packaging Advisory Database about what is locked; needs the internet
	$(RELEASE)/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

sbom: $(TEST) $(RELEASE)/.release ## software bill of materials of the release, in build/sbom/
	tools/sbom $(RELEASE)

clean: ## remove build/
	rm -rf build
