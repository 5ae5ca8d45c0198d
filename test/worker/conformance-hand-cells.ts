// The cells of payments that people make: nothing leaves by itself, a person or a bank's statement says what became of it, once.
import { evictDurableObject } from "cloudflare:test";
import { expect } from "vitest";
import { AMOUNT, type Cell, type Cells, CURRENCY, type RailDriver } from "./conformance-cell.ts";
import {
  camt,
  DUTCH_IBAN,
  download,
  type FileWire,
  GERMAN_IBAN,
  itemOf,
  makeFile,
  pain,
  readFile,
  type SettlementWire,
  useBank,
} from "./payout-files-scene.ts";
import { bindings, deliverBatch, type World } from "./world.ts";

const MINUTE_MS = 60_000;
const SIXTY_DAYS_MS = 60 * 86_400_000;

export interface HandDriver extends RailDriver {
  readonly method: "manual" | "bank_transfer";
  /** The turn in which it is said that the payment was made. */
  readonly saying: "mark_paid" | "conclude_payment";
  readonly ref: string;
  /** Says that the payment was made; true where that is taken. */
  say(cell: Cell): Promise<boolean>;
  /** Says it in ways that nothing can be made of. */
  sayGarbage(cell: Cell): Promise<void>;
}

const methodPath = (affiliateId: string): string => `/v1/affiliates/${affiliateId}/payout-method`;

const useBankOf = async (world: World, affiliateId: string, n: 1 | 2): Promise<string> => {
  const iban = n === 1 ? GERMAN_IBAN : DUTCH_IBAN;
  await useBank(world, affiliateId, { iban, swift: n === 1 ? "COBADEFFXXX" : "ABNANL2A" });
  return iban;
};

export const manual: HandDriver = {
  method: "manual",
  saying: "mark_paid",
  ref: "cheque 7",
  prepare: async () => undefined,
  /** By hand there is no address: the other destination is another method. */
  async choose(world, affiliateId, n) {
    if (n === 2) return useBankOf(world, affiliateId, 2);
    await world.ok("PUT", methodPath(affiliateId), { payout_method: "manual" });
    return "by hand";
  },
  moved: () => [],
  async say(cell) {
    const answer = await cell.call("mark-paid", { external_ref: "cheque 7", amount: AMOUNT });
    return answer.status === 200;
  },
  async sayGarbage(cell) {
    const less = await cell.call("mark-paid", { external_ref: "cheque 7", amount: AMOUNT - 1 });
    expect([less.status, less.body.code]).toEqual([409, "amount_changed"]);
    for (const body of [{ external_ref: 7 }, { paid: true }, [], "paid"])
      expect([400, 422]).toContain((await cell.call("mark-paid", body)).status);
  },
};

/** The file that a cell's payout is in, made when it is first asked for. */
const files = new WeakMap<Cell, FileWire>();

const fileOf = async (cell: Cell): Promise<FileWire> => {
  const file = files.get(cell) ?? (await makeFile(cell.world, pain([cell.payoutId])));
  files.set(cell, file);
  return file;
};

const statementOf = async (cell: Cell, amount = "12.34", ref = "BANK-1"): Promise<string> => {
  const file = await readFile(cell.world, (await fileOf(cell)).id);
  const endToEndId = itemOf(file, cell.payoutId).end_to_end_id;
  return camt([{ endToEndId, amount, currency: CURRENCY, ref }]);
};

const settleBy = async (cell: Cell, content: string): Promise<SettlementWire> => {
  const { id } = await fileOf(cell);
  const body = { format: "camt.053", content };
  return cell.world.ok<SettlementWire>("POST", `/v1/payout-files/${id}/settle`, body);
};

const textOf = async (cell: Cell): Promise<string> =>
  (await download(cell.world, (await fileOf(cell)).id)).text();

export const bankTransfer: HandDriver = {
  method: "bank_transfer",
  saying: "conclude_payment",
  ref: "BANK-1",
  prepare: async () => undefined,
  choose: useBankOf,
  moved: () => [],
  async say(cell) {
    const { settled, already } = await settleBy(cell, await statementOf(cell));
    return settled.length + already.length === 1;
  },
  async sayGarbage(cell) {
    const { id } = await fileOf(cell);
    for (const content of ["<Document/>", "not a statement", "[]"]) {
      const body = { format: "camt.053", content };
      expect((await cell.world.call("POST", `/v1/payout-files/${id}/settle`, body)).status).toBe(422);
    }
    const less = await settleBy(cell, await statementOf(cell, "12.33"));
    expect(less).toMatchObject({ settled: [], failed: [{ code: "amount_differs" }] });
  },
};

const timesPaid = async (cell: Cell): Promise<number> => {
  const { data } = await cell.world.ok<{ data: { type: string }[] }>("GET", "/v1/events?after=0&limit=200");
  return data.filter(({ type }) => type === "payout.paid").length;
};

const states = async (cell: Cell): Promise<string[]> => (await cell.attempts()).map(({ state }) => state);

/** Paid once, as it was said, and nothing has left. */
const expectPaid = async (cell: Cell, { method, ref }: HandDriver): Promise<void> => {
  expect(await cell.read()).toMatchObject({
    ...{ status: "paid", paid_via: method, external_ref: ref, amount: AMOUNT, invoice_number: 1 },
  });
  expect(await cell.balance()).toMatchObject({ available: 0, reserved: 0, paid: AMOUNT });
  expect(await timesPaid(cell)).toBe(1);
  expect(cell.edge.requests).toEqual([]);
};

const expectWaits = async (cell: Cell): Promise<void> => {
  expect(await states(cell)).toEqual(["needs_hand"]);
  expect(await cell.read()).toMatchObject({ status: "processing", stalled_at: null });
};

const basics = (hand: HandDriver) => ({
  async "pays once, exactly what is due, to the destination that is due"(cell: Cell) {
    await cell.pay();
    await expectWaits(cell);
    if (hand.method === "bank_transfer") {
      const text = await textOf(cell);
      expect(text.split("<CdtTrfTxInf>")).toHaveLength(2);
      for (const due of [GERMAN_IBAN, '<InstdAmt Ccy="EUR">12.34</InstdAmt>']) expect(text).toContain(due);
    }
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },

  async "asked for again and again, and at once, pays once"(cell: Cell) {
    const { world } = cell;
    await Promise.all([cell.ok("pay"), cell.ok("pay"), cell.ok("pay")]);
    const hints = world.hints.splice(0);
    await Promise.all([deliverBatch(hints), deliverBatch([...hints, ...hints])]);
    await expectWaits(cell);
    if (hand.method === "bank_transfer") {
      await fileOf(cell);
      expect((await world.call("POST", "/v1/payout-files", pain([cell.payoutId]))).status).toBe(422);
    }
    expect(await Promise.all([hand.say(cell), hand.say(cell)])).toEqual([true, true]);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
    expect(await states(cell)).toEqual(["settled"]);
  },

  async "too many requests: it waits as long as it is told to"(cell: Cell) {
    cell.edge.makeBusy("begin_payment", 3);
    await cell.pay();
    expect(await states(cell)).toEqual([]);
    await cell.later(10_000);
    await expectWaits(cell);
    if (hand.method === "bank_transfer") await fileOf(cell);
    cell.edge.makeBusy(hand.saying, 3);
    expect(await hand.say(cell)).toBe(false);
    await expectWaits(cell);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },

  async "a refusal gives the money back, and the retry is attempt 2 and pays"(cell: Cell) {
    await cell.pay();
    await cell.ok("mark-failed", { reason: "the bank sent it back at once" });
    expect(await cell.read()).toMatchObject({ status: "failed", failure_code: "marked_failed" });
    expect(await cell.balance()).toMatchObject({ available: AMOUNT, reserved: 0, paid: 0 });
    expect(await hand.say(cell).catch(() => false)).toBe(false);
    await cell.ok("retry");
    await cell.pay();
    expect(await states(cell)).toEqual(["refused", "needs_hand"]);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
    expect(await cell.attempts()).toMatchObject([{ n: 1 }, { n: 2, state: "settled" }]);
  },

  async "a currency that it cannot carry is skipped before anything is reserved"(cell: Cell) {
    const { world, affiliateId } = cell;
    await world.sale(affiliateId, 1_000, { currency: "KWD" });
    const made = await world.generate({ affiliate_ids: [affiliateId], currency: "KWD" });
    // People carry every currency.
    expect(made).toMatchObject({ payouts: [{ currency: "KWD", amount: 1_000 }], skipped: [] });
    const path = `/v1/payouts/${made.payouts[0]?.id}`;
    await world.ok("POST", `${path}/pay`);
    await cell.later(1_000);
    expect(await world.ok("POST", `${path}/mark-paid`, {})).toMatchObject({
      status: "paid",
      currency: "KWD",
    });
    expect(cell.edge.requests).toEqual([]);
  },
});

const crashes = (hand: HandDriver) => ({
  async "a process that ends before the payment begins loses nothing"(cell: Cell) {
    cell.edge.endAt("before", "begin_payment");
    await cell.pay();
    expect([cell.edge.hasEnded, await states(cell)]).toEqual([true, []]);
    cell.edge.restart();
    await cell.later(10_000);
    await expectWaits(cell);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },

  async "a process that ends once the payment has begun loses nothing"(cell: Cell) {
    cell.edge.endAt("after", "begin_payment");
    await cell.pay();
    expect([cell.edge.hasEnded, await states(cell)]).toEqual([true, ["begun"]]);
    cell.edge.restart();
    await cell.later(30_000);
    await expectWaits(cell);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },

  /** What is sent is sent by people: the object that began the payment is gone before they do. */
  async "a process that ends before the send loses nothing"(cell: Cell) {
    await cell.pay();
    const name = `${cell.world.program.id}:${cell.affiliateId}`;
    await evictDurableObject(bindings.AFFILIATE_LEDGER.getByName(name));
    await expectWaits(cell);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },

  /** People have paid, and who is told so ends before it is written. */
  async "a process that ends after the send pays nothing twice"(cell: Cell) {
    await cell.pay();
    if (hand.method === "bank_transfer") await fileOf(cell);
    cell.edge.endAt("before", hand.saying);
    expect(await hand.say(cell).catch(() => false)).toBe(false);
    expect(cell.edge.hasEnded).toBe(true);
    cell.edge.restart();
    await expectWaits(cell);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },

  async "a process that ends before its conclusion is written pays nothing twice"(cell: Cell) {
    cell.edge.endAt("before", "conclude_payment");
    await cell.pay();
    expect([cell.edge.hasEnded, await states(cell)]).toEqual([true, ["begun"]]);
    cell.edge.restart();
    await cell.later(30_000);
    await expectWaits(cell);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },

  async "a process that ends after its conclusion was written pays nothing twice"(cell: Cell) {
    await cell.pay();
    if (hand.method === "bank_transfer") await fileOf(cell);
    cell.edge.endAt("after", hand.saying);
    expect(await hand.say(cell).catch(() => false)).toBe(false);
    expect(cell.edge.hasEnded).toBe(true);
    cell.edge.restart();
    await expectPaid(cell, hand);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },

  async "a process that ends between two steps goes on from there"(cell: Cell) {
    if (hand.method === "manual") {
      await cell.ok("pay");
      cell.world.hints.splice(0);
      await cell.later(10_000);
    } else {
      cell.edge.endAt("after", "begin_payment");
      expect((await cell.world.call("POST", "/v1/payout-files", pain([cell.payoutId]))).status).toBe(422);
      expect([cell.edge.hasEnded, await states(cell)]).toEqual([true, ["begun"]]);
      cell.edge.restart();
      expect((await fileOf(cell)).payout_count).toBe(1);
    }
    await expectWaits(cell);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },
});

const silences = (hand: HandDriver) => ({
  /** Nothing is asked for over the network, so nothing waits for an answer. */
  async "no answer in time, and nothing was done: it is done once"(cell: Cell) {
    cell.edge.meddler = () => Promise.reject(new Error("no route to host"));
    await cell.pay();
    await expectWaits(cell);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },

  /** The only answers are the database's: of the beginning, and of what was said. */
  async "no answer in time, and it was done: it is not done again"(cell: Cell) {
    await cell.ok("pay");
    cell.edge.loseNextCommit();
    await cell.later(10_000);
    expect(cell.edge.commitsLost).toBe(1);
    await expectWaits(cell);
    if (hand.method === "bank_transfer") await fileOf(cell);
    cell.edge.loseNextCommit();
    expect(await hand.say(cell)).toBe(true);
    expect(cell.edge.commitsLost).toBe(2);
    await expectPaid(cell, hand);
  },

  async "garbage in place of an answer is believed in nothing"(cell: Cell) {
    await cell.pay();
    await hand.sayGarbage(cell);
    await expectWaits(cell);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },

  /** Nobody is asked, however long it takes. */
  async "garbage in place of a look-up is never taken for nothing being there"(cell: Cell) {
    cell.edge.meddler = async () => Response.json({ data: [], has_more: false });
    await cell.pay();
    await cell.laterTimes(4, 11 * MINUTE_MS);
    await expectWaits(cell);
    expect(cell.edge.requests).toEqual([]);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },
});

const windows = (hand: HandDriver) => ({
  async "past the key's window what was made is found, and nothing is sent"(cell: Cell) {
    await cell.pay();
    if (hand.method === "bank_transfer") await fileOf(cell);
    await cell.later(SIXTY_DAYS_MS);
    await expectWaits(cell);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },

  async "past the key's window what was not made is not sent, and is given back"(cell: Cell) {
    await cell.pay();
    await cell.later(SIXTY_DAYS_MS);
    await cell.ok("mark-failed", { reason: "nobody paid it" });
    expect(await cell.balance()).toMatchObject({ available: AMOUNT, reserved: 0 });
    expect(cell.edge.requests).toEqual([]);
    await cell.ok("retry");
    await cell.pay();
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },

  async "nobody can call it refused while it may still be paid"(cell: Cell) {
    await cell.pay();
    const evidence = "it seemed so to two of us";
    for (const outcome of ["refused", "settled"]) {
      const answer = await cell.call("resolve", { outcome, evidence });
      expect([answer.status, answer.body.code]).toEqual([409, "invalid_state"]);
    }
    const cancelled = await cell.call("cancel", { reason: "no longer wanted" });
    expect([cancelled.status, cancelled.body.code]).toEqual([409, "payment_under_way"]);
    await expectWaits(cell);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
    expect((await cell.call("mark-failed", { reason: "too late" })).status).toBe(409);
  },

  async "a person closes what nobody else can tell, and what comes back later still counts"(cell: Cell) {
    await cell.pay();
    const statement = hand.method === "bank_transfer" ? await statementOf(cell) : undefined;
    await cell.ok("mark-paid", { external_ref: "wire 9" });
    expect(await cell.read()).toMatchObject({ status: "paid", external_ref: "wire 9" });
    if (statement === undefined) expect(await hand.say(cell)).toBe(false);
    else
      expect(await settleBy(cell, statement)).toMatchObject({
        ...{ settled: [], paid_late: [], failed: [{ code: "external_ref_differs" }] },
      });
    expect([await timesPaid(cell), (await cell.read())["external_ref"]]).toEqual([1, "wire 9"]);
    await cell.ok("return", { reason: "the bank sent it back" });
    expect(await cell.read()).toMatchObject({ status: "returned", returned_amount: AMOUNT });
  },
});

const returns = (hand: HandDriver) => ({
  async "all of it comes back, once"(cell: Cell) {
    await cell.pay();
    await hand.say(cell);
    await cell.ok("return", { reason: "the bank sent it back" });
    expect((await cell.call("return", { reason: "the bank sent it back" })).status).toBe(409);
    expect(await hand.say(cell).catch(() => false)).toBe(hand.method === "bank_transfer");
    expect(await cell.read()).toMatchObject({ status: "returned", returned_amount: AMOUNT });
    expect(await cell.balance()).toMatchObject({ available: AMOUNT, reserved: 0, paid: 0 });
  },

  /** A person returns a payment whole: a part has no place in the request. */
  async "a part of it comes back, if there are parts"(cell: Cell) {
    await cell.pay();
    await hand.say(cell);
    const part = await cell.call("return", { reason: "a part of it", amount: 300 });
    expect([part.status, part.body.code]).toEqual([422, "validation_failed"]);
    expect(await cell.read()).toMatchObject({ status: "paid", returned_amount: 0 });
    await expectPaid(cell, hand);
  },
});

const destinations = (hand: HandDriver) => ({
  async "a destination that changes before the payment begins gets nothing unasked"(cell: Cell) {
    await cell.ok("pay");
    await cell.choose(2);
    await cell.later(10_000);
    expect(await cell.read()).toMatchObject({ status: "pending", failure_code: "destination_changed" });
    expect(await states(cell)).toEqual([]);
    await cell.pay();
    await expectWaits(cell);
    const text = await textOf(cell);
    expect([text.includes(GERMAN_IBAN), text.includes(DUTCH_IBAN)]).toEqual([false, true]);
    expect(await bankTransfer.say(cell)).toBe(true);
    await expectPaid(cell, bankTransfer);
  },

  async "a destination that changes before the send redirects nothing"(cell: Cell) {
    await cell.pay();
    await cell.choose(2);
    const refused = await cell.world.call("POST", "/v1/payout-files", pain([cell.payoutId]));
    expect(refused.status).toBe(422);
    await expectWaits(cell);
    if (hand.method === "manual") {
      expect(await hand.say(cell)).toBe(true);
      return expectPaid(cell, hand);
    }
    await cell.ok("mark-failed", { reason: "another account" });
    await cell.ok("retry");
    await cell.pay();
    const text = await textOf(cell);
    expect([text.includes(GERMAN_IBAN), text.includes(DUTCH_IBAN)]).toEqual([false, true]);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },
});

/** The only messages are our own hints: lost, doubled, late. */
const messages = (hand: HandDriver) => ({
  async "a message that comes again changes nothing more"(cell: Cell) {
    await cell.ok("pay");
    const hints = cell.world.hints.splice(0);
    await deliverBatch([...hints, ...hints]);
    await hand.say(cell);
    const before = [await cell.read(), await cell.attempts()];
    for (let again = 0; again < 3; again++) await deliverBatch(hints);
    await cell.laterTimes(2, 11 * MINUTE_MS);
    expect([await cell.read(), await cell.attempts()]).toEqual(before);
    await expectPaid(cell, hand);
  },

  async "messages in the wrong order end where the right order ends"(cell: Cell) {
    await cell.ok("pay");
    const hints = cell.world.hints.splice(0);
    // Said before anything has begun: the late hint finds a payout that is paid.
    await cell.ok("mark-paid", { external_ref: hand.ref, paid_via: hand.method });
    await deliverBatch(hints);
    await cell.laterTimes(2, 11 * MINUTE_MS);
    expect(await cell.attempts()).toEqual([]);
    await expectPaid(cell, hand);
  },

  async "a message of somebody else changes nothing"(cell: Cell) {
    await cell.pay();
    const path = `/v1/callbacks/${hand.method}/${cell.world.program.id}`;
    expect((await cell.world.call("POST", path, { id: "evt_1", payout_id: cell.payoutId })).status).toBe(404);
    if (hand.method === "bank_transfer") {
      const endToEndId = "PO01JZ00000000000000000000011";
      const foreign = camt([{ endToEndId, amount: "12.34", currency: CURRENCY, ref: "BANK-1" }]);
      expect(await settleBy(cell, foreign)).toMatchObject({ settled: [], unmatched: [{ file_id: null }] });
    }
    await expectWaits(cell);
    expect(await hand.say(cell)).toBe(true);
    await expectPaid(cell, hand);
  },
});

export const handCells = (hand: HandDriver): Cells => ({
  ...basics(hand),
  ...crashes(hand),
  ...silences(hand),
  ...windows(hand),
  ...returns(hand),
  ...destinations(hand),
  ...messages(hand),
});
