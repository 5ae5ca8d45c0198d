// The way to Stripe and back: a link that works as often as it is opened, until it is over, and gives nothing away.
import { describe, expect, it } from "vitest";
import type { LogLine } from "../../src/context.ts";
import { readConnectToken, writeConnectToken } from "../../src/http/connect-token.ts";
import {
  affiliateOf,
  atStripe,
  destinationOf,
  follow,
  linksMade,
  onboarding,
  pageOf,
  pathOf,
  STRIPE,
  timesAnnounced,
  visit,
} from "./onboarding-walk.ts";
import { seams } from "./seams.ts";
import { changedTables, readTables } from "./tables.ts";
import { bindings, openWorld, type World } from "./world.ts";

const DAY_MS = 86_400_000;
const SHOP = "https://shop.example/affiliates?from=stripe&x=%2F";

const tokenOf = (url: string): string => url.split("/").at(-1) ?? "";

const refreshOf = (url: string): string => `http://stipend.test/connect/stripe/refresh?token=${tokenOf(url)}`;
const returnOf = (url: string): string => `http://stipend.test/connect/stripe/return?token=${tokenOf(url)}`;

const waiting = (world: World, account: string, names: readonly string[]) =>
  world.stripe.seedAccount({
    id: account,
    capabilities: { transfers: "inactive" },
    currently_due: [...names],
  });

describe("an onboarding link", () => {
  it("leads through Stripe and back to the shop, and the affiliate can be paid", async () => {
    const world = await openWorld();
    const { id, url } = await onboarding(world, { return_url: SHOP });
    const stripe = await follow(url);
    const back = await atStripe(world, stripe);
    expect(back).toBe(returnOf(url));
    expect(await follow(back)).toBe(SHOP);
    expect(await destinationOf(world, id)).toMatchObject({ ready: true, missing: [] });
    expect(await timesAnnounced(world, "affiliate.onboarded", id)).toBe(1);
    expect(await follow(back)).toBe(SHOP);
    expect(await timesAnnounced(world, "affiliate.onboarded", id)).toBe(1);
    expect(await timesAnnounced(world, "affiliate.updated", id)).toBe(1);
  });

  it("makes another link at each visit, and another one where Stripe's was used or is too old", async () => {
    const world = await openWorld();
    const { url } = await onboarding(world, { return_url: SHOP });
    const [first, second] = [await follow(url), await follow(url)];
    expect(first).not.toBe(second);
    expect(await atStripe(world, first, false)).toBe(returnOf(url));
    // Used: Stripe sends the browser to the refresh address, and that leads to Stripe again.
    const spent = await atStripe(world, first, false);
    expect(spent).toBe(refreshOf(url));
    const third = await follow(spent);
    world.advance(301_000);
    expect(await atStripe(world, second)).toBe(refreshOf(url));
    expect(await atStripe(world, third)).toBe(refreshOf(url));
    expect(await atStripe(world, await follow(refreshOf(url)))).toBe(returnOf(url));
  });

  it("takes no browser's cache, leaves no trace in addresses, and goes nowhere but where Stripe said", async () => {
    const world = await openWorld();
    const { url } = await onboarding(world);
    const answer = await visit(url);
    expect(answer.headers.get("location")).toMatch(new RegExp(`^${STRIPE}/_sim/onboarding/link_\\w+$`));
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
    expect(await answer.text()).toBe("");
  });

  it("is kept nowhere, neither ours nor Stripe's, and stands in no log", async () => {
    const world = await openWorld();
    const lines: LogLine[] = [];
    const plain = seams.ports;
    seams.ports = (ports) => ({ ...plain(ports), log: (line) => void lines.push(line) });
    const { url } = await onboarding(world, { return_url: SHOP });
    const stripe = await follow(url);
    await follow(await atStripe(world, stripe));
    await visit(`${url}x`);
    const kept = JSON.stringify([await readTables(), lines]);
    expect(lines.length).toBeGreaterThan(3);
    for (const secret of [tokenOf(url), tokenOf(stripe), "shop.example"]) expect(kept).not.toContain(secret);
    expect(lines.map((line) => line["route"])).toContain("/connect/stripe/:token");
  });

  it("is over after seven days, and says so without asking anybody", async () => {
    const world = await openWorld();
    const { url } = await onboarding(world);
    world.advance(7 * DAY_MS - 1_000);
    await follow(url);
    const links = linksMade(world);
    world.advance(1_000);
    for (const over of [url, refreshOf(url)]) {
      const page = await pageOf(over);
      expect([page.status, page.headers.get("location")]).toEqual([410, null]);
      expect(page.html).toContain("This link has expired");
    }
    expect(linksMade(world)).toBe(links);
  });

  it("still brings back whoever was at Stripe when it ran out, for a day", async () => {
    const world = await openWorld();
    const { id, url } = await onboarding(world);
    world.advance(7 * DAY_MS - 1_000);
    const back = await atStripe(world, await follow(url));
    world.advance(DAY_MS - 1_000);
    expect((await pageOf(back)).html).toContain("You can be paid");
    expect((await destinationOf(world, id)).ready).toBe(true);
    world.advance(1_000);
    expect((await pageOf(back)).status).toBe(410);
  });

  it("that was tampered with, cut, or never made is one and the same page, and asks nobody", async () => {
    const world = await openWorld();
    const { url, account } = await onboarding(world);
    const other = await openWorld();
    const { id } = await onboarding(other);
    const token = tokenOf(url);
    const [payload = "", mac = ""] = token.split(".");
    const claims = await readConnectToken(bindings.CURSOR_KEY, token);
    if (claims === undefined) throw new Error("no claims");
    const stolen = { ...claims, affiliateId: id as typeof claims.affiliateId, account };
    const before = await readTables();
    const tokens = [
      "x",
      token.slice(0, -1),
      `${token}x`,
      payload,
      `${payload}.${mac.toUpperCase()}`,
      `${payload}.${[...mac].reverse().join("")}`,
      `A${token.slice(1)}`,
      await writeConnectToken("another key", claims),
      "..%2f..%2fv1",
      "%00",
    ];
    const pages = await Promise.all(
      tokens.flatMap((wrong) => [
        pageOf(`http://stipend.test/connect/stripe/${wrong}`),
        pageOf(`http://stipend.test/connect/stripe/refresh?token=${wrong}`),
        pageOf(`http://stipend.test/connect/stripe/return?token=${wrong}`),
      ]),
    );
    expect(pages.map(({ status }) => status)).toEqual(pages.map(() => 404));
    expect(new Set(pages.map(({ html }) => html)).size).toBe(1);
    expect((await pageOf("http://stipend.test/connect/stripe/return")).status).toBe(404);
    // Signed by us, and of an affiliate that has another account: nobody is led to it.
    const wrong = await writeConnectToken(bindings.CURSOR_KEY, stolen);
    expect((await pageOf(`http://stipend.test/connect/stripe/${wrong}`)).status).toBe(410);
    expect(linksMade(world) + linksMade(other)).toBe(0);
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("makes nothing for those who only look: HEAD and browsers that look ahead", async () => {
    const world = await openWorld();
    const { id, url } = await onboarding(world, { return_url: SHOP });
    for (const address of [url, refreshOf(url), returnOf(url)]) {
      const head = await visit(address, { method: "HEAD" });
      expect([head.status, await head.text()]).toEqual([200, ""]);
      for (const [name, value] of [
        ["sec-purpose", "prefetch;prerender"],
        ["purpose", "prefetch"],
        ["x-moz", "prefetch"],
      ] as const) {
        const ahead = await visit(address, { headers: { [name]: value } });
        expect([ahead.status, ahead.headers.get("location")], name).toEqual([503, null]);
        expect(ahead.headers.get("cache-control")).toBe("no-store");
      }
    }
    expect((await visit(`${url}x`, { method: "HEAD" })).status).toBe(404);
    expect(linksMade(world)).toBe(0);
    expect((await destinationOf(world, id)).ready).toBe(false);
    // And a scanner that follows it all the way spoils nothing for the person.
    await atStripe(world, await follow(url), false);
    expect(await follow(await atStripe(world, await follow(url)))).toBe(SHOP);
  });

  it("of an account that the affiliate is no longer paid through leads nowhere and changes nothing", async () => {
    const world = await openWorld();
    const { id, url, account } = await onboarding(world, { return_url: SHOP });
    await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, { payout_method: "manual" });
    world.stripe.seedAccount({ id: account, capabilities: { transfers: "active" } });
    const before = await affiliateOf(world, id);
    for (const address of [url, refreshOf(url), returnOf(url)]) {
      const page = await pageOf(address);
      expect([page.status, page.headers.get("location")]).toEqual([410, null]);
      expect(page.html).toContain("Your payouts go elsewhere now");
      expect(page.html).not.toContain("<a ");
    }
    expect(linksMade(world)).toBe(0);
    expect(await affiliateOf(world, id)).toEqual(before);
    // Back to it by a new link, the old one works again: it is the same account.
    await world.ok("POST", pathOf(id), {});
    await follow(url);
  });

  it.each(["closed", "taken away"])("of an account that was %s meanwhile leads to a page", async (how) => {
    const world = await openWorld();
    const { url, account } = await onboarding(world);
    if (how === "closed") world.stripe.seedAccount({ id: account, closed: true });
    else world.stripe.deauthorize(account);
    const page = await pageOf(url);
    expect([page.status, page.headers.get("location")]).toEqual([409, null]);
    expect(page.html).toContain("Stripe does not open this account");
    expect(page.html).not.toContain(account);
  });

  it.each(["error_500_not_cached", "empty_503", "rate_limit_429", "drop_before_work"] as const)(
    "says to come again where Stripe answers %s",
    async (fault) => {
      const world = await openWorld();
      const { url } = await onboarding(world);
      world.stripe.addFault({ fault, match: { path: "/v1/account_links" } });
      const page = await pageOf(url);
      expect([page.status, page.headers.get("retry-after")]).toEqual([503, "10"]);
      expect(page.headers.get("content-type")).toContain("text/html");
      await follow(url);
    },
  );

  it("says to come again to an address that floods it, before anything is read or asked", async () => {
    const world = await openWorld();
    const { url } = await onboarding(world);
    const plain = seams.ports;
    seams.ports = (ports) => ({ ...plain(ports), fuse: async (kind) => kind !== "address" });
    const from = { headers: { "cf-connecting-ip": "198.51.100.7" } };
    for (const address of [url, refreshOf(url), returnOf(url), `${url}x`]) {
      const page = await pageOf(address, from);
      expect([page.status, page.headers.get("retry-after")]).toEqual([429, "10"]);
      expect(page.headers.get("content-type")).toContain("text/html");
    }
    expect(linksMade(world)).toBe(0);
  });

  it("leads over https only: what Stripe's answer says otherwise is followed by nobody", async () => {
    const world = await openWorld();
    const { url } = await onboarding(world);
    const plain = seams.ports;
    seams.ports = (ports) => ({
      ...plain(ports),
      http: (request) =>
        request.url.endsWith("/v1/account_links")
          ? Promise.resolve(Response.json({ object: "account_link", url: "http://evil.example/" }))
          : plain(ports).http(request),
    });
    const page = await pageOf(url);
    expect([page.status, page.headers.get("location")]).toEqual([503, null]);
    expect(page.html).not.toContain("evil");
  });

  it("goes by the address that was asked where PUBLIC_URL is empty, and minds no slash at its end", async () => {
    const world = await openWorld();
    const plain = seams.ports;
    const at = (publicUrl: string) => {
      seams.ports = (ports) => ({ ...plain(ports), config: { ...plain(ports).config, publicUrl } });
    };
    at("");
    const { id, url } = await onboarding(world);
    expect(url).toMatch(/^http:\/\/stipend\.test\/connect\/stripe\//);
    expect(await atStripe(world, await follow(url))).toBe(returnOf(url));
    at("https://pay.shop.example/");
    const again = await world.ok<{ url: string }>("POST", pathOf(id), {});
    expect(again.url).toMatch(/^https:\/\/pay\.shop\.example\/connect\/stripe\//);
  });
});

describe("coming back", () => {
  it("without an address to go to shows what is missing by Stripe's names, and the way on", async () => {
    const world = await openWorld();
    const { id, url, account } = await onboarding(world);
    const evil = '<script>alert("1")</script>';
    const back = await atStripe(world, await follow(url), false);
    waiting(world, account, ["individual.verification.document", evil]);
    const page = await pageOf(back);
    expect(page.status).toBe(200);
    expect(page.html).toContain("<code>individual.verification.document</code>");
    expect(page.html).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;");
    expect(page.html).not.toContain("<script");
    const [, on = ""] = /<a href="([^"]+)"/.exec(page.html) ?? [];
    expect(on.replaceAll("&amp;", "&")).toBe(refreshOf(url));
    const done = await atStripe(world, await follow(on));
    expect((await pageOf(done)).html).toContain("You can be paid");
    expect((await destinationOf(world, id)).ready).toBe(true);
  });

  it("shows nothing about the person, and runs no script from anywhere", async () => {
    const world = await openWorld();
    const { id, url, account } = await onboarding(world);
    const page = await pageOf(await atStripe(world, await follow(url), false));
    for (const secret of ["Ada", "Lovelace", "ada@example.com", id, account, world.program.id])
      expect(page.html).not.toContain(secret);
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/script|https?:|\*/);
    expect(page.html).not.toMatch(/<script|<img|<form|src=|\son\w+=/i);
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(page.headers.get("referrer-policy")).toBe("no-referrer");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("says that Stripe is still looking where nothing is asked for any more", async () => {
    const world = await openWorld();
    const { url, account } = await onboarding(world);
    const back = await atStripe(world, await follow(url), false);
    waiting(world, account, []);
    const page = await pageOf(back);
    expect(page.html).toContain("Stripe is looking at what you gave");
    expect(page.html).not.toContain("<li>");
  });

  it("goes to the program's own address, as it is then, unless the link has one", async () => {
    const world = await openWorld({ onboarding_return_url: "https://shop.example/old" });
    const { id, url } = await onboarding(world);
    await world.ok("PATCH", "/v1/program", { onboarding_return_url: "https://shop.example/new" });
    expect(await follow(await atStripe(world, await follow(url)))).toBe("https://shop.example/new");
    const own = await world.ok<{ url: string }>("POST", pathOf(id), { return_url: SHOP });
    expect(await follow(returnOf(own.url))).toBe(SHOP);
  });

  it("does not fail because Stripe cannot be asked, nor does it forget what was known", async () => {
    const world = await openWorld();
    const { id, url } = await onboarding(world, { return_url: SHOP });
    const back = await atStripe(world, await follow(url));
    const before = await destinationOf(world, id);
    world.stripe.addFault({ fault: "html_502", match: { method: "GET", path: "/v1/accounts/" } });
    expect(await follow(back)).toBe(SHOP);
    expect(await destinationOf(world, id)).toEqual(before);
    expect(await follow(back)).toBe(SHOP);
    expect((await destinationOf(world, id)).ready).toBe(true);
  });
});
