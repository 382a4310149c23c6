# shellcheck shell=bash disable=SC2034,SC2154
# Python without a network: wheels go into the bundle, and an instance makes
# virtual environments of them. Sourced by scripts/build and scripts/after-install.

# The instance's Python and processor: Ubuntu 24.04 on x86_64. For other
# instances the pipeline sets them.
PYTHON_VERSION=${PYTHON_VERSION:-3.12}
MACHINE=${MACHINE:-x86_64}

# wheels REQUIREMENTS... adds the wheels of requirements to the bundle. Hashes
# choose the files, so the same commit gives the same bundle.
wheels() {
	local requirements minor platforms=()
	for minor in {17..39}; do platforms+=(--platform "manylinux_2_${minor}_$MACHINE"); done
	for requirements in "$@"; do
		python3 -m pip download --quiet --disable-pip-version-check --dest wheels \
			--require-hashes --no-deps --only-binary :all: --requirement "$requirements" \
			--implementation cp --python-version "$PYTHON_VERSION" \
			"${platforms[@]}" --platform "manylinux2014_$MACHINE"
	done
}

# virtual_environment REQUIREMENTS LINK makes LINK a virtual environment. All
# releases with the same requirements share one, which is whole or not there.
virtual_environment() {
	local requirements=$1 link=$2 key place pip
	key=$({ cat "$requirements"; python3 -VV; uname -m; } | sha256sum | cut -c 1-16)
	place=$home/venvs/$key
	if [[ ! -e $place/complete ]]; then
		rm -rf "$place"
		mkdir -p "$home/venvs"
		python3 -m venv --without-pip "$place"
		pip=$(echo wheels/pip-*.whl)
		[[ -e $pip ]] || fail 'wheels: not in the bundle; run scripts/build before the bundle is made'
		PYTHONPATH=$pip "$place/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
			--no-index --find-links wheels --require-hashes --only-binary :all: --no-compile --requirement "$requirements" ||
			fail "$requirements: the bundle's wheels do not fit this instance, $(python3 -V) on $(uname -m); set PYTHON_VERSION and MACHINE for scripts/build"
		# On all processors at once, which pip does not do. Templates that are no
		# Python of this version stay as they are.
		"$place/bin/python" -m compileall -qq --workers 0 "$place/lib" || true
		touch "$place/complete"
		say "made the virtual environment of $requirements"
	fi
	ln -sfn "$place" "$link"
}
