// The audits of GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/): no MUST may fail.
import { serverAudits } from "graphql-http";
import { withGateway } from "./gateway.mjs";

const REQUIREMENTS = ["MUST", "SHOULD", "MAY"];

const results = await withGateway((url) =>
  Promise.all(serverAudits({ url }).map((audit) => audit.fn())),
);
const failures = results.filter((result) => result.status !== "ok");

for (const { id, name, reason } of failures) {
  console.log(`  ${id}  ${name}: ${reason}`);
}
for (const requirement of REQUIREMENTS) {
  const isOfIt = ({ name }) => name.startsWith(`${requirement} `);
  const all = results.filter(isOfIt).length;
  console.log(`  ${requirement}: ${all - failures.filter(isOfIt).length} of ${all} ok`);
}
process.exitCode = failures.some(({ status }) => status === "error") ? 1 : 0;
