#!/usr/bin/env bash
# Put the previews of a pull request's workflow run into the pull request. The
# digests come from the pull request's own code: their names are ours, a link is
# not followed, and the pull request is the one that GitHub says has the commit.
#
#   PREVIEWS          folder with STACK.offline.json and STACK.live.json
#   HEAD_REPOSITORY   owner/name, and HEAD_SHA: of the run's event
#   GITHUB_REPOSITORY, GITHUB_TOKEN: as in GitHub Actions
set -euo pipefail
cd "$(dirname "$0")/.."

failed=0
stacks=$(tools/stacks.sh)
for stack in $(tr -d '[]"' <<<"${stacks#stacks=}" | tr ',' ' '); do
	kind=offline
	# Only branches of the repository itself are previewed against AWS.
	if [[ $HEAD_REPOSITORY == "$GITHUB_REPOSITORY" && -e $PREVIEWS/$stack.live.json ]]; then
		kind=live
	fi
	file=$PREVIEWS/$stack.$kind.json
	if [[ ! -f $file || -L $file ]]; then
		echo "stack $stack: no preview in this run"
		continue
	fi
	flags=(--stack "$stack" --preview "$file" --head-commit "$HEAD_SHA")
	if [[ $kind == offline ]]; then
		flags+=(--offline)
	fi
	bin/bluegreen github comment "${flags[@]}" || failed=1 # the other stacks have theirs all the same
done
exit "$failed"
