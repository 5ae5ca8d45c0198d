// PayPal's refusals as values that can be thrown, with the status, name and wording of the real ones.

export type Answer = { status: number; body: string; headers: Record<string, string> };

export type ErrorDetail = {
  field?: string;
  location?: string;
  issue: string;
  description?: string;
  link?: object[];
};

export type ErrorBody = {
  name: string;
  message: string;
  information_link?: string;
  details?: ErrorDetail[];
  links?: object[];
};

export const json = (value: object, status = 200, headers: Record<string, string> = {}): Answer => ({
  status,
  body: JSON.stringify(value),
  headers,
});

export class PayPalFailure extends Error {
  readonly status: number;
  readonly error: ErrorBody;
  readonly headers: Record<string, string>;

  constructor(status: number, error: ErrorBody, headers: Record<string, string> = {}) {
    super(error.message);
    this.name = "PayPalFailure";
    this.status = status;
    this.error = error;
    this.headers = headers;
  }

  answer(debugId: string): Answer {
    const { name, message, ...rest } = this.error;
    return json({ name, message, debug_id: debugId, ...rest }, this.status, this.headers);
  }
}

const INFORMATION = "https://developer.paypal.com/docs/api/payments.payouts-batch/#errors";

export const validation = (details: ErrorDetail[]): PayPalFailure =>
  new PayPalFailure(400, {
    name: "VALIDATION_ERROR",
    message: "Invalid request - see details",
    information_link: INFORMATION,
    details,
    links: [],
  });

/** The name and text by which PayPal really refuses a repeated sender_batch_id; the link is where its REST hosts were called first. */
export const duplicateBatch = (batchId: string): PayPalFailure =>
  new PayPalFailure(400, {
    name: "USER_BUSINESS_ERROR",
    message: "User business error.",
    information_link: INFORMATION,
    details: [
      {
        field: "SENDER_BATCH_ID",
        location: "body",
        issue: "Batch with given sender_batch_id already exists",
        link: [
          {
            href: `https://api.sandbox.paypal.com/v1/payments/payouts/${batchId}`,
            rel: "self",
            method: "GET",
          },
        ],
      },
    ],
    links: [],
  });

/** Its documented text is a trap: who follows it after a lost answer pays twice. */
export const businessError = (): PayPalFailure =>
  new PayPalFailure(400, {
    name: "USER_BUSINESS_ERROR",
    message:
      "An error occurred while processing this payout request. For batch processing, try again with a different `sender_batch_ID`. For single payout items, try again with email or payer ID as recipient type.",
    information_link: INFORMATION,
    links: [],
  });

export const insufficientFunds = (): PayPalFailure =>
  new PayPalFailure(422, {
    name: "INSUFFICIENT_FUNDS",
    message: "Sender does not have sufficient funds. Please add funds and retry.",
    information_link: INFORMATION,
    links: [],
  });

export const missingScope = (): PayPalFailure =>
  new PayPalFailure(403, {
    name: "REQUIRED_SCOPE_MISSING",
    message: "Access token does not have required scope.",
    information_link: INFORMATION,
    links: [],
  });

export const notFound = (): PayPalFailure =>
  new PayPalFailure(404, {
    name: "INVALID_RESOURCE_ID",
    message: "Requested resource ID was not found.",
    information_link: INFORMATION,
    links: [],
  });

export const noRoute = (): PayPalFailure =>
  new PayPalFailure(404, {
    name: "RESOURCE_NOT_FOUND",
    message: "The specified resource does not exist.",
    details: [],
    links: [],
  });

export const wrongMediaType = (): PayPalFailure =>
  new PayPalFailure(415, {
    name: "UNSUPPORTED_MEDIA_TYPE",
    message: "Unsupported media type.",
    details: [],
    links: [],
  });

export const rateLimited = (retryAfterS: number | null): PayPalFailure =>
  new PayPalFailure(
    429,
    {
      name: "RATE_LIMIT_REACHED",
      message: "Too many requests. Blocked due to rate limiting.",
      details: [],
      links: [],
    },
    retryAfterS === null ? {} : { "retry-after": String(retryAfterS) },
  );

/** Its documented text is the same trap as that of a business error. */
export const internalError = (): PayPalFailure =>
  new PayPalFailure(500, {
    name: "INTERNAL_ERROR",
    message:
      "An error occurred while processing this payout request. Please re-submit this payout as a new batch or file.",
    information_link: INFORMATION,
    links: [],
  });

/** Errors about tokens have a shape of their own. */
export class TokenFailure extends Error {
  readonly status: number;
  readonly body: { error: string; error_description: string };

  constructor(status: number, error: string, error_description: string) {
    super(error_description);
    this.name = "TokenFailure";
    this.status = status;
    this.body = { error, error_description };
  }

  answer(): Answer {
    return json(this.body, this.status);
  }
}

export const invalidToken = (): TokenFailure =>
  new TokenFailure(401, "invalid_token", "Token signature verification failed");

export const invalidClient = (): TokenFailure =>
  new TokenFailure(401, "invalid_client", "Client Authentication failed");
