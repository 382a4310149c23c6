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
	local requirements=$1 link=$2 key place
	key=$({ cat "$requirements"; python3 -VV; uname -m; } | sha256sum | cut -c 1-16)
	place=$home/venvs/$key
	if [[ ! -e $place/complete ]]; then
		unpack_uv
		rm -rf "$place" "$home/venvs/.cache"
		mkdir -p "$home/venvs"
		python3 -m venv --without-pip "$place"
		# The cache is beside the environment, so that files become links and not
		# copies. Compiled now, since the service user may not write there later.
		.uv/program pip install --quiet --offline --no-config --cache-dir "$home/venvs/.cache" --python "$place/bin/python" \
			--no-index --find-links wheels --require-hashes --only-binary :all: --compile-bytecode --requirement "$requirements" ||
			fail "$requirements: not installed, see above; where wheels are not found, build for this instance, $(python3 -V) on $(uname -m): PYTHON_VERSION and MACHINE of scripts/build"
		rm -rf "$home/venvs/.cache"
		touch "$place/complete"
		say "made the virtual environment of $requirements"
	fi
	ln -sfn "$place" "$link"
}

# unpack_uv takes uv, which installs several times faster than pip, out of its
# wheel. after-install removes it with the wheels.
unpack_uv() {
	local wheel
	if [[ -f .uv/program ]]; then return; fi
	wheel=$(echo wheels/uv-"$(sed -n 's/^uv==\([^ ]*\).*/\1/p' scripts/uv.txt)"-*.whl) # an application may have another
	[[ -e $wheel ]] || fail 'wheels: not in the bundle; run scripts/build before the bundle is made'
	python3 -m zipfile -e "$wheel" .uv || fail "$wheel: not installed, see above"
	chmod +x .uv/uv-*.data/scripts/uv
	mv .uv/uv-*.data/scripts/uv .uv/program
}
