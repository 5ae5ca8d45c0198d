// Which addresses the Worker may be made to call, in every spelling that a parser knows.
import { describe, expect, it } from "vitest";
import { isPublicAddress } from "../../src/domain/webhooks/addresses.ts";
import { guardUrl } from "../../src/domain/webhooks/url-guard.ts";

const RULES = { ownHosts: ["pay.shop.com"], allowsLoopback: false };
const AT_HOME = { ownHosts: ["127.0.0.1:8787"], allowsLoopback: true };

const isRefused = (url: string, rules = RULES): boolean => "refused" in guardUrl(url, rules);

describe("a webhook's address", () => {
  it.each([
    "https://hooks.example.com/in",
    "https://hooks.example.com",
    "https://hooks.example.com:443/in",
    "https://HOOKS.Example.com/In?shop=1&key=a%20b",
    "https://xn--pple-43d.com/",
    "https://a.co/",
    "https://my-worker.acme.workers.dev/hook",
    "https://hook.eu1.make.com/x9f3",
    "https://ec2-52-1-2-3.eu-west-1.compute.amazonaws.com/in",
    "https://v10-2.example.com/a/../b",
  ])("is taken: %s", (url) => {
    expect(guardUrl(url, RULES)).toEqual({
      url: new URL(url).href,
      host: new URL(url).hostname,
      isLoopback: false,
    });
  });

  it.each([
    "http://hooks.example.com/in",
    "ftp://hooks.example.com/in",
    "javascript:alert(1)",
    "data:text/plain,x",
    "file:///etc/passwd",
    "//hooks.example.com/in",
    "hooks.example.com/in",
    "https:hooks.example.com",
    "https:/hooks.example.com/",
    "https:///hooks.example.com/",
    "https://",
    "https://?x",
    "",
    `https://hooks.example.com/${"a".repeat(2_048)}`,
  ])("that is no https URL is refused: %s", (url) => expect(isRefused(url)).toBe(true));

  it.each([
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0x0.0x0.0x1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.1/",
    "https://127.0.1/",
    "https://1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://169.254.169.254/",
    "https://169.254.169.254./",
    "https://0xa9fea9fe/",
    "https://2852039166/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://8.8.8.8/",
    "https://1.2.3.4.5/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2606:4700::1111]/",
    "https://[fe80::1%25eth0]/",
    "https://%31%32%37.0.0.1/",
    "https://１２７.0.0.1/",
    "https://127。0。0。1/",
  ])("that is a number of a machine is refused: %s", (url) => expect(isRefused(url)).toBe(true));

  it.each([
    "https://localhost/",
    "https://localhost./",
    "https://LOCALHOST/",
    "https://ⓛocalhost/",
    "https://app.localhost/",
    "https://%6c%6f%63%61%6c%68%6f%73%74/",
    "https://intranet/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://router.lan/",
    "https://nas.home.arpa/",
    "https://1.0.0.127.in-addr.arpa/",
    "https://db.corp/",
    "https://x.onion/",
    "https://x.test/",
    "https://x.example/",
    "https://x.invalid/",
    "https://hooks.example.com./",
    "https://169.254.169.254.nip.io/",
    "https://a9fea9fe.sslip.io/",
    "https://7f000001.08080808.rbndr.us/",
    "https://localtest.me/",
    "https://10.0.0.1.evil.com/",
    "https://x-192-168-0-1.evil.com/",
    "https://-a.example.com/",
    "https://a_b.example.com/",
    "https://a..example.com/",
    `https://${"a".repeat(64)}.example.com/`,
  ])("that names nothing public is refused: %s", (url) => expect(isRefused(url)).toBe(true));

  it.each([
    "https://user:pass@hooks.example.com/",
    "https://user@hooks.example.com/",
    "https://@hooks.example.com/",
    "https://:@hooks.example.com/",
    "https://hooks.example.com@169.254.169.254/",
    "https://hooks.example.com\\@evil.com/",
    "https://hooks.example.com#@evil.com/",
    "https://hooks.example.com/in#frag",
    "https://hooks.example.com/#",
    "https://hooks.example.com:8443/",
    "https://hooks.example.com:22/",
    "https://hooks.example.com:80/",
    "https://hooks.example.com:0443/",
    "https://hooks.example.com:/",
    "https://hooks.example.com/\r\nX: y",
    "https://hooks.exam\tple.com/",
    "https://hooks.example.com/\u0000",
    "https://hooks.example.com/%00",
    "https://hooks.example.com/%0d%0aX:%20y",
    "https://hooks.example.com/a b",
    " https://hooks.example.com/",
    "https://hooks.example.com/ ",
    "https://hooks.ex\u00adample.com/",
    "https://\u0430pple.com/",
    "https://hooks.example.com/\u202e",
  ])("that says more than one thing is refused: %s", (url) => expect(isRefused(url)).toBe(true));

  it.each([
    "https://pay.shop.com/v1/payouts",
    "https://PAY.shop.com:443/",
    "https://stipend.acme.workers.dev/",
    "https://0a1b2c3d-stipend.acme.workers.dev/v1",
  ])("that is this service itself is refused: %s", (url) => expect(isRefused(url)).toBe(true));

  it("may be on this machine where that is allowed, over http alone, and not this service", () => {
    for (const url of ["http://127.0.0.1:4000/in", "http://localhost:4000/", "http://[::1]:4000/"]) {
      expect(guardUrl(url, AT_HOME)).toMatchObject({ url, isLoopback: true });
      expect(isRefused(url)).toBe(true);
    }
    for (const url of [
      "http://127.0.0.1:8787/v1",
      "https://127.0.0.1:4000/",
      "https://localhost/",
      "http://192.168.0.1/",
      "http://127.0.0.2/",
      "http://2130706433/",
      "http://hooks.example.com/",
      "http://localhost.evil.com/",
    ])
      expect(isRefused(url, AT_HOME), url).toBe(true);
  });

  it("that is refused is told why, without being repeated", () => {
    const verdict = guardUrl("https://secret-token@hooks.example.com/", RULES);
    expect(verdict).toEqual({ refused: "must not hold a user name or a password" });
  });
});

describe("an address that a resolver answered", () => {
  it.each([
    "1.1.1.1",
    "8.8.8.8",
    "52.1.2.3",
    "172.32.0.1",
    "192.169.0.1",
    "2606:4700::1111",
    "2a00:1450:4001::",
  ])("is public: %s", (address) => expect(isPublicAddress(address)).toBe(true));

  it.each([
    "0.1.2.3",
    "10.255.255.255",
    "100.127.255.255",
    "127.0.0.53",
    "169.254.169.254",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:8.8.8.8",
    "::ffff:a9fe:a9fe",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.999",
    "0x7f.1",
    "example.com",
    "1::2::3",
    "",
  ])("is not public: %s", (address) => expect(isPublicAddress(address)).toBe(false));
});
