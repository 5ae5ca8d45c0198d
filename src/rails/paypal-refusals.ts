// PayPal's refusals of a payment as a whole: which are a definite no, and which name a batch that was made before.
import type { RailOutcome } from "../domain/payout.ts";
import { isBatchId } from "./paypal-batch.ts";
import type { Answer } from "./paypal-http.ts";
import { fieldIn, listIn, nameIn, plainWords, textIn, wordsOf } from "./paypal-json.ts";

/**
 * Errors by which PayPal documents that it took nothing of a request. INTERNAL_ERROR, UNDEFINED, BATCH_NOT_COMPLETED and
 * USER_BUSINESS_ERROR are left out: PayPal advises to send again under a new id there, and that may pay twice.
 */
const DEFINITE: readonly string[] = [
  "ACCOUNT_RESTRICTED",
  "ACCOUNT_UNCONFIRMED_EMAIL",
  "AUTHORIZATION_ERROR",
  "CURRENCY_COMPLIANCE",
  "INSUFFICIENT_FUNDS",
  "INVALID_REQUEST",
  "MALFORMED_REQUEST",
  "NEGATIVE_BALANCE",
  "NON_HOLDING_CURRENCY",
  "NOT_AUTHORIZED",
  "PERMISSION_DENIED",
  "REFUSED_ACCESS_DENIED",
  "REQUIRED_SCOPE_MISSING",
  "SENDER_ACCOUNT_LOCKED",
  "SENDER_ACCOUNT_UNVERIFIED",
  "SENDER_EMAIL_UNCONFIRMED",
  "SENDER_RESTRICTED",
  "SENDER_STATE_RESTRICTED",
  "USER_COUNTRY_NOT_ALLOWED",
  "USER_FUNDING_SOURCE_INELIGIBLE",
  "VALIDATION_ERROR",
  "ZERO_AMOUNT",
];

/** Which field PayPal found wrong and why; the value itself is left out. */
const fieldsOf = (body: unknown): string =>
  listIn(body, "details")
    .slice(0, 3)
    .map((detail) => [textIn(detail, "field"), textIn(detail, "issue")].filter((word) => word !== undefined))
    .map((words) => words.join(" "))
    .filter((text) => text !== "")
    .join("; ");

type Refused = Extract<RailOutcome, { kind: "refused" }>;

/** undefined where the answer is no definite no: it may have moved money. */
export const refusalIn = ({ status, body }: Answer): Refused | undefined => {
  const name = nameIn(body);
  if (![400, 403, 422].includes(status) || name === undefined || !DEFINITE.includes(name)) return undefined;
  // PayPal's description requires all three of an error.
  if (textIn(body, "message") === undefined || textIn(body, "debug_id") === undefined) return undefined;
  const fields = fieldsOf(body);
  const words = wordsOf(body) ?? name;
  return { kind: "refused", code: name, detail: fields === "" ? words : plainWords(`${words} (${fields})`) };
};

const BATCH_PATH = /\/v1\/payments\/payouts\/([^/?#]+)\/?(?:[?#]|$)/;

const batchIdsIn = (links: readonly unknown[]): string[] =>
  links.flatMap((link) => {
    const id = BATCH_PATH.exec(textIn(link, "href") ?? "")?.[1];
    return id !== undefined && isBatchId(id) ? [id] : [];
  });

/** The first batch of this sender_batch_id, where PayPal links to it: only the id is taken out of the link, which is never followed. */
export const duplicateOf = ({ status, body }: Answer): string | undefined => {
  if (status < 400 || status >= 500) return undefined;
  const details = listIn(body, "details").flatMap((detail) => [
    ...listIn(detail, "link"),
    ...listIn(detail, "links"),
    fieldIn(detail, "link"),
  ]);
  const ids = new Set(batchIdsIn([...listIn(body, "links"), ...details]));
  const [only] = ids;
  return ids.size === 1 ? only : undefined;
};
