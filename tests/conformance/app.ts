// What an app does with the generated types; it is compiled, never run.
import type { DeclinedCardMutation, FindMyPaymentsQuery } from "./generated/operations";
import type { CreatePaymentInput, MoneyInput } from "./generated/schema";

type Payment = FindMyPaymentsQuery["payments"]["nodes"][number];
type PaymentError = DeclinedCardMutation["createPayment"]["errors"][number];

const amount: MoneyInput = { minor: 1250, currency: "EUR" };

// Whatever has a default or may be null can be left out.
export const input: CreatePaymentInput = { idempotencyKey: "order-0017", charge: { amount } };

export function line({ amount, paymentMethod, createdAt }: Payment): string {
  return `${createdAt} ${amount.decimal} ${amount.currency} ${paymentMethod?.last4 ?? ""}`;
}

// Errors of kinds that a later version adds fall under UserError's own fields.
export function explanation(error: PaymentError): string {
  return error.__typename === "DeclinedError" ? error.decline.customerMessage : error.message;
}
