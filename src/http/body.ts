// Reads request bodies: bounded while they stream, strict UTF-8, strict JSON objects, before any schema sees them.
import type { Context } from "hono";
import type { AppEnv, Gate } from "./env.ts";
import { scanJson } from "./json-scan.ts";
import { Problem } from "./problem.ts";

export const BODY_MAX_BYTES = 262_144;
const DISCARD_MAX_BYTES = 16_777_216;
const JSON_TYPE = /^application\/json[\t ]*(?:;[\t ]*charset=(?:utf-8|"utf-8")[\t ]*)?$/i;

type BodyReader = ReadableStreamDefaultReader<Uint8Array>;

const tooLarge = (): Problem =>
  new Problem("body_too_large", `The body may hold ${BODY_MAX_BYTES} bytes.`, {
    facts: { max_bytes: BODY_MAX_BYTES },
  });

const refuseEncoding = (c: Context<AppEnv>): void => {
  const encoding = c.req.header("content-encoding");
  if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity") {
    throw new Problem("unsupported_media_type", "Send the body without a Content-Encoding.");
  }
};

/** Reads on without keeping: a sender hears a refusal only once it has sent its body. One that sends far more is cut off. */
const discard = async (reader: BodyReader): Promise<void> => {
  let size = 0;
  for (let read = await reader.read(); !read.done && size < DISCARD_MAX_BYTES; read = await reader.read()) {
    size += read.value.byteLength;
  }
  reader.cancel().catch(() => undefined);
};

const joined = (chunks: readonly Uint8Array[], size: number): Uint8Array => {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
};

/** The body's bytes as they came, at most BODY_MAX_BYTES: also for routes that verify a signature over them. */
export const readBytes = async (c: Context<AppEnv>): Promise<Uint8Array> => {
  refuseEncoding(c);
  const stream = c.req.raw.body;
  const declared = Number(c.req.header("content-length") ?? 0);
  if (declared > DISCARD_MAX_BYTES) throw tooLarge();
  if (stream === null) return new Uint8Array(0);
  const reader: BodyReader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let size = declared > BODY_MAX_BYTES ? declared : 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    size += read.value.byteLength;
    if (size > BODY_MAX_BYTES) {
      await discard(reader);
      throw tooLarge();
    }
    chunks.push(read.value);
  }
  if (size > BODY_MAX_BYTES) throw tooLarge();
  return joined(chunks, size);
};

const decodeUtf8 = (bytes: Uint8Array): string => {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Problem("bad_json", "The body is not UTF-8.");
  }
  if (text.startsWith("\uFEFF")) throw new Problem("bad_json", "The body starts with a byte order mark.");
  return text;
};

/** A strict JSON object out of text: 400 what is no JSON, 422 what is JSON and refused. */
export const parseObject = (text: string): Readonly<Record<string, unknown>> => {
  const { unreadable, issues } = scanJson(text);
  if (unreadable !== undefined) throw new Problem("bad_json", unreadable);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem("bad_json", "The body is not JSON.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const errors = [{ pointer: "", detail: "must be a JSON object" }];
    throw new Problem("validation_failed", "The body must be a JSON object.", { errors });
  }
  if (issues.length > 0) throw new Problem("validation_failed", "The body is not valid.", { errors: issues });
  return value as Readonly<Record<string, unknown>>;
};

/** The body as text, byte for byte what was signed; for routes that verify it themselves. */
export const readText = async (c: Context<AppEnv>): Promise<string> => decodeUtf8(await readBytes(c));

const requireJsonType = (c: Context<AppEnv>): void => {
  const type = c.req.header("content-type");
  if (type === undefined || !JSON_TYPE.test(type.trim())) {
    throw new Problem("unsupported_media_type", "Send the body as application/json in UTF-8.");
  }
};

/** The request that the route's validators read: the same, with the text that was checked. */
const withText = (request: Request, text: string): Request => {
  const headers = new Headers(request.headers);
  headers.set("content-type", "application/json");
  headers.delete("content-length");
  return new Request(request.url, { method: request.method, headers, body: text });
};

/**
 * Reads and checks the body, keeps its value and hands the text on to the route's schema.
 * Where the body is optional an absent one is `{}` and needs no content type.
 */
export const readJson =
  (presence: "required" | "optional"): Gate =>
  async (c) => {
    if (c.req.header("content-type") !== undefined) requireJsonType(c);
    const bytes = await readBytes(c);
    const isEmpty = bytes.byteLength === 0;
    if (isEmpty && presence === "required") throw new Problem("bad_json", "The body is empty.");
    if (!isEmpty) requireJsonType(c);
    const text = isEmpty ? "{}" : decodeUtf8(bytes);
    c.set("body", parseObject(text));
    c.req.raw = withText(c.req.raw, text);
  };

/** For routes without fields: nothing or an empty object. */
export const refuseFields: Gate = (c) => {
  const names = Object.keys(c.get("body") ?? {});
  if (names.length === 0) return;
  const errors = names.map((name) => ({ pointer: `/${name.slice(0, 100)}`, detail: "is not known here" }));
  throw new Problem("validation_failed", "The request has unknown fields.", { errors });
};
