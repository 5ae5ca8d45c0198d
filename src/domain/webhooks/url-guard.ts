// Which addresses the Worker may be made to call: public names over https, written as plainly as they can be.
import { isPublicAddress } from "./addresses.ts";

export interface GuardRules {
  /** Hosts, with their port where it is not the usual one, that are this Worker itself. */
  readonly ownHosts: readonly string[];
  /** http to this machine itself, for trying things out; never for a live program. */
  readonly allowsLoopback: boolean;
}

export type UrlVerdict =
  | { readonly url: string; readonly host: string; readonly isLoopback: boolean }
  /** What is wrong, for a person: ends a sentence that begins with the field's name. */
  | { readonly refused: string };

export const URL_MAX = 2_048;

/** Names that no public resolver answers for, and those that lead back to where they are asked. */
const CLOSED_SUFFIXES = [
  "localhost",
  "localdomain",
  "local",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
  "arpa",
  "onion",
  "alt",
  "test",
  "example",
  "invalid",
];

/** Public services that answer for a name with the address that is written in it, or always with this machine. */
const ADDRESS_NAMES = [
  "nip.io",
  "sslip.io",
  "xip.io",
  "rbndr.us",
  "1u.ms",
  "localtest.me",
  "lvh.me",
  "vcap.me",
  "lacolhost.com",
  "traefik.me",
];

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** This Worker's own name, as Cloudflare makes a host of it, previews included. */
const OWN_WORKER = /^(?:[a-z0-9-]+-)?stipend\.[a-z0-9-]+\.workers\.dev$/;

const NAME = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{0,57}[a-z0-9])$/;
const ADDRESS_IN_NAME = /(?:^|[.-])((?:\d{1,3}[.-]){3}\d{1,3})(?=[.-])/g;
const ESCAPED_CONTROL = /%(?:[01][0-9a-f]|7f)/i;
const HTTP_URL = /^(https?):\/\/([^/?#\\]+)(?:[/?]|$)/i;

const isUnder = (host: string, suffix: string): boolean => host === suffix || host.endsWith(`.${suffix}`);

const textFault = (text: string): string | undefined => {
  if (text === "" || text.length > URL_MAX) return `must have 1 to ${URL_MAX} characters`;
  if (/[^\x21-\x7e]/.test(text))
    return "must be printable ASCII without spaces; write an international name as xn--…";
  if (/[\\"<>^`{|}]/.test(text)) return 'must not hold any of \\ " < > ^ ` { | }';
  if (text.includes("#")) return "must not have a fragment, which is never sent";
  return ESCAPED_CONTROL.test(text) ? "must not hold an escaped control character" : undefined;
};

/** A name with a private address in it is made for one thing. */
const hidesAddress = (host: string): boolean =>
  ADDRESS_NAMES.some((suffix) => isUnder(host, suffix)) ||
  [...host.matchAll(ADDRESS_IN_NAME)].some(
    ([, digits = ""]) => !isPublicAddress(digits.replaceAll("-", ".")),
  );

const nameFault = (host: string): string | undefined => {
  if (host.endsWith(".")) return "must name its host without a dot at the end";
  if (host.length > 253 || !NAME.test(host))
    return "must name a public host, not an address or a single word";
  if (CLOSED_SUFFIXES.some((suffix) => isUnder(host, suffix))) return "must name a public host";
  return hidesAddress(host) ? "must not name a host that stands for an address" : undefined;
};

const refused = (what: string): UrlVerdict => ({ refused: what });

/** What the parser reads must be what is written: an authority that it repairs means something else to somebody. */
const isAsWritten = (written: string, url: URL): boolean =>
  [url.host, `${url.host}:443`].includes(written.toLowerCase());

/** Judges the text alone; where names lead is for a resolver to say. Called when a URL is given and before each attempt. */
export const guardUrl = (text: string, rules: GuardRules): UrlVerdict => {
  const fault = textFault(text);
  if (fault !== undefined) return refused(fault);
  const [, scheme = "", written = ""] = HTTP_URL.exec(text) ?? [];
  if (scheme === "" || !URL.canParse(text)) return refused("must be a URL that starts with https://");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || written.includes("@"))
    return refused("must not hold a user name or a password");
  if (!isAsWritten(written, url)) return refused("must name its host plainly");
  const isLoopback = url.protocol === "http:" && rules.allowsLoopback && LOOPBACK.includes(url.hostname);
  const isOwn = rules.ownHosts.includes(url.host) || OWN_WORKER.test(url.hostname);
  if (isOwn) return refused("must not name this service itself");
  if (isLoopback) return { url: url.href, host: url.hostname, isLoopback };
  if (url.protocol !== "https:") return refused("must start with https://");
  const unfit = nameFault(url.hostname);
  if (unfit !== undefined) return refused(unfit);
  if (url.port !== "") return refused("must use port 443");
  return { url: url.href, host: url.hostname, isLoopback: false };
};
