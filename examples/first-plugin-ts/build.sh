#!/usr/bin/env bash
# From the sources to a plugin: `./build.sh [FOLDER]`. The plugin goes to FOLDER (build/ without one) when it loads in the
# sandbox and answers its cases as they say. `cambist` is taken from the PATH or from CAMBIST.
set -euo pipefail
to=$(realpath -m "${1:-$(dirname "${BASH_SOURCE[0]}")/build}")
cd "$(dirname "${BASH_SOURCE[0]}")"
cambist=${CAMBIST:-cambist}
contract=${CAMBIST_WIT:-../../wit/v0.1.0}

# exactly the packages of package-lock.json; none of them has to run anything when it is installed
[ -d node_modules ] || npm ci --ignore-scripts --no-fund --no-audit

# this plugin's world, with the contract beside it
rm -rf build/wit build/types
mkdir -p build/wit/deps
cp world.wit build/wit/
cp -r "$contract" build/wit/deps/cambist

node types.mjs build/wit first-plugin build/types
npx tsc --project .
npx esbuild src/plugin.ts --bundle --format=esm --target=es2023 --outfile=build/plugin.js --log-level=warning
npx componentize-qjs --wit build/wit --world first-plugin --js build/plugin.js --sync --opt-size --output build/component.wasm
"$cambist" plugin pack build/component.wasm --name first-plugin-ts --version "$(node -p 'require("./package.json").version')" \
  --language TypeScript --cases cases --to "$to"
