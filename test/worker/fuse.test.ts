// The fuse: one key's or one address's flood is answered 429, says when to come back, and touches nobody else.
import { expect, test } from "vitest";
import { seams } from "./seams.ts";
import { openWorld } from "./world.ts";

const blowFor = (kind: string, blown: string): string[] => {
  const asked: string[] = [];
  const inner = seams.ports;
  seams.ports = (ports) => ({
    ...inner(ports),
    fuse: async (asking, id) => {
      asked.push(`${asking}:${id}`);
      return asking !== kind || id !== blown;
    },
  });
  return asked;
};

test("a key that floods is answered 429 with when to come back, and another key is not", async () => {
  const world = await openWorld();
  const other = await world.ok("POST", "/v1/api-keys", { name: "Other", scopes: ["affiliates:read"] });
  const { data } = await world.ok<{ data: { id: string; name: string }[] }>("GET", "/v1/api-keys");
  blowFor("key", data.find(({ id }) => id !== other.id)?.id ?? "");
  // One request in ten is counted; from the first that is one too many on, all are refused.
  let refused = await world.call("GET", "/v1/affiliates");
  for (let n = 1; n < 10 && refused.status === 200; n++) refused = await world.call("GET", "/v1/affiliates");
  expect([refused.status, refused.body.code]).toEqual([429, "too_many_requests"]);
  expect(refused.headers.get("retry-after")).toBe("10");
  expect(refused.headers.get("ratelimit")).toBe('"key";r=0;t=10');
  expect(refused.headers.get("ratelimit-policy")).toBe('"key";q=5000;w=10');
  expect((await world.call("GET", "/v1/affiliates")).status).toBe(429);
  const headers = { authorization: `Bearer ${other["secret"]}` };
  expect((await world.call("GET", "/v1/affiliates", undefined, headers)).status).toBe(200);
});

test("whoever guesses keys is counted by address before a key is looked up, and a warm key is not", async () => {
  const world = await openWorld();
  await world.ok("GET", "/v1/affiliates");
  const asked = blowFor("address", "203.0.113.9");
  const from = { "cf-connecting-ip": "203.0.113.9" };
  const guess = { ...from, authorization: `Bearer ${world.program.key.slice(0, -8)}AAAAAAAA` };
  expect((await world.call("GET", "/v1/affiliates", undefined, from)).status).toBe(200);
  expect(asked.filter((line) => line.startsWith("address:"))).toEqual([]);
  expect([401, 429]).toContain((await world.call("GET", "/v1/affiliates", undefined, guess)).status);
  const cold = await world.ok("POST", "/v1/api-keys", { name: "Cold", scopes: ["affiliates:read"] });
  const headers = { ...from, authorization: `Bearer ${cold["secret"]}` };
  expect((await world.call("GET", "/v1/affiliates", undefined, headers)).status).toBe(429);
  expect((await world.call("GET", "/health", undefined, from)).status).toBe(429);
  expect((await world.call("GET", "/health", undefined, { "cf-connecting-ip": "203.0.113.10" })).status).toBe(
    200,
  );
});
