// What lives as long as one request: who asks, and a DataLoader per relation.
import DataLoader from "dataloader";
import { methodsByIds, refundsOfPayments } from "./payments.mjs";
import { userOf } from "./token.mjs";

export function contextOf(authorization) {
  const user = userOf(authorization);
  return {
    user,
    methods: new DataLoader(async (ids) => {
      const found = new Map((await methodsByIds(ids, user)).map((method) => [method.id, method]));
      return ids.map((id) => found.get(id) ?? null);
    }),
    refunds: new DataLoader(async (ids) => {
      const found = new Map(ids.map((id) => [id, []]));
      for (const refund of await refundsOfPayments(ids, user)) found.get(refund.payment_id).push(refund);
      return ids.map((id) => found.get(id));
    }),
  };
}
