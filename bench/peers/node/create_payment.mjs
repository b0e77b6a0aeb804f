// createPayment: the intent is committed before Stripe hears of it, and Stripe's word in a second transaction.
import { getRandomValues } from "node:crypto";
import { Pool } from "undici";
import { inTransaction, row, rows } from "./database.mjs";
import { hex } from "./payments.mjs";

const FIND_KEY = "SELECT id FROM operations WHERE caller_id = $1 AND mutation = 'createPayment' AND key = $2";
const ACCOUNT = "SELECT processor_customer_id FROM billing_accounts WHERE user_id = $1";
const DEFAULT_METHOD = "SELECT id, processor_method_id FROM payment_methods WHERE user_id = $1 AND is_default";
const OPEN_PAYMENT = `
INSERT INTO payments
    (id, user_id, status, trigger, livemode, version, amount, currency, authorized_amount, captured_amount,
     refunded_amount, refund_pending_amount, disputed_amount, failures, capture_method, details,
     payment_method_id, processor_customer_id, processor_method_id, synced_by, created_at, updated_at)
VALUES ($1, $2, 'PENDING', 'PURCHASE', false, 1, $3, $4, 0, 0, 0, 0, 0, '[]', 'AUTOMATIC', '{}',
        $5, $6, $7, 'API_CALL', $8, $8)`;
const RECORD = `
INSERT INTO audit_records
    (id, at, actor_role, actor_id, request_id, action, object_kind, object_id, changes, previous_hash, hash)
SELECT
    $1, $2, 'USER', $3, '', $4, 'PAYMENT', $5, $6, last.hash,
    encode(sha256(convert_to(last.hash || $7, 'UTF8')), 'hex')
FROM (
    SELECT coalesce((
        SELECT hash FROM audit_records
        WHERE object_kind = 'PAYMENT' AND object_id = $5 ORDER BY sequence DESC LIMIT 1
    ), repeat('0', 64)) AS hash
) AS last`;
const OPEN_OPERATION = `
INSERT INTO operations
    (id, caller_id, mutation, key, state, fingerprint, arguments, object_kind, object_id, request_id, attempts,
     leased_until, started_at, expires_at)
VALUES ($1, $2, 'createPayment', $3, 'RUNNING', $4, $5, 'PAYMENT', $6, '', 1, $7, $8, $9)`;
const LOCK = "SELECT id FROM payments WHERE id = $1 FOR NO KEY UPDATE";
const SETTLE = `
UPDATE payments
SET status = 'COMPLETED', version = 2, authorized_amount = amount, captured_amount = amount,
    processor_payment_id = $2, processor_charge_id = $3, method_type = 'CARD', method_brand = $4,
    method_last4 = $5, completed_at = $6, updated_at = $6
WHERE id = $1
RETURNING id, status, description, created_at AS "createdAt", amount, currency, payment_method_id`;
const END_OPERATION = `
UPDATE operations SET state = 'SUCCEEDED', leased_until = NULL, finished_at = $2
WHERE id = $1 AND state IN ('RUNNING', 'OUTCOME_UNKNOWN')`;

const SECOND = 1000;
const DAY = 24 * 3600 * SECOND;

const stripe = new Pool(process.env.STRIPE_API_BASE, { connections: 64 });

export async function createPayment(user, { idempotencyKey, charge: { amount } }) {
  if (await row("find_key", FIND_KEY, [user, idempotencyKey])) throw new Error("A key is used once in a benchmark");
  const { processor_customer_id: customer } = await row("customer", ACCOUNT, [user]);
  const opened = { user, key: idempotencyKey, amount, customer, paymentId: newId(), operationId: newId() };
  const method = await inTransaction((client) => open(client, opened));
  const intent = await charged(opened, method);
  const payment = await inTransaction((client) => settle(client, opened, intent));
  return { payment, operation: { state: "SUCCEEDED", replayed: false }, errors: [] };
}

async function open(client, { user, key, amount, customer, paymentId, operationId }) {
  const now = new Date();
  const method = await row("default_method", DEFAULT_METHOD, [user], client);
  const { minor, currency } = amount;
  const processorMethod = method.processor_method_id;
  await rows(
    "open_payment",
    OPEN_PAYMENT,
    [paymentId, user, minor, currency, method.id, customer, processorMethod, now],
    client,
  );
  const changes = { status: [null, "PENDING"], amount: [null, minor], currency: [null, currency] };
  await record(client, now, user, "payment.created", paymentId, changes);
  const leasedUntil = new Date(now.getTime() + 30 * SECOND);
  const expiresAt = new Date(now.getTime() + 30 * DAY);
  const fingerprint = { amount: `${minor}${currency}` };
  await rows(
    "open_operation",
    OPEN_OPERATION,
    [operationId, user, key, fingerprint, { amount }, paymentId, leasedUntil, now, expiresAt],
    client,
  );
  return method;
}

// https://docs.stripe.com/api/payment_intents/create
async function charged({ amount, customer, paymentId, operationId }, method) {
  const asked = new URLSearchParams({
    amount: amount.minor,
    currency: amount.currency.toLowerCase(),
    customer,
    payment_method: method.processor_method_id,
    confirm: "true",
    "automatic_payment_methods[enabled]": "true",
    "automatic_payment_methods[allow_redirects]": "never",
    "metadata[payment_id]": paymentId,
    "expand[]": "latest_charge",
  });
  const { statusCode, body } = await stripe.request({
    path: "/v1/payment_intents",
    method: "POST",
    headers: {
      authorization: `Bearer ${process.env.STRIPE_SECRET_KEY}`,
      "content-type": "application/x-www-form-urlencoded",
      "idempotency-key": `opr_${hex(operationId)}`,
    },
    body: asked.toString(),
  });
  const intent = await body.json();
  if (statusCode !== 200) throw new Error(`Stripe answers ${statusCode}: ${JSON.stringify(intent)}`);
  return intent;
}

async function settle(client, { user, paymentId, operationId }, { id, latest_charge: charge }) {
  const now = new Date();
  const { brand, last4 } = charge.payment_method_details.card;
  await row("lock", LOCK, [paymentId], client);
  const payment = await row("settle", SETTLE, [paymentId, id, charge.id, brand, last4, now], client);
  const changes = { status: ["PENDING", "COMPLETED"], captured_amount: [0, payment.amount] };
  await record(client, now, user, "payment.settled", paymentId, changes);
  await rows("end_operation", END_OPERATION, [operationId, now], client);
  return payment;
}

async function record(client, at, user, action, paymentId, changes) {
  const facts = [newId(), at, user, action, paymentId, changes];
  await rows("record", RECORD, [...facts, JSON.stringify(facts)], client);
}

// UUID version 7: RFC 9562, section 5.7.
function newId() {
  const bytes = getRandomValues(Buffer.alloc(16));
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const digits = bytes.toString("hex");
  return [[0, 8], [8, 12], [12, 16], [16, 20], [20]].map(([from, to]) => digits.slice(from, to)).join("-");
}
