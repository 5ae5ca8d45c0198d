// Partnero's settings page lived through: a minimum of 50 USD, a hold of 30 days and a weekly schedule, with time moved forward.
import { expect, test } from "vitest";
import { type Loose, openWorld } from "./world.ts";

const DAY = 86_400_000;
const at = (date: string): string => `${date}T09:00:00.000Z`;

test("minimum 50 USD, hold 30 days, weekly: each payout comes on the Monday after it is due and large enough", async () => {
  const world = await openWorld({
    hold_days: 30,
    minimum_payout: { USD: 5_000 },
    payout_schedule: { kind: "weekly", weekday: 1 },
    automatic_payouts: true,
  });
  const { id, account } = await world.stripeAffiliate({ name: "Partner" });
  const moveTo = async (date: string) => {
    await world.ok("POST", "/v1/test-clock", { advance_to: at(date) });
    await world.drain();
  };
  const payouts = async () => (await world.ok<{ data: Loose[] }>("GET", "/v1/payouts?order=asc")).data;
  const balance = async () =>
    (await world.ok<{ balances: Loose[] }>("GET", `/v1/affiliates/${id}/balance`)).balances[0];

  // Sunday 1 November 2026.
  await world.sale(id, 3_000, { occurred_at: new Date(world.now() - DAY).toISOString() });
  expect(await balance()).toMatchObject({ in_hold_period: 3_000, payable: 0 });

  await moveTo("2026-11-09");
  expect(await payouts()).toEqual([]);
  const [early] = (await world.ok<{ data: Loose[] }>("GET", "/v1/payout-runs?limit=1")).data;
  const skipped = await world.ok<{ data: Loose[] }>("GET", `/v1/payout-runs/${early?.id}/skipped`);
  expect(skipped.data).toMatchObject([{ affiliate_id: id, reason: "in_hold_period" }]);

  await moveTo("2026-12-01");
  expect(await balance()).toMatchObject({ payable: 3_000 });
  await world.sale(id, 2_500, { occurred_at: at("2026-11-20") });
  await moveTo("2026-12-07");
  expect(await payouts()).toEqual([]);
  expect(await balance()).toMatchObject({
    blockers: expect.arrayContaining([
      expect.objectContaining({ reason: "below_minimum", missing_amount: 2_000 }),
    ]),
  });

  await moveTo("2026-12-21");
  const [paid, ...more] = await payouts();
  expect(more).toEqual([]);
  expect(paid).toMatchObject({
    amount: 5_500,
    status: "paid",
    period_end: "2026-12-20",
    payout_method: "stripe",
  });
  expect(world.stripe.transfers(String(paid?.id))).toMatchObject([{ amount: 5_500, destination: account }]);

  await moveTo("2027-01-05");
  expect(await payouts()).toHaveLength(1);
  const runs = (await world.ok<{ data: Loose[] }>("GET", "/v1/payout-runs?limit=200&order=asc")).data;
  expect(runs.map((run) => run["period_end"])).toEqual([
    "2026-11-01",
    "2026-11-08",
    "2026-11-15",
    "2026-11-22",
    "2026-11-29",
    "2026-12-06",
    "2026-12-13",
    "2026-12-20",
    "2026-12-27",
    "2027-01-03",
  ]);
  expect((await world.verify()).ok).toBe(true);
});
