// Every operation of the reference with a body that it would take, and everything that a neighbour owns.
import { exports } from "cloudflare:workers";
import { generate } from "./generated.ts";
import { bankPayout, makeFile } from "./payout-files-scene.ts";
import { openWorld, type World } from "./world.ts";

const self = (exports as unknown as { default: Fetcher }).default;

export interface Operation {
  /** `POST /v1/payouts/{payout_id}/pay`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** A scope, `root`, or undefined where nobody in particular is asked for. */
  readonly needs: string | undefined;
  /** How a write keeps idempotency keys: `honoured` or `stored`. */
  readonly keeps: string | undefined;
}

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<string, { readonly "x-required-scope"?: string; readonly "x-idempotency-key"?: string }>
      >
    >
  >;
}

let document: Promise<unknown> | undefined;

/** The reference does not change while the tests run. */
export const readDocument = async <Shape>(): Promise<Shape> => {
  document ??= self.fetch("http://stipend.test/openapi.json").then((answer) => answer.json());
  return (await document) as Shape;
};

export const readOperations = async (): Promise<Operation[]> => {
  const { paths } = await readDocument<Document>();
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      needs: operation["x-required-scope"],
      keeps: operation["x-idempotency-key"],
    })),
  );
};

/** What one program owns, by the name of the path parameter. */
export interface Owned {
  readonly program_id: string;
  readonly affiliate_id: string;
  readonly commission_id: string;
  readonly payout_id: string;
  readonly run_id: string;
  readonly session_id: string;
  readonly key_id: string;
  readonly event_id: string;
  readonly endpoint_id: string;
  readonly file_id: string;
  /** By bank, and in no file yet. */
  readonly bank_payout_id: string;
}

/** A session with something selected of an affiliate that nobody else has to do with. */
const ownSession = async (world: World): Promise<string> => {
  const friend = await world.affiliate({ external_id: "friend" });
  for (const currency of ["USD", "EUR"]) await world.sale(friend, 1_100, { currency });
  const { id } = await world.ok("POST", "/v1/payout-sessions", { title: "A neighbour's round" });
  const all = { up_to: "2026-11-01", commission_ids: "all" };
  await world.ok("PUT", `/v1/payout-sessions/${id}/selection`, all);
  return id;
};

export const ownedBy = async (world: World): Promise<Owned> => {
  const affiliate_id = await world.affiliate({ external_id: "neighbour" });
  const sale = await world.sale(affiliate_id, 1_000, { external_id: "neighbours-order" });
  const { body } = await generate(world);
  const key = await world.ok("POST", "/v1/api-keys", { name: "Key", scopes: ["events:read"] });
  await world.ok("PUT", `/v1/affiliates/${affiliate_id}/tax-form`, TAX_FORM);
  const hook = { url: "https://hooks.example.com/neighbour", events: ["*"] };
  const endpoint = await world.ok("POST", "/v1/webhook-endpoints", hook);
  const { data } = await world.ok<{ data: { id: string }[] }>("GET", "/v1/events");
  return {
    program_id: world.program.id,
    affiliate_id,
    commission_id: sale.id,
    payout_id: body.payouts[0]?.id ?? "",
    run_id: body.run_id ?? "",
    session_id: await ownSession(world),
    key_id: key.id,
    event_id: data[0]?.id ?? "",
    endpoint_id: endpoint.id,
    ...(await ownFile(world)),
  };
};

/** A file with one payout, and another payout that may go into the next. */
const ownFile = async (world: World): Promise<Pick<Owned, "file_id" | "bank_payout_id">> => {
  const { id: filed } = await bankPayout(world);
  const { id } = await makeFile(world, { payout_ids: [filed], format: "bank_csv" });
  return { file_id: id, bank_payout_id: (await bankPayout(world)).id };
};

/** What a read cannot do without. */
const QUERIES: Readonly<Record<string, string>> = {
  "/v1/reports/tax-year": "?year=2026",
  "/v1/reports/tax-year.csv": "?year=2026",
};

export const pathFor = ({ path }: Operation, owned: Readonly<Record<string, string>>): string =>
  path.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    const id = owned[name];
    if (id === undefined) throw new Error(`nobody owns ${whole}`);
    return id;
  }) + (QUERIES[path] ?? "");

const TAX_FORM = {
  form: "w8ben",
  legal_name: "Ada Lovelace",
  address: "Platz 1, 10117 Berlin",
  country: "DE",
  tax_id: "12345678901",
  signed_on: "2026-03-04",
};

type BodyOf = (owned: Owned) => object | undefined;

const nothing: BodyOf = () => undefined;
const reason: BodyOf = () => ({ reason: "because" });
const sale = (owned: Owned) => ({
  external_id: "o-1",
  amount: 5,
  currency: "USD",
  occurred_at: "2026-10-01T00:00:00Z",
  affiliate_id: owned.affiliate_id,
});

/** A route that is not here fails the test: whoever adds one says what it takes. */
export const BODIES: Readonly<Record<string, BodyOf>> = {
  "GET /health": nothing,
  "POST /v1/programs": () => ({ name: "Shop", default_currency: "USD" }),
  "GET /v1/programs": nothing,
  "POST /v1/programs/{program_id}/api-keys": nothing,
  "GET /v1/program": nothing,
  "PATCH /v1/program": () => ({ hold_days: 3 }),
  "POST /v1/api-keys": () => ({ name: "Key", scopes: ["events:read"] }),
  "GET /v1/api-keys": nothing,
  "DELETE /v1/api-keys/{key_id}": nothing,
  "POST /v1/api-keys/{key_id}/rotate": nothing,
  "PUT /v1/program/credentials/stripe": () => ({ secret_key: "sk_test_mine" }),
  "GET /v1/program/credentials/stripe": nothing,
  "PUT /v1/program/credentials/paypal": () => ({ client_id: "mine", client_secret: "good-mine" }),
  "GET /v1/program/credentials/paypal": nothing,
  "PUT /v1/program/credentials/wise": () => ({ api_token: "good-mine", profile_id: "4711" }),
  "GET /v1/program/credentials/wise": nothing,
  "POST /v1/affiliates": () => ({ name: "Ada", email: "ada@example.com" }),
  "GET /v1/affiliates": nothing,
  "GET /v1/affiliates/{affiliate_id}": nothing,
  "PATCH /v1/affiliates/{affiliate_id}": () => ({ name: "Mine" }),
  "PUT /v1/affiliates/{affiliate_id}/payout-method": () => ({ payout_method: "manual" }),
  "POST /v1/affiliates/{affiliate_id}/credits": () => ({ amount: 5, currency: "USD", note: "mine" }),
  "POST /v1/affiliates/{affiliate_id}/store-credit/spend": () => ({
    amount: 5,
    currency: "USD",
    external_id: "mine",
  }),
  "POST /v1/affiliates/{affiliate_id}/store-credit/refund": () => ({
    amount: 5,
    currency: "USD",
    external_id: "mine-back",
    spend_external_id: "mine",
  }),
  "POST /v1/affiliates/{affiliate_id}/recovery": () => ({
    amount: 5,
    currency: "USD",
    kind: "repaid",
    note: "mine",
  }),
  "GET /v1/affiliates/{affiliate_id}/balance": nothing,
  "GET /v1/affiliates/{affiliate_id}/commissions": nothing,
  "GET /v1/affiliates/{affiliate_id}/ledger": nothing,
  "PUT /v1/affiliates/{affiliate_id}/tax-form": () => TAX_FORM,
  "GET /v1/affiliates/{affiliate_id}/tax-form": nothing,
  "POST /v1/affiliates/{affiliate_id}/confirm-book": () => ({ evidence: "compared" }),
  "POST /v1/affiliates/{affiliate_id}/portal-links": nothing,
  "POST /v1/affiliates/{affiliate_id}/payout-requests": nothing,
  "POST /v1/affiliates/{affiliate_id}/stripe-onboarding": () => ({ country: "DE" }),
  "POST /v1/commissions": sale,
  "POST /v1/commissions/batch": (owned) => ({ commissions: [sale(owned)] }),
  "POST /v1/commissions/approve": ({ commission_id }) => ({ ids: [commission_id] }),
  "POST /v1/commissions/reject": ({ commission_id }) => ({ ids: [commission_id] }),
  "GET /v1/commissions/export.csv": nothing,
  "GET /v1/commissions": nothing,
  "GET /v1/commissions/{commission_id}": nothing,
  "POST /v1/commissions/{commission_id}/reverse": reason,
  "POST /v1/commissions/{commission_id}/approve": nothing,
  "POST /v1/commissions/{commission_id}/release": nothing,
  "POST /v1/commissions/{commission_id}/reject": nothing,
  "POST /v1/commissions/{commission_id}/hold": reason,
  "POST /v1/payouts/generate": ({ affiliate_id }) => ({
    period_end: "2026-11-01",
    affiliate_ids: [affiliate_id],
  }),
  "POST /v1/payouts": ({ affiliate_id, commission_id }) => ({
    affiliate_id,
    currency: "USD",
    commission_ids: [commission_id],
  }),
  "GET /v1/payouts": nothing,
  "GET /v1/payouts/payable": nothing,
  "GET /v1/payouts/export.csv": nothing,
  "GET /v1/payouts/{payout_id}/statement": nothing,
  "GET /v1/payouts/{payout_id}": nothing,
  "PATCH /v1/payouts/{payout_id}": () => ({ admin_note: "mine" }),
  "GET /v1/payouts/{payout_id}/commissions": nothing,
  "POST /v1/payouts/{payout_id}/accept": nothing,
  "POST /v1/payouts/{payout_id}/approve": nothing,
  "POST /v1/payouts/{payout_id}/withdraw-approval": nothing,
  "POST /v1/payouts/{payout_id}/retry": nothing,
  "POST /v1/payouts/{payout_id}/reopen": nothing,
  "POST /v1/payouts/{payout_id}/deny": nothing,
  "POST /v1/payouts/{payout_id}/cancel": nothing,
  "POST /v1/payouts/{payout_id}/mark-failed": reason,
  "POST /v1/payouts/{payout_id}/return": reason,
  "POST /v1/payouts/{payout_id}/pay": nothing,
  "POST /v1/payouts/{payout_id}/mark-paid": nothing,
  "POST /v1/payouts/{payout_id}/resolve": () => ({ outcome: "settled", evidence: "seen" }),
  "POST /v1/payouts/approve": ({ payout_id }) => ({ payout_ids: [payout_id] }),
  "POST /v1/payouts/pay": ({ payout_id }) => ({ payout_ids: [payout_id] }),
  "POST /v1/payouts/mark-paid": ({ payout_id }) => ({ payments: [{ payout_id }] }),
  "POST /v1/payout-files": ({ bank_payout_id }) => ({ payout_ids: [bank_payout_id], format: "bank_csv" }),
  "GET /v1/payout-files": nothing,
  "GET /v1/payout-files/{file_id}": nothing,
  "GET /v1/payout-files/{file_id}/content": nothing,
  "POST /v1/payout-files/{file_id}/settle": () => ({
    format: "csv",
    content: "end_to_end_id,amount,currency,booked_on",
  }),
  "POST /v1/payout-files/{file_id}/void": reason,
  "GET /v1/payout-runs": nothing,
  "GET /v1/payout-runs/{run_id}": nothing,
  "GET /v1/payout-runs/{run_id}/skipped": nothing,
  "POST /v1/payout-sessions": () => ({ title: "Mine" }),
  "GET /v1/payout-sessions": nothing,
  "GET /v1/payout-sessions/{session_id}": nothing,
  "GET /v1/payout-sessions/{session_id}/unpaid": nothing,
  "PUT /v1/payout-sessions/{session_id}/selection": () => ({ up_to: "2026-11-01", commission_ids: "all" }),
  "GET /v1/payout-sessions/{session_id}/summary": nothing,
  "POST /v1/payout-sessions/{session_id}/pay": nothing,
  "POST /v1/payout-sessions/{session_id}/mark-paid": () => ({
    payments: [{ affiliate_id: "ext:friend", currency: "USD" }],
  }),
  "POST /v1/payout-sessions/{session_id}/cancel": nothing,
  "GET /v1/events": nothing,
  "GET /v1/events/{event_id}": nothing,
  "GET /v1/event-types": nothing,
  "POST /v1/webhook-endpoints": () => ({ url: "https://hooks.example.com/mine", events: ["payout.paid"] }),
  "GET /v1/webhook-endpoints": nothing,
  "GET /v1/webhook-endpoints/{endpoint_id}": nothing,
  "PATCH /v1/webhook-endpoints/{endpoint_id}": () => ({ description: "mine" }),
  "DELETE /v1/webhook-endpoints/{endpoint_id}": nothing,
  "POST /v1/webhook-endpoints/{endpoint_id}/rotate-secret": nothing,
  "POST /v1/webhook-endpoints/{endpoint_id}/test": nothing,
  "POST /v1/webhook-endpoints/{endpoint_id}/recover": () => ({ since: "2026-10-31T00:00:00Z" }),
  "GET /v1/webhook-endpoints/{endpoint_id}/deliveries": nothing,
  "POST /v1/events/{event_id}/redeliver": nothing,
  "GET /v1/ledger/entries": nothing,
  "GET /v1/ledger/verify": nothing,
  "GET /v1/ledger/export.csv": nothing,
  "GET /v1/reports/summary": nothing,
  "GET /v1/reports/tax-year": nothing,
  "GET /v1/reports/tax-year.csv": nothing,
  "POST /v1/callbacks/stripe/{program_id}": () => ({ id: "evt_made_up" }),
  "POST /v1/callbacks/paypal/{program_id}": () => ({ id: "WH-MADE-UP" }),
  "POST /v1/callbacks/wise/{program_id}": () => ({ event_type: "transfers#state-change" }),
  "POST /v1/test-clock": () => ({ advance_to: "2026-12-24T00:00:00Z" }),
};

/** Operations whose path names nothing, and whose body does: it must be one's own. */
export const BODY_NAMES: readonly string[] = [
  "POST /v1/commissions",
  "POST /v1/payouts/generate",
  "POST /v1/payouts",
];

export interface Neighbours {
  readonly world: World;
  /** What belongs to the other program. */
  readonly theirs: Owned;
  readonly operations: readonly Operation[];
}

/** Two programs with the same external ids in both; the clock and the calls are the second one's. */
export const openNeighbours = async (): Promise<Neighbours> => {
  const other = await openWorld();
  const theirs = await ownedBy(other);
  const world = await openWorld();
  return { world, theirs, operations: await readOperations() };
};
