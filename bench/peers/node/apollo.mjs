// Apollo Server, as its documentation starts it.
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { contextOf } from "./context.mjs";
import { resolvers, typeDefs } from "./schema.mjs";

const server = new ApolloServer({ typeDefs, resolvers });
await startStandaloneServer(server, {
  listen: { host: process.env.HOST, port: Number(process.env.PORT) },
  context: async ({ req }) => contextOf(req.headers.authorization),
});
