// Where a webhook may go: the address is judged as text, and by what a resolver says where one is configured.
import type { Ports, Program } from "../context.ts";
import { isPublicAddress } from "../domain/webhooks/addresses.ts";
import { type GuardRules, guardUrl } from "../domain/webhooks/url-guard.ts";

export type CheckedUrl =
  | { readonly url: string }
  /** `refused` is for a person, and ends a sentence that begins with the field's name. */
  | { readonly refused: string; readonly error: "url_refused" | "not_resolved" };

const RESOLVER_TIMEOUT_MS = 5_000;

/** A answers with addresses of IPv4, AAAA of IPv6. */
const RECORDS = { A: 1, AAAA: 28 } as const;

const ownHosts = (publicUrl: string): string[] => (URL.canParse(publicUrl) ? [new URL(publicUrl).host] : []);

const rulesOf = ({ config }: Pick<Ports, "config">, mode: Program["mode"]): GuardRules => ({
  ownHosts: ownHosts(config.publicUrl),
  allowsLoopback: config.development && mode === "test",
});

interface Answer {
  readonly type?: unknown;
  readonly data?: unknown;
}

/** DNS over HTTPS in its JSON form; throws where there is no answer that can be relied on. */
const resolve = async (ports: Ports, host: string, record: keyof typeof RECORDS): Promise<string[]> => {
  const url = new URL(ports.config.dohUrl);
  url.searchParams.set("name", host);
  url.searchParams.set("type", record);
  const signal = AbortSignal.timeout(RESOLVER_TIMEOUT_MS);
  const request = new Request(url, {
    headers: { accept: "application/dns-json" },
    redirect: "manual",
    signal,
  });
  const response = await ports.http(request);
  if (response.status !== 200) throw new Error("the resolver gave no answer");
  const { Status: status, Answer: answers = [] } = (await response.json()) as {
    Status?: unknown;
    Answer?: readonly Answer[];
  };
  // 3 says that there is no such name.
  if ((status !== 0 && status !== 3) || !Array.isArray(answers)) throw new Error("the resolver failed");
  return answers
    .filter((answer: Answer) => answer.type === RECORDS[record])
    .map(({ data }: Answer) => String(data));
};

/** Trouble of ours, not of the endpoint: to be tried again soon. */
const unasked = (): Error => Object.assign(new Error("the resolver could not be asked"), { retryAfterS: 10 });

/** Without a resolver the text decides alone. One that cannot be asked is a fault: no yes, and nothing that counts against the endpoint. */
export const checkWebhookUrl = async (
  ports: Ports,
  mode: Program["mode"],
  text: string,
): Promise<CheckedUrl> => {
  const verdict = guardUrl(text, rulesOf(ports, mode));
  if ("refused" in verdict) return { ...verdict, error: "url_refused" };
  const { url, host, isLoopback } = verdict;
  if (isLoopback || ports.config.dohUrl === "") return { url };
  const asked = Promise.all([resolve(ports, host, "A"), resolve(ports, host, "AAAA")]);
  const found = (
    await asked.catch(() => {
      throw unasked();
    })
  ).flat();
  if (found.length === 0) return { refused: "must name a host that resolves", error: "not_resolved" };
  if (found.every(isPublicAddress)) return { url };
  return { refused: "must name a host with public addresses only", error: "url_refused" };
};
