// The schema and its resolvers, which Apollo Server, Mercurius and Yoga share.
import { readFileSync } from "node:fs";
import { createPayment } from "./create_payment.mjs";
import * as payments from "./payments.mjs";

export const typeDefs = readFileSync(new URL("schema.graphql", import.meta.url), "utf8");

const LARGEST_PAGE = 100;

const identified = (prefix) => ({ id: (object) => prefix + payments.hex(object.id) });
const valued = { amount: ({ amount, currency }) => ({ minor: amount, currency }) };

async function page(_, { first, after }, { user }) {
  const size = Math.min(first ?? 20, LARGEST_PAGE);
  const found = after
    ? await payments.paymentsAfter(user, size + 1, payments.placeOf(after))
    : await payments.newestPayments(user, size + 1);
  return { nodes: found.slice(0, size), hasNextPage: found.length > size };
}

export const resolvers = {
  Query: {
    viewer: (_, __, { user }) => payments.account(user),
    payment: (_, { id }, { user }) => payments.payment(payments.uuidOf(id), user),
    payments: page,
  },
  Mutation: {
    createPayment: (_, { input }, { user }) => createPayment(user, input),
  },
  BillingAccount: {
    id: ({ user_id }) => `acc_${payments.hex(user_id)}`,
    paymentMethods: (_, __, { user }) => payments.accountMethods(user),
    payments: page,
  },
  PaymentConnection: {
    pageInfo: (connection) => connection,
    totalCount: (_, __, { user }) => payments.paymentCount(user),
  },
  PageInfo: {
    endCursor: ({ nodes }) => (nodes.length ? payments.cursorOf(nodes.at(-1)) : null),
  },
  Payment: {
    ...identified("pay_"),
    ...valued,
    paymentMethod: ({ payment_method_id }, _, { methods }) => payment_method_id && methods.load(payment_method_id),
    refunds: ({ id }, _, { refunds }) => refunds.load(id),
  },
  Refund: { ...identified("rfd_"), ...valued },
  PaymentMethod: identified("mth_"),
};
