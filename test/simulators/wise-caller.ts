// A bare caller of the simulated Wise, in the same process: the token, the version and JSON, nothing more.

import type { WiseSimulator } from "./wise.ts";
import { VERSION } from "./wise-world.ts";

export const TOKEN = "wise-token-of-the-shop";

export type Reply = { status: number; headers: Headers; body: unknown };

export async function callWise(
  simulator: WiseSimulator,
  method: string,
  path: string,
  body?: unknown,
  token = TOKEN,
): Promise<Reply> {
  const response = await simulator.fetch(
    new Request(`https://api.wise-sandbox.com/${VERSION}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === "" ? null : (JSON.parse(text) as unknown),
  };
}

/** A recipient, a quote and the order of a transfer from it. */
export async function ordered(
  simulator: WiseSimulator,
  profile: number,
  more: { sourceAmount?: number; uuid?: string; currencies?: [string, string] } = {},
) {
  const [sourceCurrency, targetCurrency] = more.currencies ?? ["USD", "EUR"];
  const recipient = await callWise(simulator, "POST", "/accounts", {
    profile,
    accountHolderName: "Ada Lovelace",
    currency: targetCurrency,
    type: "email",
    details: { email: "ada@example.com" },
  });
  const targetAccount = (recipient.body as { id: number }).id;
  const quote = await callWise(simulator, "POST", `/profiles/${profile}/quotes`, {
    sourceCurrency,
    targetCurrency,
    sourceAmount: more.sourceAmount ?? 100,
    targetAccount,
    preferredPayIn: "BALANCE",
  });
  const order = {
    targetAccount,
    quoteUuid: (quote.body as { id: string }).id,
    customerTransactionId: more.uuid ?? "54a6bc09-cef9-59a8-9041-f1f0c654cd88",
    details: { reference: "PO 1" },
  };
  return { recipient, quote, order };
}
