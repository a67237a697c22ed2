#!/usr/bin/env bash
# From the sources to a plugin: `./build.sh [FOLDER]`. The plugin goes to FOLDER (build/ without one) when it loads in the
# sandbox and answers its cases as they say. `cambist` is taken from the PATH or from CAMBIST.
set -euo pipefail
to=$(realpath -m "${1:-$(dirname "${BASH_SOURCE[0]}")/build}")
cd "$(dirname "${BASH_SOURCE[0]}")"
cambist=${CAMBIST:-cambist}
contract=${CAMBIST_WIT:-../../wit/v0.1.0}
version=0.1.0

[ -d .venv ] || { python3 -m venv .venv && .venv/bin/pip install --quiet --requirement requirements.txt; }

# this plugin's world, with the contract beside it
rm -rf build/wit build/types
mkdir -p build/wit/deps
cp world.wit build/wit/
cp -r "$contract" build/wit/deps/cambist

# the generated types are for an editor alone; the component gets its own
.venv/bin/componentize-py --wit-path build/wit --world first-plugin bindings build/types
.venv/bin/componentize-py --wit-path build/wit --world first-plugin componentize --python-path src plugin \
  --stub-wasi --output build/component.wasm
"$cambist" plugin pack build/component.wasm --name first-plugin-py --version "$version" --language Python --cases cases --to "$to"
