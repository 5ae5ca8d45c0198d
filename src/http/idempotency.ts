// The Idempotency-Key header and what it stands for: a command id and a fingerprint of the request. Keeping and replaying is the turns' part.
import type { Context } from "hono";
import type { AppEnv, Gate } from "./env.ts";
import { Problem } from "./problem.ts";

/** Visible ASCII with spaces inside. */
const KEY = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;

const isHonouredMethod = (method: string): boolean =>
  method === "POST" || method === "PUT" || method === "PATCH";

/** Takes the header of a POST, PUT or PATCH; on other methods it means nothing and is ignored. */
export const takeIdempotencyKey: Gate = (c) => {
  const key = c.req.header("idempotency-key");
  if (key === undefined || !isHonouredMethod(c.req.method)) return;
  if (!KEY.test(key)) {
    throw new Problem(
      "idempotency_key_invalid",
      "An Idempotency-Key is 1 to 255 printable ASCII characters.",
    );
  }
  // Two headers arrive joined like this, and nobody can tell which one was meant.
  if (key.includes(", "))
    throw new Problem("idempotency_key_invalid", "Send one Idempotency-Key, without a comma and space.");
  c.set("idempotencyKey", key);
};

export const commandIdOf = (key: string): `k:${string}` => `k:${key}`;

/** JSON with sorted keys: one text for one value, however it was spelled. Bodies are at most 32 deep. */
export const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
};

/** SHA-256, 64 hexadecimal digits, of method, path (with its ids) and canonical body. */
export const requestShaOf = async (request: {
  method: string;
  path: string;
  body: unknown;
}): Promise<string> => {
  const text = `${request.method} ${request.path}\n${canonicalJson(request.body)}`;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
};

/** What a handler passes on: the command id that the client chose, if it did, and the request's fingerprint. */
export const commandOf = async (
  c: Context<AppEnv>,
): Promise<{ readonly commandId: string | undefined; readonly requestSha: string }> => {
  const key = c.get("idempotencyKey");
  return {
    commandId: key === undefined ? undefined : commandIdOf(key),
    requestSha: await requestShaOf({ method: c.req.method, path: c.req.path, body: c.get("body") ?? null }),
  };
};
