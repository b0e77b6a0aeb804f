// GraphQL Yoga on Node's own HTTP server; it caches parsed and validated documents by itself.
import { createServer } from "node:http";
import { createSchema, createYoga } from "graphql-yoga";
import { contextOf } from "./context.mjs";
import { resolvers, typeDefs } from "./schema.mjs";

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  logging: false,
  graphiql: false,
  landingPage: false,
  context: ({ request }) => contextOf(request.headers.get("authorization")),
});
createServer(yoga).listen(Number(process.env.PORT), process.env.HOST);
