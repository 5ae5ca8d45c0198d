// How a schema's complaints read on the wire.
import { z } from "@hono/zod-openapi";
import { describe, expect, it } from "vitest";
import { invalid } from "../../src/http/validation.ts";
import * as wire from "../../src/http/wire.ts";

describe("a schema's complaint", () => {
  const errorsOf = (schema: z.ZodType, value: unknown, target: "json" | "query" = "json") => {
    const result = schema.safeParse(value);
    return result.success ? [] : invalid(target, result.error.issues).errors;
  };
  const Item = z.strictObject({ amount: wire.amount, tags: z.array(z.string()).optional() });
  const Body = z.strictObject({ items: z.array(Item), "a/b": z.string().optional() });

  it("points to the field", () => {
    expect(errorsOf(Body, { items: [{ amount: 1 }, { amount: "x" }] })[0]?.pointer).toBe("/items/1/amount");
    expect(errorsOf(Body, { items: [{ amount: 1, tags: [1] }] })[0]?.pointer).toBe("/items/0/tags/0");
    expect(errorsOf(Body, { items: [], "a/b": 1 })[0]?.pointer).toBe("/a~1b");
    expect(errorsOf(Body, [])[0]?.pointer).toBe("");
  });

  it("points to each unknown field at its depth", () => {
    const errors = errorsOf(Body, { items: [{ amount: 1, x: 1, y: 2 }] });
    expect(errors.map(({ pointer }) => pointer)).toEqual(["/items/0/x", "/items/0/y"]);
  });

  it("names query parameters with a question mark", () => {
    expect(
      errorsOf(wire.listQuery({}), { limit: "0", x: "1" }, "query").map(({ pointer }) => pointer),
    ).toEqual(["?limit", "?x"]);
  });

  it("about a union tells the nearest branch, not all of them", () => {
    const Method = z.discriminatedUnion("payout_method", [
      z.strictObject({ payout_method: z.literal("stripe"), stripe_account_id: z.string() }),
      z.strictObject({ payout_method: z.literal("manual") }),
    ]);
    const stripe = errorsOf(Method, { payout_method: "stripe" });
    expect(stripe.map(({ pointer }) => pointer)).toEqual(["/stripe_account_id"]);
    expect(errorsOf(Method, { payout_method: "cash" })[0]?.pointer).toBe("/payout_method");
    const Either = z.union([
      z.strictObject({ run_id: wire.idOf("run") }),
      z.strictObject({ payout_ids: z.array(wire.payoutId) }),
    ]);
    expect(errorsOf(Either, { payout_ids: ["x"] }).map(({ pointer }) => pointer)).toEqual(["/payout_ids/0"]);
  });

  it("never repeats the value", () => {
    const values = { amount: "CANARY", currency: "CANARY", email: "CANARY", name: "CANARY\n", at: "CANARY" };
    const schema = z.strictObject({
      amount: wire.amount,
      currency: wire.currency,
      email: wire.emailText,
      name: wire.nameText,
      at: wire.instant,
    });
    const errors = errorsOf(schema, values);
    expect(errors).toHaveLength(5);
    expect(JSON.stringify(errors)).not.toContain("CANARY");
  });
});
