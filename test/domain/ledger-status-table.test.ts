// The payout status table as one generated table: every stage with every action, those that move it and those that are refused.
import { describe, expect, test } from "vitest";
import { KEY_B, takeTurn } from "./memory-book.ts";
import { ACTIONS, type Action, commandOf, STAGES, type Stage, stage } from "./memory-stages.ts";

/** Every pair that is allowed, with the status it leads to; "same" is an answer without a change. What is not here is refused. */
const ALLOWED: Readonly<Record<Stage, Partial<Record<Action, string>>>> = {
  requested: { accept: "pending", deny: "cancelled", cancel: "cancelled" },
  pending: { approve: "approved", pay: "processing", "mark paid": "paid", cancel: "cancelled" },
  approved: {
    withdraw: "pending",
    pay: "processing",
    "mark paid": "paid",
    cancel: "cancelled",
    approve: "same",
  },
  "processing, unsent": { "mark paid": "paid", cancel: "cancelled", pay: "same", "send back": "pending" },
  "processing, with the rail": { settle: "paid", refuse: "failed", pay: "same" },
  "processing, by hand": {
    "mark paid": "paid",
    "mark failed": "failed",
    settle: "paid",
    refuse: "failed",
    pay: "same",
  },
  "paid by the rail": { "come back by the rail": "returned", settle: "same", refuse: "same" },
  "paid by hand": { return: "returned" },
  "paid in store credit": { return: "returned", settle: "same", refuse: "same" },
  failed: { retry: "pending", cancel: "cancelled", settle: "failed", refuse: "same" },
  cancelled: { reopen: "pending" },
  returned: { "come back by the rail": "same", settle: "same", refuse: "same" },
};

/** Refusals that say more than that the state does not allow it. */
const REFUSED_AS: Readonly<Partial<Record<Stage, Partial<Record<Action, string>>>>> = {
  "processing, unsent": { "mark failed": "payment_under_way" },
  "processing, with the rail": {
    cancel: "payment_under_way",
    "mark paid": "payment_under_way",
    "mark failed": "payment_under_way",
  },
  "processing, by hand": { cancel: "payment_under_way" },
  "paid by the rail": { return: "settled_by_rail", "mark paid": "external_ref_differs" },
  "paid by hand": { "mark paid": "external_ref_differs" },
  "paid in store credit": { "mark paid": "external_ref_differs" },
};

/** A message that comes too late to send back what was sent, or is over, changes nothing and is no error. */
const isLateHint = (at: Stage, action: Action): boolean =>
  action === "send back" && at !== "processing, unsent";

interface Row {
  readonly at: Stage;
  readonly action: Action;
  readonly to: string;
}

const rows: Row[] = STAGES.flatMap((at) =>
  ACTIONS.flatMap((action) => {
    if (commandOf(action, stage(at)) === undefined) return [];
    const to = ALLOWED[at][action] ?? (isLateHint(at, action) ? "same" : "refused");
    return [{ at, action, to }];
  }),
);

const allowed = rows.filter(({ to }) => to !== "refused" && to !== "same");
const unchanged = rows.filter(({ to }) => to === "same");
const refused = rows.filter(({ to }) => to === "refused");

const taken = ({ at, action }: Row) => {
  const staged = stage(at);
  const command = commandOf(action, staged);
  if (command === undefined) throw new Error(`${action} has no command`);
  const { scene, payoutId } = staged;
  const before = scene.payout(payoutId);
  const seq = scene.memory.seq;
  const verdict = takeTurn(scene.memory, command, { now: scene.now, actor: KEY_B });
  return { verdict, before, after: scene.payout(payoutId), turns: scene.memory.seq - seq };
};

describe("the status table", () => {
  test.each(allowed)("$at: $action leads to $to", (row) => {
    const { verdict, before, after } = taken(row);
    expect(verdict.kind).toBe("change");
    expect(after.status).toBe(row.to);
    const step = after.history.at(-1);
    expect(after.history.length - before.history.length).toBe(before.status === after.status ? 0 : 1);
    if (before.status !== after.status)
      expect(step).toMatchObject({ from: before.status, to: row.to, actor: "key:key_b" });
  });

  test.each(unchanged)("$at: $action answers and changes nothing", (row) => {
    const { verdict, before, after, turns } = taken(row);
    expect(verdict.kind).toBe("unchanged");
    expect(after).toBe(before);
    expect(turns).toBe(0);
  });

  test.each(refused)("$at: $action is refused and changes nothing", (row) => {
    const { verdict, before, after, turns } = taken(row);
    const code = REFUSED_AS[row.at]?.[row.action] ?? "invalid_state";
    expect(verdict).toMatchObject({ kind: "refused", refusal: { code } });
    expect(after).toBe(before);
    expect(turns).toBe(0);
  });

  test("it has every stage with every action that has a meaning there", () => {
    expect(rows.length).toBe(STAGES.length * ACTIONS.length - 2 * 6);
  });
});
