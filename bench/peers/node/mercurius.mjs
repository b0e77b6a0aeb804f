// Mercurius, with graphql-jit compiling each query at its first use.
import Fastify from "fastify";
import mercurius from "mercurius";
import { contextOf } from "./context.mjs";
import { resolvers, typeDefs } from "./schema.mjs";

const app = Fastify({ logger: false });
app.register(mercurius, {
  schema: typeDefs,
  resolvers,
  jit: 1,
  graphiql: false,
  context: (request) => contextOf(request.headers.authorization),
});
await app.listen({ host: process.env.HOST, port: Number(process.env.PORT) });
