#!/usr/bin/env bash
# Put the previews of a pull request's workflow run into the pull request. The
# digests come from the pull request's own code: their names are ours, a link is
# not followed, and the pull request is the one that GitHub says has the commit.
#
#   PREVIEWS          folder with STACK.offline.json and STACK.live.json
#   HEAD_REPOSITORY   owner/name, HEAD_BRANCH and HEAD_SHA: of the run's event
#   GITHUB_REPOSITORY, GITHUB_TOKEN: as in GitHub Actions
set -euo pipefail
cd "$(dirname "$0")/.."

# 10 MiB are some 5,000 resources.
most=10485760

number=$(GH_TOKEN=$GITHUB_TOKEN gh api --method GET "repos/$GITHUB_REPOSITORY/pulls" \
	-f state=open -f per_page=100 -f "head=${HEAD_REPOSITORY%%/*}:$HEAD_BRANCH" \
	--jq '.[] | select(.head.sha == env.HEAD_SHA and .head.repo.full_name == env.HEAD_REPOSITORY) | .number' | head -n 1)
if [[ ! $number =~ ^[0-9]+$ ]]; then
	echo "no open pull request has the commit $HEAD_SHA as its newest; nothing to comment on"
	exit 0
fi

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
	if (($(wc -c <"$file") > most)); then
		echo "stack $stack: the preview's digest is over $most bytes, and left out" >&2
		continue
	fi
	flags=(--stack "$stack" --preview "$file" --repository "$GITHUB_REPOSITORY" --pull-request "$number")
	if [[ $kind == offline ]]; then
		flags+=(--offline)
	fi
	bin/bluegreen github comment "${flags[@]}"
done
