#!/usr/bin/env bash
# Builds the native UDP sockets for the Node.js that is found, with its own headers and the C compiler `cc` (or $CC). Takes the file to make; by default
# the one that a proxy with `udp: { native: true }` loads.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=${1:-$here/../../../dist/core/transport/native/udp.node}
include=${NODE_INCLUDE:-$(node -p "require('node:path').resolve(process.execPath, '../../include/node')")}
if [[ ! -e $include/node_api.h || ! -e $include/uv.h ]]; then
  echo "no headers of Node.js (node_api.h, uv.h) in $include; set NODE_INCLUDE to their folder" >&2
  exit 1
fi
mkdir -p "$(dirname "$target")"
# In one step, for processes that load it meanwhile.
made=$(mktemp "$target.XXXXXX")
trap 'rm -f "$made"' EXIT
"${CC:-cc}" -std=gnu17 -O2 -Wall -Wextra -shared -fPIC -I"$include" "$here"/*.c -o "$made"
chmod 755 "$made"
mv "$made" "$target"
