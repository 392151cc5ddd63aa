#!/bin/sh
# Writes requirements.lock and requirements-dev.lock: exact versions with the hashes of all their files, for every
# supported Python. Neither names a registry. Usage: scripts/lock.sh .venv/bin
set -eu
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"$1/python" -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check pip-tools

compile() {
    "$tools/bin/pip-compile" --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras \
        --no-header --no-annotate --no-emit-options --no-emit-index-url --no-emit-trusted-host \
        --no-emit-find-links "$@" pyproject.toml
}

compile --output-file requirements.lock
compile --extra dev --constraint requirements.lock --output-file requirements-dev.lock
