// A schedule, a zone and a minimum that cannot be kept are refused where they are set, with their place.
import { describe, expect, it } from "vitest";
import { changedTables, readTables } from "./tables.ts";
import { type Loose, openWorld, ROOT_KEY, type World } from "./world.ts";

interface Refused {
  readonly code: string;
  readonly errors: readonly { readonly pointer: string }[];
}

const asRoot = { authorization: `Bearer ${ROOT_KEY}` };
const schedule = (payout_schedule: object) => ({ payout_schedule });

const BAD: readonly (readonly [string, object, string, string])[] = [
  [
    "a weekday that is none",
    schedule({ kind: "weekly", weekday: 8 }),
    "/payout_schedule/weekday",
    "validation_failed",
  ],
  ["a weekday 0", schedule({ kind: "weekly", weekday: 0 }), "/payout_schedule/weekday", "validation_failed"],
  [
    "half a weekday",
    schedule({ kind: "weekly", weekday: 1.5 }),
    "/payout_schedule/weekday",
    "validation_failed",
  ],
  ["a week without a weekday", schedule({ kind: "weekly" }), "/payout_schedule/weekday", "validation_failed"],
  [
    "day 0 of a month",
    schedule({ kind: "monthly", day_of_month: 0 }),
    "/payout_schedule/day_of_month",
    "validation_failed",
  ],
  [
    "day 32 of a month",
    schedule({ kind: "monthly", day_of_month: 32 }),
    "/payout_schedule/day_of_month",
    "validation_failed",
  ],
  [
    "a month without a day",
    schedule({ kind: "monthly" }),
    "/payout_schedule/day_of_month",
    "validation_failed",
  ],
  [
    "a month with a weekday",
    schedule({ kind: "monthly", day_of_month: 1, weekday: 1 }),
    "/payout_schedule/weekday",
    "validation_failed",
  ],
  [
    "fortnights without an anchor",
    schedule({ kind: "biweekly" }),
    "/payout_schedule/anchor_date",
    "validation_failed",
  ],
  [
    "fortnights with a weekday alone",
    schedule({ kind: "biweekly", weekday: 1 }),
    "/payout_schedule/anchor_date",
    "validation_failed",
  ],
  [
    "an anchor that is no date",
    schedule({ kind: "biweekly", anchor_date: "2026-02-29" }),
    "/payout_schedule/anchor_date",
    "validation_failed",
  ],
  [
    "a weekday that is not the anchor's",
    schedule({ kind: "biweekly", anchor_date: "2026-11-02", weekday: 2 }),
    "/payout_schedule/weekday",
    "validation_failed",
  ],
  ["a kind that is none", schedule({ kind: "daily" }), "/payout_schedule/kind", "validation_failed"],
  ["a schedule that is a word", { payout_schedule: "weekly" }, "/payout_schedule", "validation_failed"],
  ["a zone that is none", { time_zone: "Europe/Atlantis" }, "/time_zone", "validation_failed"],
  ["an offset for a zone", { time_zone: "+01:00" }, "/time_zone", "validation_failed"],
  ["a zone of nothing", { time_zone: "" }, "/time_zone", "validation_failed"],
  ["a minimum below zero", { minimum_payout: { USD: -1 } }, "/minimum_payout/USD", "validation_failed"],
  ["a minimum of half a cent", { minimum_payout: { USD: 0.5 } }, "/minimum_payout/USD", "validation_failed"],
  [
    "a minimum in a currency that is none",
    { minimum_payout: { XXX: 1 } },
    "/minimum_payout/XXX",
    "validation_failed",
  ],
  [
    "a minimum in a currency that is left out",
    { currencies: ["USD"], minimum_payout: { USD: 1, EUR: 1 } },
    "/minimum_payout/EUR",
    "currency_not_allowed",
  ],
  [
    "a limit in a currency that is left out",
    { currencies: ["USD"], daily_payout_limit: { EUR: 1 } },
    "/daily_payout_limit/EUR",
    "currency_not_allowed",
  ],
];

describe("a policy that cannot be kept", () => {
  it.each(BAD)("%s is refused in a change and in a new program", async (_name, policy, pointer, code) => {
    const world = await openWorld();
    const before = await readTables();
    const changed = await world.call<Refused>("PATCH", "/v1/program", policy);
    const body = { name: "Shop", default_currency: "USD", ...policy };
    const made = await world.call<Refused>("POST", "/v1/programs", body, asRoot);
    for (const answer of [changed, made])
      expect([answer.status, answer.body.code, answer.body.errors[0]?.pointer]).toEqual([422, code, pointer]);
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  const patch = (world: World, policy: object) => world.call<Refused & Loose>("PATCH", "/v1/program", policy);

  it("is refused where the currencies would leave out what a minimum names already", async () => {
    const world = await openWorld({ minimum_payout: { USD: 100, EUR: 100 } });
    const refused = await patch(world, { currencies: ["USD", "GBP"] });
    expect([refused.status, refused.body.errors[0]?.pointer]).toEqual([422, "/currencies"]);
    expect((await patch(world, { currencies: ["USD"], minimum_payout: { USD: 100 } })).status).toBe(200);
    const strange = await patch(world, { minimum_payout: { EUR: 5 } });
    expect([strange.status, strange.body.errors[0]?.pointer]).toEqual([422, "/minimum_payout/EUR"]);
    expect((await patch(world, { currencies: null, minimum_payout: { EUR: 5 } })).status).toBe(200);
  });
});
