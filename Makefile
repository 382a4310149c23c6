# Every target that a workflow or the README names. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help build sandbox destroy rehearsal preview test check golden bench clean \
	stacks preview-offline preview-live up drift comment release redeploy

TOOLS := .sandbox/tools
export PATH := $(CURDIR)/$(TOOLS)/bin:$(PATH)

# What a stack's targets work on. Recipes read it from the environment: whatever a
# name holds, a shell takes it for one word.
export STACK
# A page about a release goes to the end of this file.
export SUMMARY ?= $(GITHUB_STEP_SUMMARY)
PREVIEWS ?= .sandbox/previews
NEEDS_STACK = @[[ -n $$STACK ]] || { echo "make $@: which stack? as in: make $@ STACK=prod" >&2; exit 1; }

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the operator's tool, bin/bluegreen, our provider's plugin, and the rehearsal's agent
	@tools/go-build.sh bin/bluegreen ./cmd/bluegreen
	@tools/go-build.sh bin/pulumi-resource-bluegreen ./cmd/pulumi-resource-bluegreen
	@CGO_ENABLED=0 tools/go-build.sh bin/codedeploy-agent ./cmd/codedeploy-agent

sandbox: build ## create the whole platform on an emulated AWS and show it
	@bin/bluegreen sandbox up

preview: build ## preview production's real configuration with no AWS account
	@bin/bluegreen sandbox preview --stack-file Pulumi.prod.yaml

stacks: ## print the stacks that are for AWS, for a workflow
	@tools/stacks.sh

preview-offline: build ## preview STACK's real configuration with no AWS account, and keep the digest
	$(NEEDS_STACK)
	@mkdir -p $(PREVIEWS)
	@bin/bluegreen sandbox preview --stack-file "Pulumi.$$STACK.yaml" --digest "$(PREVIEWS)/$$STACK.offline.json"

preview-live: build ## preview STACK against its AWS account, and keep the digest
	$(NEEDS_STACK)
	@mkdir -p $(PREVIEWS)
	@tools/pulumi.sh preview --json --refresh --show-sames --stack "$$STACK" >"$(PREVIEWS)/$$STACK.live.json" || \
		{ cat "$(PREVIEWS)/$$STACK.live.json" >&2; exit 1; }

up: build ## make STACK's AWS account what its configuration says
	$(NEEDS_STACK)
	@tools/pulumi.sh up --yes --stack "$$STACK"

drift: preview-live ## look whether somebody else has changed STACK, and keep its issue on GitHub
	@bin/bluegreen github drift --stack "$$STACK" --preview "$(PREVIEWS)/$$STACK.live.json"

comment: build ## put the digests in PREVIEWS into the pull request of HEAD_SHA
	@PREVIEWS="$(PREVIEWS)" tools/comment.sh

release: build ## release the commit to where the environment says, or STACK's outputs
	@bin/bluegreen release $(if $(STACK),--stack "$$STACK") $(if $(SUMMARY),--summary "$$SUMMARY") $(RELEASE_FLAGS)

redeploy: build ## release the last good revision again
	@bin/bluegreen release --redeploy-last-good $(if $(STACK),--stack "$$STACK") $(if $(SUMMARY),--summary "$$SUMMARY")

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
