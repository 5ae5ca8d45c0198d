// Random histories of one affiliate over every operation, two currencies and three rails: no invariant breaks after any step.
import fc from "fast-check";
import { expect, test } from "vitest";
import { runHistory, type Tally } from "./memory-history.ts";
import { histories, seed } from "./memory-random.ts";

const HISTORIES = Number(process.env["HISTORIES"] ?? 3000);

/** Met in nearly every hundred histories; a source that misses one of them proves less than it says. */
const MUST_BE_MET = [
  ...["entry claim_recovery", "entry release_recovery", "entry absorb", "entry return", "entry return_part"],
  ...["entry paid_late", "entry written_off", "entry spend", "credit from release", "credit from return"],
  ...["payout requested", "payout approved", "payout failed", "payout cancelled", "payout returned"],
  ...[
    "retry",
    "reopen",
    "resolve",
    "mark failed",
    "send back",
    "unchanged conclude again",
    "unchanged record again",
    "unchanged provider return again",
    "look at account",
    "name again",
    "unchanged look at account",
    "event affiliate.onboarded",
    "reseal",
    "unchanged reseal",
    "give back",
    "refused refund_exceeds_spend",
    "refused spend_not_found",
    "refused store_credit_short",
    "nothing found again",
  ],
  ...["refused commissions_not_free", "refused recovery_exceeds_earnings", "refused below_minimum"],
  ...[
    "refused destination_changed",
    "refused settled_by_rail",
    "refused four_eyes",
    "refused payment_under_way",
  ],
];

test(`no history of up to 60 operations breaks an invariant (${HISTORIES} histories)`, {
  timeout: 600_000,
}, () => {
  const tally: Tally = { counts: new Map() };
  const parameters = { numRuns: HISTORIES, seed: seed() };
  fc.assert(
    fc.property(histories, ([beginning, steps]) => runHistory(beginning, steps, tally)),
    parameters,
  );
  if (HISTORIES >= 1000) expect(MUST_BE_MET.filter((what) => !tally.counts.has(what))).toEqual([]);
});
