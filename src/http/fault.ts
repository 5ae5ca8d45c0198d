// Faults: what of a thrown error may be logged, and whether trying again may help. Statements, parameters and input never leave here.
import type { LogLine } from "../context.ts";

/** Cloudflare's words for trouble that passes; an overloaded D1 also asks for patience. */
const PASSING = [
  "Network connection lost",
  "D1 DB is overloaded",
  "storage caused object to be reset",
  "reset because its code was updated",
  "Cannot resolve D1 DB due to transient issue",
  "D1 DB storage operation exceeded timeout",
  "Durable Object is overloaded",
];
const CAUSES_MAX = 5;
const MESSAGE_MAX = 200;

/** From the outermost error inwards: drizzle hides D1's words in `cause`. */
const chainOf = (thrown: unknown): Error[] => {
  const chain: Error[] = [];
  for (let next = thrown; next instanceof Error && chain.length < CAUSES_MAX; next = next.cause)
    chain.push(next);
  return chain;
};

const isTrue = (error: Error, flag: "retryable" | "overloaded"): boolean => Reflect.get(error, flag) === true;

const retryAfterOf = (error: Error): number | undefined => {
  const retryAfterS: unknown = Reflect.get(error, "retryAfterS");
  return typeof retryAfterS === "number" && Number.isFinite(retryAfterS) ? Math.ceil(retryAfterS) : undefined;
};

/** Busy is trouble that passes: an error that carries `retryAfterS`, an overloaded object, a lost connection. */
export const faultStanding = (thrown: unknown): { kind: "internal" | "busy"; retryAfterS?: number } => {
  for (const error of chainOf(thrown)) {
    const retryAfterS = retryAfterOf(error);
    if (retryAfterS !== undefined) return { kind: "busy", retryAfterS };
    if (isTrue(error, "retryable") || isTrue(error, "overloaded")) return { kind: "busy" };
    if (PASSING.some((words) => error.message.includes(words))) return { kind: "busy" };
  }
  return { kind: "internal" };
};

/** Stripe's errors say what Stripe said, which may quote the request: of them only the kind is told. */
const kindOfStripes = (error: Error): string | undefined =>
  "rawType" in error
    ? (["type", "statusCode", "code"] as const)
        .map((name) => String(Reflect.get(error, name) ?? ""))
        .filter((word) => /^\w{1,64}$/.test(word))
        .join(" ")
    : undefined;

/** drizzle's message is the statement and its parameters; other messages may quote input. */
const safeMessage = (error: Error): string =>
  error.message.startsWith("Failed query")
    ? "a query failed"
    : (kindOfStripes(error) ?? error.message.split("\n")[0] ?? "")
        .replaceAll(/"[^"]*"?|'[^']*'?|`[^`]*`?/g, "…")
        .slice(0, MESSAGE_MAX);

const placeOf = (error: Error): string | null => {
  const frame = (error.stack ?? "").split("\n").find((line) => line.startsWith("    at "));
  return frame === undefined ? null : frame.trim().slice(0, MESSAGE_MAX);
};

export const faultLine = (requestId: string, thrown: unknown): LogLine => {
  const chain = chainOf(thrown);
  const [outermost] = chain;
  if (outermost === undefined)
    return { event: "fault", request_id: requestId, name: typeof thrown, message: "not an Error" };
  return {
    event: "fault",
    request_id: requestId,
    name: outermost.name,
    message: chain.map(safeMessage).join(" < "),
    at: placeOf(outermost),
  };
};
