// What a provider's messages may be signed with: the present secret, and the one before it for a day.
import { describe, expect, test } from "vitest";
import {
  liveWebhookIds,
  liveWebhookKeys,
  liveWebhookSecrets,
  replacePayPal,
  replaceStripe,
  replaceWise,
  type StripeSecrets,
  WEBHOOK_OVERLAP_MS,
} from "../../src/domain/credentials.ts";

const T0 = Date.UTC(2026, 10, 1);
const HOUR_MS = 3_600_000;

const stripe = (webhookSecret: string | null, connectWebhookSecret: string | null = null): StripeSecrets => ({
  secretKey: "sk_test_1",
  webhookSecret,
  connectWebhookSecret,
});

const platformAt = (secrets: StripeSecrets, now: number) => liveWebhookSecrets(secrets, now).platform;

describe("Stripe's webhook secrets", () => {
  test("the first ones are the only ones, and none is none", () => {
    expect(liveWebhookSecrets(replaceStripe(undefined, stripe("a", "b"), T0), T0)).toEqual({
      platform: ["a"],
      connect: ["b"],
    });
    expect(liveWebhookSecrets(stripe(null), T0)).toEqual({ platform: [], connect: [] });
  });

  test("a replaced one is believed for a day, behind the new one, to the millisecond", () => {
    const after = replaceStripe(stripe("old"), stripe("new"), T0);
    expect(platformAt(after, T0)).toEqual(["new", "old"]);
    expect(platformAt(after, T0 + WEBHOOK_OVERLAP_MS - 1)).toEqual(["new", "old"]);
    expect(platformAt(after, T0 + WEBHOOK_OVERLAP_MS)).toEqual(["new"]);
    expect(WEBHOOK_OVERLAP_MS).toBe(24 * HOUR_MS);
  });

  test("one that is not given is forgotten after a day, and the other endpoint's stays as it is", () => {
    const after = replaceStripe(stripe("old", "connect"), stripe(null, "connect"), T0);
    expect(liveWebhookSecrets(after, T0)).toEqual({ platform: ["old"], connect: ["connect"] });
    expect(platformAt(after, T0 + WEBHOOK_OVERLAP_MS)).toEqual([]);
  });

  test("the same secrets again, or a new key beside them, do not give the old one more time", () => {
    const first = replaceStripe(stripe("old"), stripe("new"), T0);
    const again = replaceStripe(first, { ...stripe("new"), secretKey: "sk_test_2" }, T0 + HOUR_MS);
    expect(platformAt(again, T0 + HOUR_MS)).toEqual(["new", "old"]);
    expect(platformAt(again, T0 + WEBHOOK_OVERLAP_MS)).toEqual(["new"]);
  });

  test("two are live, never three", () => {
    const second = replaceStripe(stripe("one"), stripe("two"), T0);
    const third = replaceStripe(second, stripe("three"), T0 + HOUR_MS);
    expect(platformAt(third, T0 + HOUR_MS)).toEqual(["three", "two"]);
  });

  test("a change that is taken back swaps the two", () => {
    const there = replaceStripe(stripe("one"), stripe("two"), T0);
    const back = replaceStripe(there, stripe("one"), T0 + HOUR_MS);
    expect(platformAt(back, T0 + HOUR_MS)).toEqual(["one", "two"]);
    expect(platformAt(back, T0 + HOUR_MS + WEBHOOK_OVERLAP_MS)).toEqual(["one"]);
  });

  test("what had run out when it was replaced stays out", () => {
    const first = replaceStripe(stripe("one"), stripe("two"), T0);
    const later = replaceStripe(first, stripe("two"), T0 + 2 * WEBHOOK_OVERLAP_MS);
    expect(later.previousWebhookSecret).toBe(null);
  });

  test("the two endpoints are replaced each in its own time", () => {
    const platform = replaceStripe(stripe("p1", "c1"), stripe("p2", "c1"), T0);
    const both = replaceStripe(platform, stripe("p2", "c2"), T0 + 12 * HOUR_MS);
    expect(liveWebhookSecrets(both, T0 + 12 * HOUR_MS)).toEqual({
      platform: ["p2", "p1"],
      connect: ["c2", "c1"],
    });
    expect(liveWebhookSecrets(both, T0 + 24 * HOUR_MS)).toEqual({ platform: ["p2"], connect: ["c2", "c1"] });
  });

  test("what was stored before there was a previous one reads as having none", () => {
    const stored = JSON.parse('{"secretKey":"k","webhookSecret":"a","connectWebhookSecret":null}');
    expect(liveWebhookSecrets(stored, T0)).toEqual({ platform: ["a"], connect: [] });
  });
});

describe("PayPal's webhook id and Wise's public key", () => {
  test("they overlap the same way", () => {
    const paypal = replacePayPal(
      { clientId: "c", clientSecret: "s", webhookId: "old" },
      { clientId: "c", clientSecret: "s2", webhookId: "new" },
      T0,
    );
    expect(liveWebhookIds(paypal, T0)).toEqual(["new", "old"]);
    expect(liveWebhookIds(paypal, T0 + WEBHOOK_OVERLAP_MS)).toEqual(["new"]);
    const wise = replaceWise(
      { apiToken: "t", profileId: "1", webhookPublicKey: "old" },
      { apiToken: "t", profileId: "1", webhookPublicKey: null },
      T0,
    );
    expect(liveWebhookKeys(wise, T0)).toEqual(["old"]);
    expect(liveWebhookKeys(wise, T0 + WEBHOOK_OVERLAP_MS)).toEqual([]);
  });

  test("without any, nothing is believed", () => {
    expect(liveWebhookIds({ clientId: "c", clientSecret: "s", webhookId: null }, T0)).toEqual([]);
    expect(liveWebhookKeys({ apiToken: "t", profileId: "1", webhookPublicKey: null }, T0)).toEqual([]);
  });
});
