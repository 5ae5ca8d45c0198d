// Wise's refusals as values that can be thrown, in the shapes that its pages show.

export type Answer = { status: number; body: string; headers: Record<string, string> };

export const json = (value: unknown, status = 200, headers: Record<string, string> = {}): Answer => ({
  status,
  body: JSON.stringify(value),
  headers: { "content-type": "application/json", ...headers },
});

export class WiseFailure extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`${answer.status} ${answer.body}`);
    this.name = "WiseFailure";
    this.answer = answer;
  }
}

export type ClientError = { code: string; message: string; path?: string; arguments?: string[] };

/** Errors that the caller can correct. */
export const invalid = (error: ClientError, status = 422): WiseFailure =>
  new WiseFailure(json({ errors: [{ arguments: [], ...error }] }, status));

/** Errors that are none of the caller's doing, or about its token. */
export const systemError = (
  status: number,
  error: string,
  description: string,
  headers: Record<string, string> = {},
): WiseFailure => new WiseFailure(json({ error, error_description: description }, status, headers));

export const badToken = (): WiseFailure => systemError(401, "invalid_token", "Invalid token");

export const forbidden = (headers: Record<string, string> = {}): WiseFailure =>
  new WiseFailure(
    json(
      { timestamp: "2026-11-01T12:00:00Z", status: 403, error: "unauthorized", message: "Unauthorized" },
      403,
      headers,
    ),
  );

export const notFound = (code: string): WiseFailure =>
  invalid({ code, message: "The requested resource does not exist." }, 404);

export const rateLimited = (retryAfterS: number | null): WiseFailure =>
  systemError(429, "too_many_requests", "Too many requests", {
    "x-rate-limited-by": "wise-public-api",
    ...(retryAfterS === null ? {} : { "retry-after": String(retryAfterS) }),
  });

export const serverError = (): WiseFailure => systemError(500, "server_error", "Internal server error");

export const missing = (path: string): WiseFailure =>
  invalid({ code: "NotNull", message: "must not be null", path }, 400);
