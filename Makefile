# Needs python3 >= 3.11, make and git; everything else is installed below this folder, on first use.
PATH := $(CURDIR)/.venv/bin:$(PATH)
export PATH
export SAM_CLI_TELEMETRY = 0
SAM_VERSION = 1.170.0
MINISTACK_VERSION = 1.5.33
PIP_AUDIT_VERSION = 2.10.1
VENV = .venv/.installed
SAM = .tools/sam/.$(SAM_VERSION)
MINISTACK = .tools/ministack/.$(MINISTACK_VERSION)
PIP_AUDIT = .tools/audit/.$(PIP_AUDIT_VERSION)
PINS = layers/core/requirements.txt

.PHONY: local test check audit pins mutate format deploy env clean

local: env  ## run Rubato on this machine, with something to look at
	rubato local up --demo

test: env  ## every test, with the local stack brought up and taken down; ARGS="-k name" picks
	pytest -n 2 $(ARGS)

check: env audit  ## style, types, imports, template, known vulnerabilities
	ruff check . && ruff format --check . && mypy && lint-imports
	cfn-lint template.yaml && .tools/sam/bin/sam validate --lint --region us-east-1

audit: env  ## known vulnerabilities of what the layer packs; AUDIT=required fails also where nobody can be asked
	python layers/core/audit.py .tools/audit/bin/pip-audit $(PINS)

pins: env  ## after a version in layers/core/requirements.txt changed: the hashes of its files
	grep -E '^[a-z]' $(PINS) | cut -d' ' -f1 | uv pip compile -q --no-deps --generate-hashes --no-annotate --no-header - > .tools/pins
	grep '^#' $(PINS) | cat - .tools/pins > .tools/pinned && mv .tools/pinned $(PINS)

mutate: env  ## break the domain on purpose and see whether the tests notice; ARGS="governor misfire:23" picks
	python -m tests.mutation $(ARGS)

format: env  ## put the code in order
	ruff check --fix . && ruff format .

deploy: env  ## build and deploy to your AWS account; ARGS="--guided" asks for every parameter
	find functions layers/core/rubato -name __pycache__ -prune -exec rm -r {} +
	.tools/sam/bin/sam build && .tools/sam/bin/sam deploy $(ARGS)
	@echo && echo "Make the first API key with: .venv/bin/rubato keys create"
	@echo "Then see whether all works:  .venv/bin/rubato smoke --url API_URL --key API_KEY"

env: $(VENV) $(SAM) $(MINISTACK) $(PIP_AUDIT)

clean:  ## remove everything that was installed, built or kept by the local stack
	rm -rf .venv .tools .aws-sam .local

$(VENV): pyproject.toml layers/core/pyproject.toml layers/core/requirements.txt
	python3 -c 'import sys; sys.exit("Rubato needs Python 3.11 or later as python3" if sys.version_info < (3, 11) else 0)'
	test -x .venv/bin/uv || { python3 -m venv .venv && .venv/bin/python -m pip install --quiet uv; }
	uv pip install --quiet --python .venv/bin/python -r layers/core/requirements.txt -e layers/core -e . --group dev
	touch $@

# Environments of their own: both pin botocore, and functions on the emulator see what is installed beside it.
$(SAM): | $(VENV)
	uv venv --quiet --clear --python .venv/bin/python .tools/sam
	uv pip install --quiet --python .tools/sam/bin/python aws-sam-cli==$(SAM_VERSION)
	touch $@

$(MINISTACK): | $(VENV)
	uv venv --quiet --clear --python .venv/bin/python .tools/ministack
	uv pip install --quiet --python .tools/ministack/bin/python ministack==$(MINISTACK_VERSION) aws-sam-translator==1.115.0
	touch $@

$(PIP_AUDIT): | $(VENV)
	uv venv --quiet --clear --python .venv/bin/python .tools/audit
	uv pip install --quiet --python .tools/audit/bin/python pip-audit==$(PIP_AUDIT_VERSION)
	touch $@
