// What graphql-codegen makes of our schema, and of the explorer's stories: types as an app's developer gets them.
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { codegen } from "@graphql-codegen/core";
import * as operations from "@graphql-codegen/typescript-operations";
import * as types from "@graphql-codegen/typescript";
import { buildSchema, parse, printSchema } from "graphql";

const ROOT = new URL("../../", import.meta.url);
const STORIES = new URL("gql/explorer/stories/", ROOT);
const GENERATED = new URL("generated/", import.meta.url);
const SCALARS = {
  CurrencyCode: "string",
  DateTime: "string",
  Decimal: "string",
  IdempotencyKey: "string",
  JSONObject: "Record<string, unknown>",
  MinorUnits: "number",
  URL: "string",
  UUID: "string",
};

const schema = buildSchema(await readFile(new URL("schema.graphql", ROOT), "utf8"));
const documents = await Promise.all(
  (await readdir(STORIES)).filter((name) => name.endsWith(".graphql")).map(story),
);

await mkdir(GENERATED, { recursive: true });
await generate("schema.ts", { types });
await generate("operations.ts", { operations });

async function story(name) {
  return { location: name, document: parse(await readFile(new URL(name, STORIES), "utf8")) };
}

async function generate(filename, pluginMap) {
  const plugins = Object.keys(pluginMap).map((name) => ({ [name]: {} }));
  const config = { scalars: SCALARS, strictScalars: true, nonOptionalTypename: true };
  const code = await codegen({
    filename,
    schema: parse(printSchema(schema)),
    schemaAst: schema,
    documents,
    config,
    plugins,
    pluginMap,
  });
  await writeFile(new URL(filename, GENERATED), code);
}
