#!/bin/sh
# The dashboard's own tools. Usage: scripts/ui.sh has-node | packages | build | check | test
# All but `has-node` fail without Node.js; `packages` needs npm's registry, the others do not.
set -eu
cd "$(dirname "$0")/../ui"

wanted='20.19'
# 20.19 or a later 20, 22.12 or later: what Vite runs on.
right='const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1)'
has_node() {
    command -v npm >/dev/null && command -v node >/dev/null && node -e "$right"
}

if ! has_node; then
    [ "$1" = has-node ] || echo "the dashboard is not built: that takes Node.js $wanted or newer" >&2
    exit 1
fi

case "$1" in
has-node) ;;
packages) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error ;;
build) npm run --silent build -- --logLevel warn ;;
check) npm run --silent check ;;
test) npm run --silent test -- --reporter=dot ;;
*)
    echo "what is $1?" >&2
    exit 2
    ;;
esac
