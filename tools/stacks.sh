#!/usr/bin/env bash
# The stacks of this checkout that are for AWS, each with its Pulumi.NAME.yaml, as
# the line of a workflow's output: stacks=["prod","staging"].
set -euo pipefail
cd "$(dirname "$0")/.."

list=''
for file in Pulumi.*.yaml; do
	stack=${file#Pulumi.}
	stack=${stack%.yaml}
	case $stack in
	sandbox | rehearsal) continue ;; # they are for an emulated AWS
	*[!A-Za-z0-9_.-]*)
		echo "$file: want a stack's name of letters, digits, and _.-" >&2
		exit 1
		;;
	esac
	list+=${list:+,}\"$stack\"
done
printf 'stacks=[%s]\n' "$list"
