// Claims against the rows: who holds a commission, what a payout was made of, how often its claim ended, and which states fit together.
import { isReturnedInParts } from "./oracle-books.ts";
import { amountIn, groupBy, type Row, type Snapshot, sumOf, textIn } from "./snapshot.ts";
import { must } from "./violation.ts";

const LIVE = ["requested", "pending", "approved", "processing"];
const isLive = (payout: Row): boolean => LIVE.includes(textIn(payout, "status"));

/** Who may follow whom; a payout that is made comes from nothing. */
const FOLLOWS: Readonly<Record<string, readonly string[]>> = {
  null: ["requested", "pending"],
  requested: ["pending", "cancelled"],
  pending: ["approved", "processing", "paid", "cancelled"],
  approved: ["pending", "processing", "paid", "cancelled"],
  processing: ["paid", "failed", "cancelled", "pending"],
  paid: ["returned"],
  failed: ["pending", "cancelled"],
  cancelled: ["pending"],
  returned: [],
};

interface Step {
  readonly from: string | null;
  readonly to: string;
}

export const historyOf = (payout: Row): readonly Step[] => JSON.parse(textIn(payout, "history")) as Step[];

const checkHistory = (payout: Row): void => {
  const id = textIn(payout, "id");
  let at: string | null = null;
  for (const { from, to } of historyOf(payout)) {
    const before = at;
    must(from === before, "status", () => `${id} went on from ${from} but stood at ${before}`);
    must(FOLLOWS[`${from}`]?.includes(to) ?? false, "status", () => `${id} went from ${from} to ${to}`);
    at = to;
  }
  must(at === payout["status"], "status", () => `${id} is ${payout["status"]}, its history ends with ${at}`);
};

/** I6: every claim ends once, settled or released; the one of a live payout has not ended yet. */
const checkEnds = (payout: Row, entries: readonly Row[]): void => {
  const count = (kind: string): number => entries.filter((entry) => entry["kind"] === kind).length;
  const [claims, ends] = [count("claim"), count("settle") + count("release")];
  const open = isLive(payout) ? 1 : 0;
  const id = textIn(payout, "id");
  must(claims === payout["claims"], "I6", () => `${id} claimed ${claims} times, says ${payout["claims"]}`);
  must(ends === claims - open, "I6", () => `${id} ${payout["status"]}: ${claims} claims ended ${ends} times`);
};

const checkAmounts = (payout: Row, lines: readonly Row[]): void => {
  const [gross, amount] = [amountIn(payout, "gross"), amountIn(payout, "amount")];
  const id = textIn(payout, "id");
  const whole = sumOf(lines, "amount");
  must(gross === whole, "I4", () => `${id} gross is ${gross}, its lines add up to ${whole}`);
  must(lines.length === payout["commission_count"], "I4", () => `${id} has ${lines.length} lines`);
  const net = gross - amountIn(payout, "recovered") - amountIn(payout, "refunded");
  must(amount === net && amount > 0, "I4", () => `${id} amount is ${amount}, should be ${net} and positive`);
};

/** Sent is what stands between begin and a definite refusal, and then exactly one attempt is open. */
const checkAttempts = (payout: Row, attempts: readonly Row[]): void => {
  const id = textIn(payout, "id");
  const status = textIn(payout, "status");
  const open = attempts.filter((attempt) => !["refused", "paid_late"].includes(textIn(attempt, "state")));
  const moving = open.filter((attempt) => attempt["state"] !== "settled").length;
  must(open.length <= 1, "I1", () => `${id} has ${open.length} open attempts`);
  must(attempts.length === payout["attempt_count"], "status", () => `${id} has ${attempts.length} attempts`);
  for (const [i, attempt] of [...attempts].sort((a, b) => amountIn(a, "n") - amountIn(b, "n")).entries()) {
    must(attempt["n"] === i + 1, "status", () => `${id} attempt ${i + 1} is numbered ${attempt["n"]}`);
    must(
      attempt["idempotency_key"] === `po:${id}:${i + 1}`,
      "I1",
      () => `${id} key ${attempt["idempotency_key"]}`,
    );
  }
  if (status === "processing")
    must(
      moving === payout["sent"],
      "status",
      () => `${id} processing, sent ${payout["sent"]}, ${moving} open`,
    );
  else must(moving === 0, "status", () => `${id} is ${status} and an attempt is still open`);
  if (status !== "processing" && status !== "paid" && status !== "returned")
    must(payout["sent"] === 0, "status", () => `${id} is ${status} and counts as sent`);
};

/** I4, and what a commission's status says of the payout that it points to. */
const checkHolder = (commission: Row, payout: Row | undefined, now: Snapshot): void => {
  const [id, status] = [textIn(commission, "id"), textIn(commission, "status")];
  const found = (): string => `${id} is ${status}, its payout ${payout?.["id"]} is ${payout?.["status"]}`;
  if (payout === undefined) {
    must(commission["payout_id"] === null, "I4", () => `${id} points to a payout that is not there`);
    must(status !== "processing" && status !== "paid", "status", found);
    must(
      commission["clawed_back"] === 0,
      "I5",
      () => `${id} is free and still owes ${commission["clawed_back"]}`,
    );
    return;
  }
  const isOut =
    payout["status"] === "paid" ||
    (payout["status"] === "returned" && isReturnedInParts(payout, now.entries));
  if (status === "processing") must(isLive(payout), "status", found);
  else if (status === "paid") must(isOut, "status", found);
  else must(status === "reversed" && (isLive(payout) || isOut), "status", found);
};

/** I4: whatever payout claims a commission by its lines, live or paid, holds it, and no other does. */
const checkLines = (now: Snapshot): void => {
  const payouts = new Map(now.payouts.map((payout) => [payout["id"], payout]));
  const commissions = new Map(now.commissions.map((commission) => [commission["id"], commission]));
  const holders = new Map<string, string>();
  for (const line of now.payout_lines) {
    const payout = payouts.get(line["payout_id"] ?? null);
    const commission = commissions.get(line["commission_id"] ?? null);
    must(
      payout !== undefined && commission !== undefined,
      "I4",
      () => `a line of ${line["payout_id"]} is loose`,
    );
    if (payout === undefined || commission === undefined) continue;
    if (!isLive(payout) && payout["status"] !== "paid") continue;
    const [id, holder] = [textIn(commission, "id"), textIn(payout, "id")];
    must(!holders.has(id), "I4", () => `${id} is in ${holders.get(id)} and in ${holder}`);
    holders.set(id, holder);
    must(
      commission["payout_id"] === holder,
      "I4",
      () => `${id} of ${holder} points to ${commission["payout_id"]}`,
    );
  }
};

export const checkClaims = (now: Snapshot): void => {
  const entries = groupBy(now.entries, "payout_id");
  const lines = groupBy(now.payout_lines, "payout_id");
  const attempts = groupBy(now.attempts, "payout_id");
  for (const payout of now.payouts) {
    const id = textIn(payout, "id");
    checkHistory(payout);
    checkEnds(payout, entries.get(id) ?? []);
    checkAmounts(payout, lines.get(id) ?? []);
    checkAttempts(payout, attempts.get(id) ?? []);
  }
  const payouts = new Map(now.payouts.map((payout) => [payout["id"], payout]));
  for (const commission of now.commissions) {
    const holder = commission["payout_id"];
    checkHolder(commission, holder == null ? undefined : payouts.get(holder), now);
  }
  checkLines(now);
};
