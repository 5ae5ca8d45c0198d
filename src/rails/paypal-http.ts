// One bounded request to PayPal: no redirect is followed, the answer is short and in time, or it is silence.
import type { RailProgram } from "./rail.ts";
import type { Http } from "./stripe-client.ts";

const LIVE = "https://api-m.paypal.com";
const SANDBOX = "https://api-m.sandbox.paypal.com";

const TIMEOUT_MS = 20_000;

/** PayPal's answers about one item are a few kilobytes. */
const ANSWER_BYTES_MAX = 1_048_576;

const RETRY_AFTER_MAX_S = 3600;

const isPayPal = (hostname: string): boolean => /(^|\.)paypal\.com\.?$/.test(hostname);
const isSandbox = (hostname: string): boolean => /(^|\.)sandbox\.paypal\.com\.?$/.test(hostname);

/**
 * The origin that a program's secrets may be sent to; undefined where the configured one is not for its mode.
 * PayPal's secrets do not say which mode they are of, so the host alone keeps live money out of a test program.
 */
export const addressOf = (apiBase: string, mode: RailProgram["mode"]): string | undefined => {
  if (apiBase === "") return mode === "live" ? LIVE : SANDBOX;
  if (!URL.canParse(apiBase)) return undefined;
  const { origin, hostname } = new URL(apiBase);
  if (mode === "live") return origin === LIVE ? origin : undefined;
  return isPayPal(hostname) && !isSandbox(hostname) ? undefined : origin;
};

export interface Answer {
  readonly kind: "answer";
  readonly status: number;
  /** What the body says as JSON; undefined where it is none. */
  readonly body: unknown;
  readonly retryAfterS: number | undefined;
}

/** The request may have gone out, and what became of it is not known. */
export interface Silence {
  readonly kind: "silence";
  readonly detail: string;
}

const within = async <T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const patience = new AbortController();
  const over = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const late = new Error("no answer in time");
    patience.abort(late);
    over.reject(late);
  }, ms);
  try {
    return await Promise.race([work(patience.signal), over.promise]);
  } finally {
    clearTimeout(timer);
  }
};

const textOf = async (response: Response): Promise<string> => {
  if (response.body === null) return "";
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let size = 0;
  try {
    for (;;) {
      const part = await reader.read();
      if (part.done) return text + decoder.decode();
      size += part.value.byteLength;
      if (size > ANSWER_BYTES_MAX) throw new Error("an answer that is too long");
      text += decoder.decode(part.value, { stream: true });
    }
  } catch (error) {
    reader.cancel().catch(() => undefined);
    throw error;
  }
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

const retryAfterOf = (headers: Headers): number | undefined => {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, RETRY_AFTER_MAX_S) : undefined;
};

/** Never throws: what cannot be read is silence. */
export const exchange = async (http: Http, url: string, init: RequestInit): Promise<Answer | Silence> => {
  try {
    return await within(TIMEOUT_MS, async (signal) => {
      const response = await http(new Request(url, { ...init, redirect: "manual", signal }));
      const body = parsed(await textOf(response));
      return { kind: "answer", status: response.status, body, retryAfterS: retryAfterOf(response.headers) };
    });
  } catch {
    return { kind: "silence", detail: "no readable answer from PayPal" };
  }
};
