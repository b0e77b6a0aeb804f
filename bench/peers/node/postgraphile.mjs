// PostGraphile: its own schema of the tables, and two fields for what belongs to the bearer of the token.
import { createServer } from "node:http";
import { context } from "postgraphile/grafast";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { postgraphile } from "postgraphile";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { extendSchema } from "postgraphile/utils";
import { pool } from "./database.mjs";
import { userOf } from "./token.mjs";

const ofTheViewer = extendSchema(({ pgResources }) => ({
  typeDefs: `
    extend type Query {
      viewer: BillingAccount
      viewerPayment(rowId: UUID!): Payment
    }
  `,
  objects: {
    Query: {
      plans: {
        viewer: () => pgResources.billing_accounts.get({ user_id: context().get("user") }),
        viewerPayment: (_, { $rowId }) =>
          pgResources.payments.find({ id: $rowId, user_id: context().get("user") }).single(),
      },
    },
  },
}));

const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  plugins: [ofTheViewer],
  disablePlugins: ["NodePlugin"],
  pgServices: [makePgService({ pool, schemas: ["public"] })],
  grafserv: { watch: false, graphiql: false, graphqlPath: "/graphql" },
  grafast: { explain: false, context: ({ node }) => ({ user: userOf(node?.req.headers.authorization) }) },
});
if (process.argv[2] === "schema") {
  const { printSchema } = await import("graphql");
  console.log(printSchema(await instance.getSchema()));
  process.exit();
}
const server = createServer();
await instance.createServ(grafserv).addTo(server);
server.listen(Number(process.env.PORT), process.env.HOST);
