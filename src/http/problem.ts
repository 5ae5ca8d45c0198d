// Every "no" on the wire: RFC 9457 problem+json, one registry of codes, statuses and titles.
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type Refusal, type RefusalCode, Refused } from "../domain/refusals.ts";
import { faultStanding } from "./fault.ts";

interface Standing {
  readonly status: ContentfulStatusCode;
  readonly title: string;
}

const missing = (noun: string): Standing => ({ status: 404, title: `No such ${noun} in this program` });
const conflict = (title: string): Standing => ({ status: 409, title });
const rule = (title: string): Standing => ({ status: 422, title });

/** Exhaustive: a new refusal without a status does not compile. */
const REFUSALS: Readonly<Record<RefusalCode, Standing>> = {
  book_rewound: conflict("The book is behind what was already sent out"),
  affiliate_not_found: missing("affiliate"),
  commission_not_found: missing("commission"),
  payout_not_found: missing("payout"),
  run_not_found: missing("run"),
  session_not_found: missing("payout session"),
  plan_not_found: missing("plan"),
  attempt_not_found: missing("attempt"),
  key_not_found: missing("API key"),
  event_not_found: missing("event"),
  spend_not_found: missing("spend of store credit"),
  webhook_endpoint_not_found: missing("webhook endpoint"),
  file_not_found: missing("payout file"),
  idempotency_mismatch: rule("The idempotency key was used for another request"),
  duplicate_external_id: conflict("The external id belongs to something else"),
  affiliate_suspended: conflict("The affiliate is suspended"),
  settled_by_rail: conflict("The rail decides about this payout"),
  commission_claimed: conflict("The commission is part of a payout"),
  request_open: conflict("A payout is requested already"),
  invalid_state: conflict("Not possible in this state"),
  payment_under_way: conflict("A payment is under way"),
  awaiting_approval: conflict("The payout awaits approval"),
  four_eyes: conflict("Another key must approve"),
  destination_changed: conflict("The destination changed after the approval"),
  commissions_not_free: conflict("A commission of the payout is no longer free"),
  selection_changed: conflict("What was selected has changed"),
  not_selected: conflict("Not part of the session's selection"),
  nothing_claimed: conflict("Nothing of the session could be claimed"),
  plan_used: conflict("The plan was made already"),
  plan_expired: conflict("The plan is too old"),
  plan_changed: conflict("The plan can no longer be made as it was shown"),
  payout_in_file: conflict("The payout is in a payout file"),
  currency_not_allowed: rule("The currency is not allowed"),
  rate_missing: rule("There is no commission rate"),
  amount_not_sendable: rule("The amount cannot be sent in this currency"),
  refund_exceeds_commission: rule("More than is left of the commission"),
  amount_changed: conflict("The amount is not the payout's"),
  external_ref_differs: conflict("The payout has another reference"),
  nothing_due: rule("Nothing is due"),
  selection_too_large: rule("Too much for one session"),
  payments_required: rule("The session is not in bulk mode"),
  recovery_exceeds_earnings: rule("More is owed back than is due"),
  below_minimum: rule("Below the minimum payout"),
  store_credit_spent: rule("The store credit is spent"),
  store_credit_short: rule("Not enough store credit"),
  refund_exceeds_spend: rule("More than is left of the spend"),
  recovery_not_owed: rule("Less is owed back"),
  currency_not_supported_by_method: rule("The payout method does not carry the currency"),
  no_payout_method: rule("The affiliate has no payout method"),
  tax_form_invalid: rule("The tax form cannot be as it is given"),
  tax_form_required: rule("The affiliate's tax form is missing"),
  payout_method_not_ready: rule("The payout method is not ready"),
  destination_cooldown: rule("The destination changed a short while ago"),
  rail_not_available: rule("The rail is not available"),
  format_not_for_method: rule("The file format is not for the payout's method"),
  address_required: rule("The payment needs an address"),
  not_writable: rule("The payment cannot be written into the file"),
  nothing_to_write: rule("No payout can be written into the file"),
  statement_unreadable: rule("The statement cannot be read"),
  daily_limit_reached: rule("The daily payout limit is reached"),
  period_invalid: rule("The period is not valid"),
  credentials_missing: rule("The provider's credentials are missing"),
  credentials_refused: rule("The provider refused the credentials"),
  credentials_in_use: conflict("The credentials are in use by open payments"),
  account_not_found: rule("The provider does not know the account"),
  country_missing: rule("The affiliate's country is not known"),
  onboarding_refused: rule("The provider made no account"),
  webhook_url_refused: rule("The url may not be called"),
  webhook_url_taken: conflict("Another webhook endpoint has the url"),
  too_many_webhook_endpoints: conflict("The program has as many webhook endpoints as it may"),
  scope_not_held: { status: 403, title: "The key does not hold the scope" },
};

const HTTP_PROBLEMS = {
  bad_json: { status: 400, title: "The body is not JSON" },
  bad_request: { status: 400, title: "The request cannot be read" },
  idempotency_key_invalid: { status: 400, title: "The Idempotency-Key is not valid" },
  unauthorized: { status: 401, title: "No valid key" },
  forbidden: { status: 403, title: "The key does not open this" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "The method is not allowed here" },
  in_flight: { status: 409, title: "The same request is under way" },
  body_too_large: { status: 413, title: "The body is too large" },
  unsupported_media_type: { status: 415, title: "The content type is not supported" },
  validation_failed: { status: 422, title: "The request is not valid" },
  too_many_requests: { status: 429, title: "Too many requests" },
  internal: { status: 500, title: "Something broke on our side" },
  idempotency_in_flight: { status: 409, title: "A request with this idempotency key is under way" },
  busy: { status: 503, title: "Busy, try again" },
} as const satisfies Readonly<Record<string, Standing>>;

export type ProblemCode = RefusalCode | keyof typeof HTTP_PROBLEMS;

const STANDINGS: Readonly<Record<ProblemCode, Standing>> = { ...REFUSALS, ...HTTP_PROBLEMS };

export const PROBLEM_CODES = Object.keys(STANDINGS) as readonly ProblemCode[];

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(STANDINGS, code);

export interface FieldError {
  /** JSON pointer into the body, or `?name` of a query parameter. */
  readonly pointer: string;
  readonly detail: string;
}

interface More {
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the answer. */
  readonly facts?: Readonly<Record<string, string | number>>;
}

/** Thrown by the edge when the request goes no further. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: ContentfulStatusCode;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;
  readonly facts: Readonly<Record<string, string | number>>;
  constructor(code: ProblemCode, detail: string, more: More = {}) {
    super(detail);
    this.name = "Problem";
    this.code = code;
    this.status = STANDINGS[code].status;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
    this.facts = more.facts ?? {};
  }
}

/** All that is not there answers alike, whatever the reason: nothing tells another program's id from none. */
const ofRefusal = ({ code, detail, pointer, facts }: Refusal): Problem => {
  const { status, title } = STANDINGS[code];
  const said = status === 404 ? `${title}.` : detail;
  const errors = pointer === undefined ? [] : [{ pointer, detail: said }];
  return new Problem(code, said, status === 404 || facts === undefined ? { errors } : { errors, facts });
};

const ofHttpException = (thrown: HTTPException): Problem => {
  if (thrown.status === 415)
    return new Problem("unsupported_media_type", "The content type is not supported.");
  if (thrown.status === 400) return new Problem("bad_json", "The body is not JSON.");
  return new Problem(thrown.status < 500 ? "bad_request" : "internal", "The request could not be answered.");
};

const RETRY_SOON_S = 1;

/** Whatever was thrown, as what the client is told; dialects read code and status from it and write their own words. */
export const problemOf = (thrown: unknown): Problem => {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof Refused) return ofRefusal(thrown.refusal);
  if (thrown instanceof HTTPException) return ofHttpException(thrown);
  const { kind, retryAfterS } = faultStanding(thrown);
  if (kind === "internal")
    return new Problem("internal", "Something broke on our side; it was logged with the request id.");
  const headers = { "Retry-After": String(retryAfterS ?? RETRY_SOON_S) };
  return new Problem(
    "busy",
    "Too much at once, or the database could not be reached; send the same request again.",
    {
      headers,
    },
  );
};

/** A fault is a bug or a broken dependency: to be logged, where a refusal or a problem is an ordinary answer. */
export const isFault = (thrown: unknown): boolean =>
  !(thrown instanceof Problem || thrown instanceof Refused || thrown instanceof HTTPException);

const ERRORS_MAX = 50;

export const problemAnswer = (requestId: string, problem: Problem): Response => {
  const body = {
    ...problem.facts,
    type: `/problems/${problem.code}`,
    title: STANDINGS[problem.code].title,
    status: problem.status,
    detail: problem.message,
    instance: `urn:request:${requestId}`,
    code: problem.code,
    request_id: requestId,
    errors: problem.errors.slice(0, ERRORS_MAX),
  };
  const headers = new Headers({ "Content-Type": "application/problem+json", ...problem.headers });
  if (problem.status === 401) headers.set("WWW-Authenticate", "Bearer");
  return new Response(JSON.stringify(body), { status: problem.status, headers });
};

/** The page that a problem's `type` leads to, or undefined for a code that does not exist. */
export const problemPage = (code: string): string | undefined =>
  isProblemCode(code) ? `${code}\n\n${STANDINGS[code].status}: ${STANDINGS[code].title}.\n` : undefined;

/** A path as JSON pointer: `~` and `/` escaped, over-long keys cut. */
export const pointerOf = (path: readonly PropertyKey[]): string =>
  path
    .map(
      (step) => `/${String(step).slice(0, 100).toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1")}`,
    )
    .join("");
