// A case of bad input: what it sends, filled in and encoded, and what came back.
import { exports } from "cloudflare:workers";

const self = (exports as unknown as { default: Fetcher }).default;

/** The conventions of the file: a header that is null is removed, `body_or_raw` is raw text, JSON, or nothing. */
export interface BadCase {
  readonly name: string;
  readonly method: string;
  readonly path_template: string;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body_or_raw: unknown;
  readonly expect_status: number;
  readonly expect_code?: string;
  readonly asserts?: readonly string[];
}

export interface BadCases {
  readonly cases: readonly BadCase[];
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
}

export type Names = Readonly<Record<string, string>>;

export interface Seen {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const TEMPLATE = /\{\{([A-Z_]+)(?::([^:]+):(\d+))?\}\}/g;

const fillText = (text: string, names: Names): string =>
  text.replaceAll(TEMPLATE, (whole, name: string, unit?: string, count?: string) => {
    if (name === "REPEAT") return (unit ?? "").repeat(Number(count));
    if (name === "UUID") return crypto.randomUUID();
    const value = names[name];
    if (value === undefined) throw new Error(`nobody fills ${whole}`);
    return value;
  });

const fill = (value: unknown, names: Names): unknown => {
  if (typeof value === "string") return fillText(value, names);
  if (Array.isArray(value)) return value.map((item) => fill(item, names));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fill(member, names)]));
};

interface Repeat {
  readonly prefix: string;
  readonly unit: string;
  readonly count: number;
  readonly suffix: string;
}

interface Built {
  readonly $raw_base64?: string;
  readonly $repeat?: Repeat;
}

const encoder = new TextEncoder();

const bytesOf = (body: unknown, names: Names): Uint8Array | undefined => {
  if (body === null) return undefined;
  if (typeof body === "string") return encoder.encode(fillText(body, names));
  const { $raw_base64: base64, $repeat: repeat } = body as Built;
  if (base64 !== undefined) return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  if (repeat !== undefined)
    return encoder.encode(repeat.prefix + repeat.unit.repeat(repeat.count) + repeat.suffix);
  return encoder.encode(JSON.stringify(fill(body, names)));
};

const CHUNK_BYTES = 65_536;

/** As a client sends it that does not say how much will come. */
const inChunks = (bytes: Uint8Array): ReadableStream<Uint8Array> => {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + CHUNK_BYTES));
      at += CHUNK_BYTES;
    },
  });
};

const headersOf = (bad: BadCase, names: Names): Headers => {
  const headers = new Headers({
    authorization: `Bearer ${names["API_KEY"]}`,
    "content-type": "application/json",
    "idempotency-key": crypto.randomUUID(),
  });
  for (const [name, value] of Object.entries(bad.headers ?? {})) {
    if (value === null) headers.delete(name);
    else headers.set(name, fillText(value, names));
  }
  return headers;
};

export const send = async (bad: BadCase, names: Names): Promise<Seen> => {
  const headers = headersOf(bad, names);
  const bytes = bytesOf(bad.body_or_raw, names);
  const streamed = headers.has("transfer-encoding") || headers.has("content-length");
  headers.delete("transfer-encoding");
  const body = bytes === undefined ? null : streamed ? inChunks(bytes) : bytes;
  const url = `http://stipend.test${fillText(bad.path_template, names)}`;
  const response = await self.fetch(url, { method: bad.method, headers, body });
  return { status: response.status, headers: response.headers, text: await response.text() };
};
