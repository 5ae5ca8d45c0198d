// A person closes a payment of which nobody heard what became of it: only while it is unknown, with evidence, and never before its key is over.
import { describe, expect, test } from "vitest";
import { KEY_WINDOW_MS, QUIET_AFTER_WINDOW_MS } from "../../src/domain/payout.ts";
import { expectSound, rowsOf } from "./books.ts";
import { type Answer, type Loose, openWorld, unique, type World } from "./world.ts";

interface Unheard {
  readonly world: World;
  readonly payout: Loose;
  readonly affiliateId: string;
  resolve(body: Record<string, unknown>, headers?: Record<string, string>): Promise<Answer<Loose>>;
  read(): Promise<Loose>;
  /** The state of the payout's attempts, in order. */
  states(): Promise<string[]>;
}

/** So long the instruction may still be carried out. */
const OPEN_MS = KEY_WINDOW_MS + QUIET_AFTER_WINDOW_MS;

const EVIDENCE = "seen in the provider's dashboard by two of us";

/** A payment that was called for once; where it was made, the answer was lost. */
const openUnheard = async (fault: "drop_after_work" | "drop_before_work"): Promise<Unheard> => {
  const world = await openWorld();
  const { id } = await world.stripeAffiliate();
  await world.sale(id, 1_000);
  const [payout] = (await world.generate()).payouts;
  if (payout === undefined) throw new Error("nothing was generated");
  world.stripe.addFault({ fault, match: { method: "POST", path: "/v1/transfers" } });
  await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
  await world.deliver();
  return {
    world,
    payout,
    affiliateId: id,
    resolve: (body, headers) => world.call("POST", `/v1/payouts/${payout.id}/resolve`, body, headers),
    read: () => world.ok("GET", `/v1/payouts/${payout.id}`),
    async states() {
      const sql = "SELECT state FROM attempts WHERE payout_id = ?1 ORDER BY n";
      return (await rowsOf<{ state: string }>(sql, payout.id)).map(({ state }) => state);
    },
  };
};

const codeOf = ({ status, body }: Answer<Loose>) => [status, body.code];

describe("as settled", () => {
  test("it is paid under the reference that the person saw, and the evidence stays in the journal", async () => {
    const { world, affiliateId, resolve, read, states } = await openUnheard("drop_after_work");
    expect(await states()).toEqual(["unknown"]);
    const answer = await resolve({ outcome: "settled", external_ref: "tr_seen", evidence: EVIDENCE });
    expect(answer).toMatchObject({
      status: 200,
      body: { status: "paid", paid_via: "stripe", external_ref: "tr_seen", invoice_number: 1 },
    });
    expect(await read()).toMatchObject({ status: "paid", expected_by: null });
    const path = `/v1/affiliates/${affiliateId}/ledger?order=desc&limit=1`;
    const { data } = await world.ok<{ data: Loose[] }>("GET", path);
    expect(data[0]).toMatchObject({ kind: "settle", amount: 1_000, note: EVIDENCE });
    const events = await world.ok("GET", "/v1/events?limit=200");
    expect(JSON.stringify(events)).not.toContain(EVIDENCE);
    await expectSound(world);
  });

  test("what the rail finds afterwards changes nothing, and nothing is sent again", async () => {
    const { world, payout, resolve, read } = await openUnheard("drop_after_work");
    await resolve({ outcome: "settled", evidence: EVIDENCE });
    await world.drain();
    expect(world.stripe.transfers(payout.id)).toHaveLength(1);
    expect(await read()).toMatchObject({ status: "paid", external_ref: null });
    await expectSound(world);
  });

  test("once: its key gives the first answer again, without one it is paid already", async () => {
    const { resolve } = await openUnheard("drop_after_work");
    const body = { outcome: "settled", evidence: EVIDENCE };
    const headers = { "idempotency-key": unique("resolve") };
    const first = await resolve(body, headers);
    const again = await resolve(body, headers);
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(codeOf(await resolve({ ...body, evidence: "other" }, headers))).toEqual([
      422,
      "idempotency_mismatch",
    ]);
    expect(codeOf(await resolve(body))).toEqual([409, "invalid_state"]);
  });
});

describe("as refused", () => {
  test("not while its key may still pay, and the answer says until when", async () => {
    const { world, payout, resolve, read } = await openUnheard("drop_before_work");
    const began = world.now();
    const answer = await resolve({ outcome: "refused", evidence: EVIDENCE });
    expect(codeOf(answer)).toEqual([409, "payment_under_way"]);
    expect(answer.body["until"]).toBe(new Date(began + OPEN_MS).toISOString());
    await world.drain();
    expect(await read()).toMatchObject({ status: "paid" });
    expect(world.stripe.transfers(payout.id)).toHaveLength(1);
  });

  test("everything is given back, and a retry is a new instruction", async () => {
    const { world, payout, resolve, read, states } = await openUnheard("drop_before_work");
    world.advance(OPEN_MS);
    expect(await resolve({ outcome: "refused", evidence: EVIDENCE })).toMatchObject({
      status: 200,
      body: { status: "failed", failure_code: "resolved_refused", failure_detail: EVIDENCE },
    });
    await expectSound(world);
    await world.ok("POST", `/v1/payouts/${payout.id}/retry`);
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
    await world.drain();
    expect(await read()).toMatchObject({ status: "paid" });
    expect(await states()).toEqual(["refused", "settled"]);
    expect(world.stripe.transfers(payout.id)).toHaveLength(1);
    await expectSound(world);
  });
});

describe("only what is unknown", () => {
  const refusal = async (world: World, id: string, outcome = "settled") =>
    codeOf(await world.call("POST", `/v1/payouts/${id}/resolve`, { outcome, evidence: EVIDENCE }));

  test("not what is pending, on its way to the rail, paid or failed", async () => {
    const world = await openWorld();
    const { id } = await world.stripeAffiliate();
    await world.sale(id, 1_000);
    const [payout] = (await world.generate()).payouts;
    const po = payout?.id ?? "";
    expect(await refusal(world, po)).toEqual([409, "invalid_state"]);
    await world.ok("POST", `/v1/payouts/${po}/pay`);
    expect(await refusal(world, po)).toEqual([409, "invalid_state"]);
    await world.deliver();
    expect(await refusal(world, po)).toEqual([409, "invalid_state"]);
    expect(await refusal(world, po, "refused")).toEqual([409, "invalid_state"]);
  });

  test("not what waits for a person, which is marked paid or failed", async () => {
    const world = await openWorld();
    const id = await world.affiliate();
    await world.sale(id, 1_000);
    const [payout] = (await world.generate()).payouts;
    await world.ok("POST", `/v1/payouts/${payout?.id}/pay`);
    await world.deliver();
    expect(await refusal(world, payout?.id ?? "")).toEqual([409, "invalid_state"]);
  });

  test("not what is not there", async () => {
    const world = await openWorld();
    expect(await refusal(world, "po_01JZ0000000000000000000000")).toEqual([404, "payout_not_found"]);
  });
});

test("evidence is owed, and payouts:pay is needed", async () => {
  const { world, resolve, read } = await openUnheard("drop_after_work");
  const bad: [Record<string, unknown>, string][] = [
    [{ outcome: "settled" }, "/evidence"],
    [{ outcome: "settled", evidence: "  " }, "/evidence"],
    [{ outcome: "unknown", evidence: EVIDENCE }, "/outcome"],
    [{ outcome: "settled", evidence: EVIDENCE, external_ref: " tr " }, "/external_ref"],
  ];
  for (const [body, pointer] of bad) {
    const answer = await resolve(body);
    expect([answer.status, answer.body["errors"]]).toMatchObject([422, [{ pointer }]]);
  }
  const key = await world.ok("POST", "/v1/api-keys", { name: "Key", scopes: ["payouts:write"] });
  const answer = await resolve(
    { outcome: "settled", evidence: EVIDENCE },
    { authorization: `Bearer ${key["secret"]}` },
  );
  expect(answer).toMatchObject({ status: 403, body: { required_scope: "payouts:pay" } });
  expect(await read()).toMatchObject({ status: "processing" });
});
