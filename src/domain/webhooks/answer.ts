// What an endpoint's answer means: delivered, failed and why, gone, or asking for patience.
import { parseRetryAfter } from "./schedule.ts";

/** An open list: more may be added. */
export const DELIVERY_ERRORS = [
  "timeout",
  "connection_failed",
  "bad_status",
  "redirect",
  "gone",
  "too_busy",
  "url_refused",
  "not_resolved",
] as const;
export type DeliveryError = (typeof DELIVERY_ERRORS)[number];

/** Read of an answer, and kept of it, in bytes. */
export const ANSWER_MAX_BYTES = 65_536;
export const EXCERPT_MAX_BYTES = 4_096;

/** One attempt; `error` is null where it was delivered. */
export interface Outcome {
  /** Of HTTP; null where there was no answer. */
  readonly status: number | null;
  readonly error: DeliveryError | null;
  readonly latencyMs: number;
  readonly excerpt: string | null;
  /** The endpoint asks for patience, in milliseconds; null where it does not. */
  readonly retryAfterMs: number | null;
}

const errorOf = (status: number): DeliveryError | null => {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return "redirect";
  if (status === 410) return "gone";
  return status === 429 || status === 503 ? "too_busy" : "bad_status";
};

export const outcomeOf = (
  answer: {
    readonly status: number;
    readonly retryAfter: string | null;
    readonly latencyMs: number;
    readonly excerpt: string | null;
  },
  now: number,
): Outcome => {
  const { status, latencyMs, excerpt } = answer;
  const error = errorOf(status);
  const retryAfterMs = error === "too_busy" ? parseRetryAfter(answer.retryAfter, now) : null;
  return { status, error, latencyMs, excerpt, retryAfterMs };
};

/** No answer came. */
export const unanswered = (error: DeliveryError, latencyMs: number): Outcome => ({
  status: null,
  error,
  latencyMs,
  excerpt: null,
  retryAfterMs: null,
});

const UNSHOWABLE = /[^\P{C}\n\t]|\p{Zl}|\p{Zp}|\uFFFD/gu;

/** Text of an answer's first bytes as it may be shown: without control, format and broken characters; null where nothing is left. */
export const excerptOf = (text: string): string | null => {
  const shown = text.replaceAll(UNSHOWABLE, "").trim();
  return shown === "" ? null : shown;
};
