// Writes everything the browser needs to ../static, which is committed: running the gateway needs no Node.
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { notices } from "./notices.mjs";

const here = import.meta.dirname;
const out = join(here, "../static");

// graphql-language-service 5.x calls an input field required although it has a default, and so underlines good variables.
const defaultsAreOptional = {
  name: "defaults-are-optional",
  setup: ({ onLoad }) => onLoad({ filter: /esm.utils.getVariablesJSONSchema\.js$/ }, patched),
};

async function patched({ path }) {
  const source = await readFile(path, "utf8");
  const contents = source.replace("if (fieldRequired)", "if (fieldRequired && field.defaultValue === undefined)");
  if (contents === source) throw new Error(`${path} has changed: see whether the patch is still needed`);
  return { contents };
}

await rm(out, { recursive: true, force: true });

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: {
    graphiql: "main.jsx",
    "editor.worker": "monaco-editor/esm/vs/editor/editor.worker.js",
    "json.worker": "monaco-editor/esm/vs/language/json/json.worker.js",
    "graphql.worker": "monaco-graphql/esm/graphql.worker.js",
  },
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  jsx: "automatic",
  loader: { ".ttf": "file" },
  assetNames: "[name]",
  legalComments: "none", // licences.txt holds the whole texts.
  plugins: [defaultsAreOptional],
  metafile: true,
});

await cp(join(here, "public"), out, { recursive: true });
await writeFile(join(out, "licences.txt"), await notices(Object.keys(metafile.inputs), here));
