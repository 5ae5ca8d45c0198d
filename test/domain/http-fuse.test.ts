// What the fuse counts by, and that the limits it names are those that the platform is configured with.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FUSES, networkOf } from "../../src/http/fuse.ts";

test.each([
  ["203.0.113.9", "203.0.113.9"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:DB8:0001:0002::1", "2001:db8:1:2"],
  ["2001:db8::1", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["fe80::1%eth0", "fe80:0:0:0"],
])("the network of %s is %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test.each(["key", "address"] as const)("the %s fuse names the limit of its binding", (kind) => {
  const toml = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8");
  const binding = new RegExp(`name = "${kind.toUpperCase()}_FUSE"\\n.*\\nsimple = (.*)`).exec(toml)?.[1];
  expect(binding).toBe(`{ limit = ${FUSES[kind].limit}, period = ${FUSES[kind].periodS} }`);
});
