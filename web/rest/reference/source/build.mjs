// Writes everything the browser needs to ../static, which is committed: running the gateway needs no Node.
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const here = import.meta.dirname;
const out = join(here, "../static");
const swagger = join(here, "node_modules/swagger-ui-dist");

// The maps are as large as the scripts, and would only be looked for in vain.
const withoutMap = (text) => text.replace(/\n?(?:\/\/# sourceMappingURL=\S+|\/\*# sourceMappingURL=\S+?\*\/)\s*$/, "\n");

const text = (file) => readFile(join(swagger, file), "utf8");

await rm(out, { recursive: true, force: true });
await cp(join(here, "public"), out, { recursive: true });
for (const file of ["swagger-ui-bundle.js", "swagger-ui.css"]) {
  await writeFile(join(out, file), withoutMap(await text(file)));
}

const { name, version } = JSON.parse(await text("package.json"));
const licences = await Promise.all(["LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"].map(text));
await writeFile(join(out, "licences.txt"), [`${name} ${version}\n`, ...licences].join("\n"));
