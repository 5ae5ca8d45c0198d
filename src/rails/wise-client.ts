// The one place that speaks to Wise: address and version, one request per call, bounded time and size, no redirects, and live programs only with Wise itself.
import type { RailProgram } from "./rail.ts";
import type { Http } from "./stripe-client.ts";

/** The calendar version that new attempts are frozen with; an attempt keeps the one it began with. */
export const WISE_API_VERSION = "2026Q3";

const ADDRESS = { live: "https://api.wise.com", test: "https://api.wise-sandbox.com" } as const;

const TIMEOUT_MS = 20_000;
const ANSWER_MAX_BYTES = 2 * 1024 * 1024;

/** Where the program's calls go; undefined where it must not go: a live program elsewhere than to Wise, a test program to live Wise. */
export const wiseBase = (mode: RailProgram["mode"], apiBase: string): string | undefined => {
  if (apiBase === "") return ADDRESS[mode];
  if (!URL.canParse(apiBase)) return undefined;
  const isLive = new URL(apiBase).origin === ADDRESS.live;
  return isLive === (mode === "live") ? apiBase.replace(/\/+$/, "") : undefined;
};

export type WiseAnswer =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers: Headers;
      /** undefined where it is not JSON. */
      readonly body: unknown;
    }
  /** No whole answer came: what was asked for may have been done. */
  | { readonly kind: "silence"; readonly detail: string };

/** `path` stands behind the version; `body` is sent byte by byte. Never throws. */
export type AskWise = (method: "GET" | "POST" | "PUT", path: string, body?: string) => Promise<WiseAnswer>;

export interface WiseAddress {
  readonly http: Http;
  readonly base: string;
  readonly token: string;
  readonly version: string;
}

/** Over in time, whatever becomes of the request: who asks does not wait for a port that ignores the signal. */
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

const readBounded = async (response: Response): Promise<string> => {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = "";
  let size = 0;
  for (;;) {
    const part = await reader.read();
    if (part.done) return text + decoder.decode();
    size += part.value.byteLength;
    if (size > ANSWER_MAX_BYTES) {
      await reader.cancel();
      throw new Error("the provider's answer is too large");
    }
    text += decoder.decode(part.value, { stream: true });
  }
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export const wiseClient = ({ http, base, token, version }: WiseAddress): AskWise => {
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
  return async (method, path, body) => {
    const sent = body === undefined ? {} : { body };
    const type = body === undefined ? {} : { "content-type": "application/json" };
    try {
      return await within(TIMEOUT_MS, async (signal) => {
        const init = {
          method,
          headers: { ...headers, ...type },
          redirect: "manual",
          signal,
          ...sent,
        } as const;
        const response = await http(new Request(`${base}/${version}${path}`, init));
        const text = await readBounded(response);
        return { kind: "answer", status: response.status, headers: response.headers, body: parsed(text) };
      });
    } catch {
      return { kind: "silence", detail: "no whole answer in time" };
    }
  };
};

export type Fields = Readonly<Record<string, unknown>>;

/** The fields of a JSON object; none where it is not an object. */
export const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** Wise answers 201 also where its pages say 200. */
export type WiseOk = Extract<WiseAnswer, { kind: "answer" }> & { readonly status: 200 | 201 };

export const isOk = (answer: WiseAnswer): answer is WiseOk =>
  answer.kind === "answer" && (answer.status === 200 || answer.status === 201);

/** Wise's ids are positive integers; also as they stand in paths. */
export const isWiseId = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value > 0;
export const isWiseIdText = (text: string): boolean => /^[1-9]\d{0,15}$/.test(text);

const CODE = /^[\w.#:\- ]{1,80}$/;

const codeIn = (value: unknown): string | undefined =>
  typeof value === "string" && CODE.test(value) ? value : undefined;

export interface WiseError {
  readonly code: string;
  /** The field that it is about. */
  readonly path: string | undefined;
}

/** Wise's own refusal in one of its documented shapes; messages and arguments are left out: they repeat what was sent. */
export const errorsIn = (body: unknown): readonly WiseError[] | undefined => {
  const { errors, error } = fieldsOf(body);
  const found = (Array.isArray(errors) ? errors : [{ code: error }]).map(fieldsOf).map((one) => ({
    code: codeIn(one["code"]) ?? "",
    path: codeIn(one["path"]),
  }));
  return found.length > 0 && found.every(({ code }) => code !== "") ? found : undefined;
};

/** For a person: `NOT_VALID (accountHolderName)`. */
export const wordsOf = (errors: readonly WiseError[]): string =>
  errors
    .slice(0, 5)
    .map(({ code, path }) => (path === undefined ? code : `${code} (${path})`))
    .join(", ");

export const retryAfterOf = (headers: Headers): number | undefined => {
  const seconds = Number(headers.get("retry-after"));
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) : undefined;
};
