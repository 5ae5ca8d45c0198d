// A program's life with canaries in everything that takes text: people, accounts, notes, secrets; paid, refused, returned and broken.

import { broken, plantIban, type Trapped } from "./canaries-trap.ts";
import { BODIES, type Operation, pathFor, readOperations } from "./isolation-matrix.ts";
import { DEBTOR } from "./payout-files-scene.ts";
import { seams } from "./seams.ts";
import { PAYPAL_WEBHOOK_ID, unique } from "./world.ts";

type Json = Record<string, unknown>;

export interface Ids extends Record<string, string> {
  readonly affiliate_id: string;
  readonly payout_id: string;
}

const note = ({ trap }: Trapped, label: string): string =>
  trap.plant("note", label, (word) => `a note ${word}`);
const secret = ({ trap }: Trapped, label: string, shape?: (word: string) => string): string =>
  trap.plant("secret", label, shape);
const email = ({ trap }: Trapped, label: string): string =>
  trap.plant("email", label, (word) => `${word}@mark.example`);
const person = ({ trap }: Trapped, label: string): string =>
  trap.plant("person", label, (word) => `Ada ${word}`);

const credentials = async (trapped: Trapped): Promise<void> => {
  const { wise, wiseProfile } = trapped;
  await trapped.did("PUT", "/v1/program/credentials/stripe", {
    secret_key: secret(trapped, "Stripe's key", (word) => `sk_test_${word}_k`),
    webhook_secret: secret(trapped, "Stripe's webhook secret", (word) => `whsec_${word}`),
    connect_webhook_secret: secret(trapped, "Stripe's Connect secret", (word) => `whsec_${word}`),
  });
  await trapped.did("PUT", "/v1/program/credentials/paypal", {
    client_id: `app-${trapped.program.id}`,
    client_secret: secret(trapped, "PayPal's secret"),
    webhook_id: PAYPAL_WEBHOOK_ID,
  });
  const api_token = secret(trapped, "Wise's token");
  wise.seedProfile({ token: api_token, id: wiseProfile });
  await trapped.did("PUT", "/v1/program/credentials/wise", { api_token, profile_id: String(wiseProfile) });
};

const shop = async (trapped: Trapped): Promise<Ids> => {
  await trapped.did("PATCH", "/v1/program", {
    name: note(trapped, "program name"),
    legal: {
      name: note(trapped, "legal name"),
      address: note(trapped, "legal address"),
      vat_id: trapped.trap.plant("tax", "the merchant's VAT id", (word) => `DE${word}`),
    },
  });
  await credentials(trapped);
  const sink = trapped.sink();
  const endpoint = await trapped.did<{ id: string; secret: string }>("POST", "/v1/webhook-endpoints", {
    url: `${sink.url}?k=${note(trapped, "webhook URL").replaceAll(" ", "-")}`,
    events: ["*"],
    description: note(trapped, "webhook description"),
  });
  const key = await trapped.did<{ id: string; secret: string }>("POST", "/v1/api-keys", {
    name: note(trapped, "key name"),
    scopes: ["events:read"],
  });
  const rotated = await trapped.did<{ secret: string }>("POST", `/v1/api-keys/${key.id}/rotate`);
  for (const [label, text] of [
    ["a webhook's secret", endpoint.secret.replace("whsec_", "")],
    ["a key", key.secret],
    ["a rotated key", rotated.secret],
  ] as const)
    trapped.trap.watch("secret", label, text);
  return {
    affiliate_id: "",
    payout_id: "",
    endpoint_id: endpoint.id,
    key_id: key.id,
    program_id: trapped.program.id,
  };
};

const METHODS: Readonly<Record<string, (trapped: Trapped) => Json>> = {
  stripe: ({ stripe }) => ({ payout_method: "stripe", stripe_account_id: String(stripe.seedAccount({}).id) }),
  paypal: (trapped) => ({ payout_method: "paypal", paypal_email: email(trapped, "PayPal address") }),
  wise: (trapped) => ({ payout_method: "wise", wise_email: email(trapped, "Wise address"), currency: "EUR" }),
  bank_transfer: (trapped) => ({
    payout_method: "bank_transfer",
    bank_details: {
      account_name: trapped.trap.plant("bank", "account name", (word) => `Ada ${word}`),
      iban: plantIban(trapped.trap, "IBAN"),
      swift: "COBADEFFXXX",
      address: trapped.trap.plant("bank", "bank address", (word) => `${word} 1, 10117 Berlin`),
    },
  }),
  store_credit: () => ({ payout_method: "store_credit" }),
  manual: () => ({ payout_method: "manual" }),
};

const enrol = async (trapped: Trapped, method: string): Promise<string> => {
  const { id } = await trapped.did<{ id: string }>("POST", "/v1/affiliates", {
    name: person(trapped, "affiliate name"),
    email: email(trapped, "affiliate e-mail"),
    country: "DE",
    external_id: unique("aff"),
    metadata: { phone: trapped.trap.plant("metadata", "affiliate metadata") },
  });
  await trapped.did("PATCH", `/v1/affiliates/${id}`, {
    name: person(trapped, "new name"),
    email: email(trapped, "new e-mail"),
  });
  await trapped.did("PUT", `/v1/affiliates/${id}/tax-form`, {
    form: "w8ben",
    legal_name: trapped.trap.plant("person", "legal name", (word) => `Ada ${word}`),
    address: trapped.trap.plant("tax", "tax address", (word) => `${word} street 1`),
    country: "DE",
    tax_id: trapped.trap.plant("tax", "tax number"),
    vat_id: trapped.trap.plant("tax", "VAT id", (word) => `DE${word}`),
    signed_on: "2026-03-04",
  });
  await trapped.did("PUT", `/v1/affiliates/${id}/payout-method`, METHODS[method]?.(trapped));
  return id;
};

const sale = (trapped: Trapped, affiliate_id: string, amount: number): Promise<{ id: string }> =>
  trapped.did("POST", "/v1/commissions", {
    ...{ affiliate_id, external_id: unique("order"), amount, currency: "EUR", status: "approved" },
    occurred_at: new Date(trapped.now() - 3_600_000).toISOString(),
    metadata: { buyer: trapped.trap.plant("metadata", "commission metadata") },
  });

const generate = async (trapped: Trapped, affiliate: string): Promise<{ run_id: string; payout: string }> => {
  const period_end = new Date(trapped.now()).toISOString().slice(0, 10);
  const body = { period_end, affiliate_ids: [affiliate] };
  const made = await trapped.did<{ run_id: string; payouts: { id: string }[] }>(
    "POST",
    "/v1/payouts/generate",
    body,
  );
  return { run_id: made.run_id, payout: made.payouts[0]?.id ?? "" };
};

/** Commissions reviewed in every way, and money given and taken with notes. */
const earn = async (trapped: Trapped, id: string): Promise<string> => {
  const reviewed = await sale(trapped, id, 500);
  for (const verb of ["hold", "release", "reject"])
    await trapped.ask(
      "POST",
      `/v1/commissions/${reviewed.id}/${verb}`,
      verb === "release" ? undefined : { reason: note(trapped, verb) },
    );
  const kept = await sale(trapped, id, 2_000);
  await trapped.did("POST", `/v1/commissions/${kept.id}/reverse`, {
    amount: 100,
    reason: note(trapped, "reverse"),
  });
  await trapped.did("POST", `/v1/affiliates/${id}/credits`, {
    amount: 300,
    currency: "EUR",
    note: note(trapped, "credit"),
  });
  return kept.id;
};

/** What people write on a payout and around it. */
const annotate = async (trapped: Trapped, path: string): Promise<void> => {
  await trapped.did("PATCH", path, {
    admin_note: note(trapped, "admin note"),
    partner_message: note(trapped, "partner message"),
  });
  await trapped.did("POST", `${path}/cancel`, { reason: note(trapped, "cancel") });
  await trapped.did("POST", `${path}/reopen`);
};

const payBy: Readonly<Record<string, (trapped: Trapped, path: string) => Promise<string | undefined>>> = {
  async wise(trapped) {
    for (const { id, status } of trapped.wise.transfers())
      if (status === "processing") trapped.wise.setStatus(id, "funds_converted", "outgoing_payment_sent");
    return undefined;
  },
  async manual(trapped, path) {
    await trapped.did("POST", `${path}/mark-failed`, { reason: note(trapped, "mark-failed") });
    await trapped.did("POST", `${path}/retry`);
    await trapped.did("POST", `${path}/mark-paid`, {
      external_ref: "cheque 7",
      admin_note: note(trapped, "admin note of mark-paid"),
      partner_message: note(trapped, "partner message of mark-paid"),
    });
    await trapped.did("POST", `${path}/return`, { reason: note(trapped, "return") });
    return undefined;
  },
  async bank_transfer(trapped, path) {
    const payout_ids = [path.split("/").at(-1)];
    const made = await trapped.did<{ id: string }>("POST", "/v1/payout-files", {
      payout_ids,
      format: "pain.001.001.09",
      debtor: DEBTOR,
    });
    await trapped.ask("GET", `/v1/payout-files/${made.id}/content`);
    await trapped.did("POST", `/v1/payout-files/${made.id}/void`, { reason: note(trapped, "void") });
    await trapped.did("POST", `${path}/retry`);
    const again = await trapped.did<{ id: string }>("POST", "/v1/payout-files", {
      payout_ids,
      format: "bank_csv",
    });
    await trapped.ask("POST", `/v1/payout-files/${again.id}/settle`, {
      format: "csv",
      content: `end_to_end_id,amount,currency,booked_on\n${note(trapped, "statement")},12.34,EUR,2026-11-01`,
    });
    return again.id;
  },
};

const paid = async (trapped: Trapped, method: string): Promise<Ids> => {
  const affiliate_id = await enrol(trapped, method);
  const commission_id = await earn(trapped, affiliate_id);
  const { run_id, payout: payout_id } = await generate(trapped, affiliate_id);
  const path = `/v1/payouts/${payout_id}`;
  await annotate(trapped, path);
  await trapped.did("POST", `${path}/pay`);
  await trapped.drain(4);
  const file_id = (await payBy[method]?.(trapped, path)) ?? "";
  trapped.advance(60_000);
  await trapped.drain(6);
  return { affiliate_id, commission_id, payout_id, run_id, ...(file_id === "" ? {} : { file_id }) };
};

/** The affiliate's own way in, and what it does there. */
const portal = async (trapped: Trapped, affiliateId: string): Promise<void> => {
  const path = `/v1/affiliates/${affiliateId}`;
  const link = await trapped.did<Json>("POST", `${path}/portal-links`);
  const token = String(link["token"] ?? String(link["url"]).split(/[=/#]/).at(-1));
  trapped.trap.watch("secret", "a portal token", token);
  const authorization = `Bearer ${token}`;
  await sale(trapped, affiliateId, 700);
  for (const [method, at] of [
    ["GET", `${path}/balance`],
    ["POST", `${path}/payout-requests`],
    ["GET", path],
  ] as const)
    await trapped.ask(method, at, undefined, { authorization });
  await trapped.ask("POST", `${path}/stripe-onboarding`, {});
};

const rounds = async (trapped: Trapped, affiliateId: string): Promise<string> => {
  await sale(trapped, affiliateId, 900);
  const title = note(trapped, "session title");
  const { id } = await trapped.did<{ id: string }>("POST", "/v1/payout-sessions", { title });
  const up_to = new Date(trapped.now()).toISOString().slice(0, 10);
  await trapped.did("PUT", `/v1/payout-sessions/${id}/selection`, { up_to, commission_ids: "all" });
  await trapped.did("POST", `/v1/payout-sessions/${id}/mark-paid`, {
    external_ref: "round 1",
    admin_note: note(trapped, "session's admin note"),
    partner_message: note(trapped, "session's partner message"),
  });
  return id;
};

/** One life with everything in it; what it leaves behind are ids to ask about. */
export const live = async (trapped: Trapped): Promise<Ids> => {
  let ids = await shop(trapped);
  for (const method of Object.keys(METHODS)) ids = { ...ids, ...(await paid(trapped, method)) };
  await portal(trapped, ids.affiliate_id);
  const session_id = await rounds(trapped, ids.affiliate_id);
  const path = `/v1/affiliates/${ids.affiliate_id}`;
  await trapped.did("POST", `${path}/confirm-book`, { evidence: note(trapped, "evidence of confirm-book") });
  await trapped.ask("POST", `${path}/recovery`, {
    amount: 5,
    currency: "EUR",
    kind: "repaid",
    note: note(trapped, "recovery"),
  });
  await trapped.pump();
  const events = await trapped.did<{ data: { id: string }[] }>("GET", "/v1/events?limit=200");
  await trapped.did("POST", `/v1/webhook-endpoints/${ids["endpoint_id"]}/test`);
  return { ...ids, session_id, event_id: events.data[0]?.id ?? "" };
};

const SHAPES: Readonly<Record<string, (trapped: Trapped, label: string) => unknown>> = {
  name: person,
  legal_name: person,
  email,
  paypal_email: email,
  note,
  reason: note,
  evidence: note,
  title: note,
  description: note,
  admin_note: note,
  address: note,
  secret_key: (trapped, label) => secret(trapped, label, (word) => `sk_test_${word}_k`),
  client_secret: secret,
  api_token: secret,
  tax_id: ({ trap }, label) => trap.plant("tax", label),
  iban: ({ trap }, label) => plantIban(trap, label),
};

/** The body that the route takes, with canaries where it takes text. */
const withCanaries = (trapped: Trapped, value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((item) => withCanaries(trapped, item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SHAPES[name]?.(trapped, `a fault's ${name}`) ?? withCanaries(trapped, member),
    ]),
  );
};

/** Nothing of it fits any route. */
const junk = (trapped: Trapped): Json => ({
  ...Object.fromEntries(
    Object.keys(SHAPES).map((name) => [name, [SHAPES[name]?.(trapped, `a refused ${name}`)]]),
  ),
  amount: note(trapped, "a refused amount"),
  currency: note(trapped, "a refused currency"),
  status: note(trapped, "a refused status"),
  bank_details: {
    iban: plantIban(trapped.trap, "a refused IBAN"),
    account_name: [person(trapped, "a refused holder")],
  },
  metadata: { deep: { deeper: trapped.trap.plant("metadata", "refused metadata") } },
});

const operations = async (): Promise<Operation[]> =>
  (await readOperations()).filter(({ path }) => !path.startsWith("/v1/test-clock"));

const isWrite = ({ method }: Operation): boolean => method !== "GET" && method !== "DELETE";

/** Every route is asked what it must refuse: bodies, queries, paths and keys that are wrong. */
export const refuse = async (trapped: Trapped, ids: Ids): Promise<void> => {
  for (const operation of await operations()) {
    const path = pathFor(operation, ids);
    const { method } = operation;
    if (isWrite(operation)) {
      await trapped.ask(method, path, junk(trapped));
      await trapped.ask(method, path, `{"note": "${note(trapped, "unreadable JSON")}`);
      await trapped.ask(method, path, note(trapped, "a form"), { "content-type": "text/plain" });
    } else
      await trapped.ask(
        method,
        `${path.split("?")[0]}?limit=${note(trapped, "a query").replaceAll(" ", "-")}`,
      );
    const authorization = trapped.trap.plant("secret", "a wrong key", (word) => `Bearer stp_test_${word}`);
    await trapped.ask(method, path, isWrite(operation) ? {} : undefined, { authorization });
    const strange = operation.path.replaceAll(/\{\w+\}/g, () =>
      trapped.trap.plant("person", "an id in a path"),
    );
    if (strange !== operation.path) await trapped.ask(method, strange, isWrite(operation) ? {} : undefined);
  }
};

/** Turns of every kind of text; the objects' faults cost three tries each. */
const TURNS: readonly string[] = [
  "POST /v1/commissions",
  "PATCH /v1/affiliates/{affiliate_id}",
  "PUT /v1/affiliates/{affiliate_id}/tax-form",
  "POST /v1/affiliates/{affiliate_id}/credits",
  "PATCH /v1/payouts/{payout_id}",
  "POST /v1/payouts/{payout_id}/return",
];

/** Every route with what it takes, while the database fails: the objects' first, then the Worker's own. */
export const fail = async (trapped: Trapped, ids: Ids): Promise<void> => {
  const plain = seams.ports;
  await trapped.ask("GET", "/v1/program");
  for (const isLedgers of [true, false]) {
    trapped.breakLedgers(isLedgers);
    if (!isLedgers) seams.ports = (ports) => ({ ...plain(ports), db: broken(trapped.trap) });
    for (const operation of await operations()) {
      if (isLedgers && !TURNS.includes(operation.name)) continue;
      const body = BODIES[operation.name]?.(ids as never);
      await trapped.ask(operation.method, pathFor(operation, ids), body && withCanaries(trapped, body));
    }
    await trapped.cron();
    seams.ports = plain;
  }
};

/** Somebody is on the way to be paid by each provider; answers an affiliate of Stripe's. */
const sendOff = async (trapped: Trapped): Promise<string> => {
  const ids: string[] = [];
  for (const method of ["stripe", "paypal", "wise"]) {
    const id = await enrol(trapped, method);
    await sale(trapped, id, 1_100);
    await trapped.did("POST", `/v1/payouts/${(await generate(trapped, id)).payout}/pay`);
    ids.push(id);
  }
  return ids[0] ?? "";
};

/** Providers that refuse and break down over names and addresses, at every place where they are asked. */
export const breakProviders = async (trapped: Trapped): Promise<void> => {
  const plain = seams.ports;
  for (const status of [400, 422, 500]) {
    const affiliateId = await sendOff(trapped);
    seams.ports = (ports) => ({ ...plain(ports), http: async () => brokenAnswer(trapped, status) });
    await trapped.drain(3);
    for (const name of ["stripe", "paypal", "wise"]) {
      const path = `/v1/program/credentials/${name}`;
      await trapped.ask("PUT", path, withCanaries(trapped, BODIES[`PUT ${path}`]?.({} as never)));
      const callback = `/v1/callbacks/${name}/${trapped.program.id}`;
      await trapped.ask("POST", callback, { id: note(trapped, "a message") });
    }
    const again = METHODS["stripe"]?.(trapped);
    await trapped.ask("PUT", `/v1/affiliates/${affiliateId}/payout-method`, again);
    await trapped.ask("POST", `/v1/affiliates/${affiliateId}/stripe-onboarding`, {});
    trapped.advance(60_000);
    await trapped.drain(3);
    seams.ports = plain;
  }
  await trapped.pump();
};

const brokenAnswer = (trapped: Trapped, status: number): Response => {
  const said = trapped.trap.plant("provider", "a provider's words", (word) => `No payment to Ada ${word}`);
  const address = email(trapped, "an address in a provider's words");
  const message = `${said} (${address})`;
  return Response.json(
    {
      error: { type: "invalid_request_error", code: "account_invalid", message },
      name: "VALIDATION_ERROR",
      message,
      debug_id: "d1",
      details: [{ field: "/items/0/receiver", value: address, issue: message }],
      errors: [{ code: "NOT_VALID", message, path: "email", arguments: [address] }],
    },
    { status },
  );
};
