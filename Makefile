# Every target that a workflow or the README names. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help build sandbox destroy rehearsal preview test check golden bench clean

TOOLS := .sandbox/tools
export PATH := $(CURDIR)/$(TOOLS)/bin:$(PATH)

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the operator's tool, bin/bluegreen, our provider's plugin, and the rehearsal's agent
	@tools/go-build.sh bin/bluegreen ./cmd/bluegreen
	@tools/go-build.sh bin/pulumi-resource-bluegreen ./cmd/pulumi-resource-bluegreen
	@CGO_ENABLED=0 tools/go-build.sh bin/codedeploy-agent ./cmd/codedeploy-agent

sandbox: build ## create the whole platform on an emulated AWS and show it
	@bin/bluegreen sandbox up

preview: build ## preview production's real configuration with no AWS account
	@bin/bluegreen sandbox preview --stack-file Pulumi.prod.yaml

destroy: build ## destroy the sandbox's platform and stop the emulated AWS
	@bin/bluegreen sandbox destroy

rehearsal: build ## release, fail and lose machines under load, on machines that boot here
	@bin/bluegreen sandbox rehearse

test: $(TOOLS)/bin/shellcheck $(TOOLS)/bin/gotestsum ## run every test; installs what is missing
	tools/test.sh

check: $(TOOLS)/bin/shellcheck $(TOOLS)/bin/golangci-lint ## formatting, linters, module files
	tools/check.sh

golden: $(TOOLS)/bin/shellcheck ## write the expected outputs of the tests and the generated pages anew
	UPDATE_GOLDEN=1 go test ./infra/... ./stacks/... ./sandbox/rehearsal
	UPDATE_GOLDEN=1 go test ./sandbox -run TestTheEstimatesAreOfTheRealStacks
	UPDATE_GOLDEN=1 go test ./internal/cost

bench: build ## measure it all and print a table; PARTS="sizes releases plugin machines builds" picks some
	go run ./sandbox/bench $(PARTS)

clean: ## remove what was built; stop the sandbox first with make destroy
	@if [[ -x bin/bluegreen ]] && bin/bluegreen sandbox status >/dev/null 2>&1; then \
		echo "the sandbox is running; run: make destroy" >&2; exit 1; \
	fi
	rm -rf .sandbox bin

$(TOOLS)/bin/shellcheck: tools/requirements.txt
	@echo "installing shellcheck"
	@rm -rf $(TOOLS)/python
	@python3 -m venv $(TOOLS)/python
	@$(TOOLS)/python/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@mkdir -p $(TOOLS)/bin
	@ln -sf ../python/bin/shellcheck $@
	@touch -h $@

$(TOOLS)/bin/golangci-lint: tools/golangci-lint/go.mod tools/golangci-lint/go.sum
	@tools/go-build.sh $@ -C tools/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(TOOLS)/bin/gotestsum: tools/gotestsum/go.mod tools/gotestsum/go.sum
	@tools/go-build.sh $@ -C tools/gotestsum gotest.tools/gotestsum
