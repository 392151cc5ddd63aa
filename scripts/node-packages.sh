#!/bin/sh
# Installs the packages for Node that tests/sdk drives, exactly those of its lock file. Without npm, or when its registry
# does not answer, those tests are skipped and say so.
set -eu
cd "$(dirname "$0")/../tests/sdk/node"

command -v npm >/dev/null || exit 0
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || echo 'the packages for Node are not installed' >&2
