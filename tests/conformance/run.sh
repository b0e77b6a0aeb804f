#!/bin/sh
# Has clients' own tools judge the gateway and its schema.graphql. Needs Node and npm; `make` has made .venv.
set -eu
cd "$(dirname "$0")"

if ! command -v npm >/dev/null; then
    echo "The conformance checks need Node 20 or newer, with npm." >&2
    exit 1
fi
if ! cmp -s package-lock.json node_modules/installed-lock.json; then
    npm ci --no-fund --no-audit --loglevel=error
    cp package-lock.json node_modules/installed-lock.json
fi

echo "GraphQL over HTTP, by the audits of graphql-http:"
node audit.mjs

echo "TypeScript, by graphql-codegen and tsc --strict:"
node generate.mjs
node_modules/.bin/tsc
echo "  schema.graphql and every story in gql/explorer/stories: ok"

echo "Relay, by relay-compiler:"
mkdir -p generated/relay
node_modules/.bin/relay-compiler

echo "Trusted documents, by the manifest that relay-compiler writes:"
mkdir -p generated/relay-trusted
echo "{}" >generated/trusted.json
node_modules/.bin/relay-compiler ./relay.trusted.config.json >/dev/null
../../.venv/bin/payments-gateway documents check generated/trusted.json
