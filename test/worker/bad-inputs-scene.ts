// The program, its neighbours and all that the cases of bad input name.
import type { LogLine } from "../../src/context.ts";
import type { Names } from "./bad-inputs-case.ts";
import { seams } from "./seams.ts";
import { type Loose, openWorld, ROOT_KEY, type World } from "./world.ts";

export interface Scene {
  readonly world: World;
  readonly names: Names;
  readonly lines: LogLine[];
  /** Addresses that were called since the case began. */
  readonly outbound: string[];
}

/** The period that the cases ask for again. */
export const PERIOD = { period_start: "2026-10-01", period_end: "2026-11-01", currency: "USD" };

const payoutOf = async (world: World, affiliateId: string): Promise<string> => {
  await world.sale(affiliateId, 5_000);
  const { payouts } = await world.generate({ ...PERIOD, affiliate_ids: [affiliateId] });
  if (payouts[0] === undefined) throw new Error("nothing was generated");
  return payouts[0].id;
};

/** A live program beside: its payout is there, and no test key may see it. */
const livePayoutOf = async (world: World): Promise<string> => {
  const made = await world.ok<{ api_key: { secret: string } }>(
    "POST",
    "/v1/programs",
    { name: "Live", default_currency: "USD", mode: "live", hold_days: 0 },
    { authorization: `Bearer ${ROOT_KEY}` },
  );
  const headers = { authorization: `Bearer ${made.api_key.secret}` };
  const call = (path: string, body: unknown) => world.ok<Loose>("POST", path, body, headers);
  const { id } = await call("/v1/affiliates", { name: "Ada", email: "ada@example.com" });
  const sale = { affiliate_id: id, external_id: "live-1", amount: 100, currency: "USD", status: "approved" };
  const made_ = await call("/v1/commissions", { ...sale, occurred_at: "2026-10-20T00:00:00Z" });
  const body = { affiliate_id: id, currency: "USD", commission_ids: [made_.id] };
  return (await call("/v1/payouts", body)).id;
};

const flipFirst = (cursor: string): string => (cursor.startsWith("A") ? "B" : "A") + cursor.slice(1);

const cursorsOf = async (world: World) => {
  const page = await world.ok<{ next_cursor: string }>("GET", "/v1/commissions?limit=1");
  return { CURSOR: page.next_cursor, CURSOR_FLIPPED_BIT: flipFirst(page.next_cursor) };
};

const keysOf = async (world: World) => {
  const { key } = world.program;
  const scopes = ["commissions:read", "affiliates:read", "payouts:read"];
  const reader = await world.ok("POST", "/v1/api-keys", { name: "Reader", scopes });
  return {
    API_KEY: key,
    TEST_MODE_KEY: key,
    API_KEY_BAD_CRC: key.slice(0, -1) + (key.endsWith("0") ? "1" : "0"),
    READ_ONLY_KEY: String(reader["secret"]),
  };
};

const suspendedOf = async (world: World): Promise<string> => {
  const id = await world.affiliate();
  await world.ok("PATCH", `/v1/affiliates/${id}`, { status: "suspended" });
  return id;
};

const METADATA = "https://169.254.169.254/latest/meta-data/";
const REDIRECTING = "https://redirect.example.com/in";

const endpointOf = async (world: World, url: string): Promise<string> =>
  (await world.ok("POST", "/v1/webhook-endpoints", { url, events: ["*"] })).id;

const endpointsOf = async (world: World) => {
  const url = "https://hooks.example.com/existing";
  return {
    OWN_HOST: "stipend.test",
    OWN_WORKER: "stipend.acme",
    EXISTING_ENDPOINT_URL: url,
    ENDPOINT_ID: await endpointOf(world, url),
    REDIRECTING_ENDPOINT_ID: await endpointOf(world, REDIRECTING),
  };
};

/** One receiver leads to the metadata of a cloud; everything else is Stripe's. */
const watchOutbound = (lines: LogLine[]): string[] => {
  const outbound: string[] = [];
  const plain = seams.ports;
  seams.ports = (ports) => {
    const made = plain(ports);
    const http: typeof made.http = async (request) => {
      outbound.push(request.url);
      if (request.url !== REDIRECTING) return made.http(request);
      return new Response(null, { status: 302, headers: { location: METADATA } });
    };
    return { ...made, http, log: (line) => void lines.push(line) };
  };
  return outbound;
};

/** The program's zone has the 25-hour day. What is due at the beginning is in payouts already. */
export const openScene = async (): Promise<Scene> => {
  const other = await openWorld();
  const otherAffiliate = await other.affiliate();
  const otherPayout = await payoutOf(other, otherAffiliate);
  const otherEndpoint = await endpointOf(other, "https://hooks.example.com/other");
  const world = await openWorld({ time_zone: "Europe/Berlin" });
  const lines: LogLine[] = [];
  const outbound = watchOutbound(lines);
  const { id } = await world.stripeAffiliate();
  world.stripe.setBalance({ currency: "jpy", amount: 1_000_000 });
  const paid = await payoutOf(world, id);
  await world.ok("POST", `/v1/payouts/${paid}/mark-paid`, { external_ref: "cheque 1" });
  await world.sale(id, 1_000, { external_id: "existing-1" });
  await payoutOf(world, id);
  const names = {
    ...(await keysOf(world)),
    ...(await cursorsOf(world)),
    ...(await endpointsOf(world)),
    AFFILIATE_ID: id,
    SUSPENDED_AFFILIATE_ID: await suspendedOf(world),
    EXISTING_EXTERNAL_ID: "existing-1",
    PAID_PAYOUT_ID: paid,
    LIVE_PAYOUT_ID: await livePayoutOf(world),
    OTHER_TENANT_AFFILIATE_ID: otherAffiliate,
    OTHER_TENANT_PAYOUT_ID: otherPayout,
    OTHER_TENANT_ENDPOINT_ID: otherEndpoint,
  };
  return { world, names, lines, outbound };
};
