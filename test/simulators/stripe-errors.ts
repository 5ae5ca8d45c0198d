// Stripe's refusals as values that can be thrown, with the status, type, code and wording of the real ones.

export type Answer = { status: number; body: string; headers: Record<string, string> };

export type ErrorBody = {
  type: "api_error" | "idempotency_error" | "invalid_request_error";
  code?: string;
  message: string;
  param?: string;
};

/** The connection was lost: `fetch` rejects with this where a client would see a reset. */
export class ConnectionDropped extends Error {
  constructor() {
    super("Network connection lost.");
    this.name = "ConnectionDropped";
  }
}

export class StripeFailure extends Error {
  readonly status: number;
  readonly error: ErrorBody;
  readonly headers: Record<string, string>;

  constructor(status: number, error: ErrorBody, headers: Record<string, string> = {}) {
    super(error.message);
    this.name = "StripeFailure";
    this.status = status;
    this.error = error;
    this.headers = headers;
  }

  answer(requestId: string): Answer {
    const code = this.error.code;
    const error = {
      ...(code === undefined ? {} : { code, doc_url: docUrl(code) }),
      message: this.error.message,
      ...(this.error.param === undefined ? {} : { param: this.error.param }),
      request_log_url: `https://dashboard.stripe.com/test/logs/${requestId}?t=1`,
      type: this.error.type,
    };
    return { status: this.status, body: JSON.stringify({ error }, null, 2), headers: this.headers };
  }
}

const docUrl = (code: string): string => `https://stripe.com/docs/error-codes/${code.replaceAll("_", "-")}`;

/** 400 of type invalid_request_error. */
export function invalid(message: string, code?: string, param?: string): StripeFailure {
  return new StripeFailure(400, {
    type: "invalid_request_error",
    message,
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  });
}

export const missing = (param: string): StripeFailure =>
  invalid(`Missing required param: ${param}.`, "parameter_missing", param);

export const notFound = (noun: string, id: string, param = "id", status = 404): StripeFailure =>
  new StripeFailure(status, {
    type: "invalid_request_error",
    code: "resource_missing",
    message: `No such ${noun}: '${id}'`,
    param,
  });

export const badKey = (shown: string): StripeFailure =>
  new StripeFailure(
    401,
    { type: "invalid_request_error", message: `Invalid API Key provided: ${shown}` },
    { "www-authenticate": 'Basic realm="Stripe"' },
  );

export const noKey = (): StripeFailure =>
  new StripeFailure(
    401,
    {
      type: "invalid_request_error",
      message:
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
    },
    { "www-authenticate": 'Basic realm="Stripe"' },
  );

export const noAccess = (accountId: string): StripeFailure =>
  new StripeFailure(403, {
    type: "invalid_request_error",
    code: "account_invalid",
    message: `The provided key does not have access to account '${accountId}' (or that account does not exist). Application access may have been revoked.`,
  });

export const balanceInsufficient = (): StripeFailure =>
  invalid(
    "You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance.",
    "balance_insufficient",
  );

export const accountClosed = (accountId: string): StripeFailure =>
  invalid(`The account ${accountId} has been closed.`, "account_closed", "destination");

export const keyMismatch = (key: string): StripeFailure =>
  new StripeFailure(400, {
    type: "idempotency_error",
    message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
  });

export const endpointMismatch = (key: string, now: string, first: string): StripeFailure =>
  new StripeFailure(400, {
    type: "idempotency_error",
    message: `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${now}' vs '${first}'). Try using a key other than '${key}' if you meant to execute a different request.`,
  });

export const keyInUse = (key: string): StripeFailure =>
  new StripeFailure(
    409,
    {
      type: "invalid_request_error",
      code: "idempotency_key_in_use",
      message: `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
    },
    { "stripe-should-retry": "true" },
  );

export const rateLimited = (retryAfterS: number | null): StripeFailure =>
  new StripeFailure(
    429,
    {
      type: "invalid_request_error",
      code: "rate_limit",
      message:
        "Request rate limit exceeded. You can learn more about rate limits here: https://stripe.com/docs/rate-limits.",
    },
    {
      "stripe-rate-limited-reason": "global-rate",
      ...(retryAfterS === null ? {} : { "retry-after": String(retryAfterS) }),
    },
  );

export const lockTimeout = (): StripeFailure =>
  new StripeFailure(
    429,
    {
      type: "invalid_request_error",
      code: "lock_timeout",
      message:
        "This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request.",
    },
    { "stripe-should-retry": "true" },
  );

export const serverError = (shouldRetry: boolean): StripeFailure =>
  new StripeFailure(
    500,
    {
      type: "api_error",
      message:
        "An unknown error occurred. Please try your request again or contact support if it keeps coming back.",
    },
    { "stripe-should-retry": String(shouldRetry) },
  );
