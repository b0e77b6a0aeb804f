// The reads. Each has the owner's rule in it, and no column that the schema does not show.
import { row, rows } from "./database.mjs";

const PAYMENT = `id, status, description, created_at AS "createdAt", amount, currency, payment_method_id`;
const METHOD = `id, brand, last4, exp_month AS "expMonth", exp_year AS "expYear", is_default AS "isDefault"`;
const NEWEST = "ORDER BY created_at DESC, id DESC LIMIT $2";
const ORDER = "payments:created_at:DESC";

export const payment = (id, user) =>
  row("payment", `SELECT ${PAYMENT} FROM payments WHERE id = $1 AND user_id = $2`, [id, user]);

export const newestPayments = (user, count) =>
  rows("newest", `SELECT ${PAYMENT} FROM payments WHERE user_id = $1 ${NEWEST}`, [user, count]);

export const paymentsAfter = (user, count, [createdAt, id]) =>
  rows(
    "after",
    `SELECT ${PAYMENT} FROM payments WHERE user_id = $1 AND (created_at, id) < ($3, $4) ${NEWEST}`,
    [user, count, createdAt, id],
  );

export const paymentCount = async (user) =>
  (await row("count", "SELECT count(*) FROM payments WHERE user_id = $1", [user])).count;

export const account = (user) => row("account", "SELECT user_id FROM billing_accounts WHERE user_id = $1", [user]);

export const accountMethods = (user) =>
  rows(
    "account_methods",
    `SELECT ${METHOD} FROM payment_methods WHERE user_id = $1 AND detached_at IS NULL
     ORDER BY is_default DESC, created_at DESC, id DESC`,
    [user],
  );

export const methodsByIds = (ids, user) =>
  rows("methods", `SELECT ${METHOD} FROM payment_methods WHERE id = ANY($1) AND user_id = $2`, [ids, user]);

export const refundsOfPayments = (ids, user) =>
  rows(
    "refunds",
    `SELECT id, payment_id, status, created_at AS "createdAt", amount, currency
     FROM refunds WHERE payment_id = ANY($1) AND user_id = $2 ORDER BY created_at, id`,
    [ids, user],
  );

export function cursorOf(payment) {
  const place = [ORDER, payment.createdAt.replace("Z", "+00:00"), hex(payment.id)];
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

export function placeOf(cursor) {
  const [order, createdAt, id] = JSON.parse(Buffer.from(cursor, "base64url").toString());
  if (order !== ORDER) throw new Error("This is a cursor of another list");
  return [createdAt, id];
}

export const hex = (uuid) => uuid.replaceAll("-", "");

export const uuidOf = (id) => id.slice(id.indexOf("_") + 1);
