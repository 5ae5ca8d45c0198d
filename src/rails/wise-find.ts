// Looks for an attempt's transfer at Wise: by its id where one is known, else through the profile's list, and never takes an unreadable answer for "not there".
import { type Attempt, KEY_WINDOW_MS, type RailOutcome } from "../domain/payout.ts";
import { type AskWise, fieldsOf, isOk, isWiseId, isWiseIdText, type WiseAnswer } from "./wise-client.ts";
import {
  acceptedAs,
  customerTransactionIdOf,
  frozenIn,
  handOver,
  returnedOf,
  standingOf,
  transferOf,
  unknown,
  type WiseTransfer,
} from "./wise-transfer.ts";

const HOUR_MS = 3_600_000;
const PAGE = 100;

/** More transfers than these in a day and two hours are not walked through: nothing is concluded then. */
const PAGES_MAX = 200;

/** A retry may come long after the attempt before it; whose transfer stands there would show within this time. */
const SIBLINGS_BACK_MS = 24 * HOUR_MS;
const SIBLINGS_MAX = 20;

export const CANNOT_ASK = unknown("Wise could not be asked");

export type Found =
  | { readonly kind: "found"; readonly transfer: WiseTransfer }
  | { readonly kind: "absent" }
  | { readonly kind: "doubt"; readonly outcome: RailOutcome };

const doubt = (detail: string): Found => ({ kind: "doubt", outcome: unknown(detail) });

/** The transfer of an id that a book or a message holds. */
export const transferById = async (ask: AskWise, attempt: Attempt, id: string): Promise<Found> => {
  if (!isWiseIdText(id)) return doubt("the id of the transfer is none of Wise's");
  const answer = await ask("GET", `/transfers/${id}`);
  if (!isOk(answer)) return { kind: "doubt", outcome: CANNOT_ASK };
  const transfer = transferOf(answer.body, attempt);
  return transfer === undefined || String(transfer.id) !== id
    ? doubt(`transfer ${id} at Wise is not this payment's`)
    : { kind: "found", transfer };
};

/** The UUIDs of the payout's earlier attempts: each was refused, so none of their transfers may stand. */
const siblingsOf = ({ payoutId, n }: Attempt): Promise<readonly string[]> =>
  Promise.all(
    Array.from({ length: Math.min(n - 1, SIBLINGS_MAX) }, (_, i) =>
      customerTransactionIdOf(`po:${payoutId}:${n - 1 - i}`),
    ),
  );

const OVER = ["cancelled", "funds_refunded"];

type Row = Readonly<Record<string, unknown>>;

const rowsIn = (answer: WiseAnswer): readonly Row[] | undefined => {
  if (!isOk(answer) || !Array.isArray(answer.body)) return undefined;
  const rows = answer.body.map(fieldsOf);
  return rows.every((row) => isWiseId(row["id"])) ? rows : undefined;
};

const rangeOf = ({ createdAt, n }: Attempt): string => {
  const from = createdAt - (n > 1 ? SIBLINGS_BACK_MS : HOUR_MS);
  const until = createdAt + KEY_WINDOW_MS + 2 * HOUR_MS;
  return `createdDateStart=${new Date(from).toISOString()}&createdDateEnd=${new Date(until).toISOString()}`;
};

const uuidIn = (row: Row): string => String(row["customerTransactionId"]);

/** The transfers of these UUIDs by their ids, whatever the page size that Wise allows: only an empty page is the end. */
const listed = async (
  ask: AskWise,
  attempt: Attempt,
  uuids: readonly string[],
): Promise<ReadonlyMap<unknown, Row> | undefined> => {
  const query = `profile=${attempt.providerAccount}&${rangeOf(attempt)}&limit=${PAGE}`;
  const found = new Map<unknown, Row>();
  for (let page = 0, offset = 0; page < PAGES_MAX; page++) {
    const rows = rowsIn(await ask("GET", `/transfers?${query}&offset=${offset}`));
    if (rows === undefined) return undefined;
    if (rows.length === 0) return found;
    offset += rows.length;
    for (const row of rows) if (uuids.includes(uuidIn(row))) found.set(row["id"], row);
  }
  return undefined;
};

/** The list has no filter for what we know the transfer by, so all of it is walked. */
export const transferInList = async (ask: AskWise, attempt: Attempt): Promise<Found> => {
  const uuid = String(frozenIn(attempt)["customerTransactionId"]);
  const rows = await listed(ask, attempt, [uuid, ...(await siblingsOf(attempt))]);
  if (rows === undefined) return doubt("Wise's list of transfers could not be read to its end");
  const own = [...rows.values()].filter((row) => uuidIn(row) === uuid);
  if (own.length > 1) return doubt(`${own.length} transfers at Wise carry this payment's id: look there`);
  const [row] = own;
  if (row !== undefined) {
    const transfer = transferOf(row, attempt);
    return transfer === undefined
      ? doubt(`transfer ${String(row["id"])} at Wise carries this payment's id and is not what was asked for`)
      : { kind: "found", transfer };
  }
  const standing = [...rows.values()].find((other) => !OVER.includes(String(other["status"])));
  return standing === undefined
    ? { kind: "absent" }
    : doubt(`transfer ${String(standing["id"])} of another attempt of this payout stands at Wise`);
};

/** Completed payments for the transfer; undefined where Wise cannot say. */
export const paymentsFor = async (ask: AskWise, id: number): Promise<number | undefined> => {
  const answer = await ask("GET", `/transfers/${id}/payments`);
  return isOk(answer) && Array.isArray(answer.body) ? answer.body.length : undefined;
};

/** An unfunded transfer is funded by sending again; too late for that, or where a person has been asked to, it is theirs. */
const unfunded = async (
  ask: AskWise,
  attempt: Attempt,
  { id }: WiseTransfer,
  now: number,
): Promise<RailOutcome | undefined> => {
  const payments = await paymentsFor(ask, id);
  if (payments === undefined) return CANNOT_ASK;
  if (payments > 0) return acceptedAs(attempt, id, now);
  if (attempt.state === "needs_hand") return handOver(attempt, id, "Wise lets only a person pay for it.");
  return now - attempt.createdAt < KEY_WINDOW_MS
    ? undefined
    : handOver(attempt, id, "The transfer was made and could not be paid for in time.");
};

export const findTransfer = async (
  ask: AskWise,
  attempt: Attempt,
  now: number,
  ref?: string,
): Promise<RailOutcome | undefined> => {
  const id = attempt.providerRef ?? ref;
  const byId = id === undefined ? undefined : await transferById(ask, attempt, id);
  const isNamed = byId?.kind === "found" || attempt.providerRef !== null;
  const found = isNamed && byId !== undefined ? byId : await transferInList(ask, attempt);
  if (found.kind === "absent") return undefined;
  if (found.kind === "doubt") return found.outcome;
  const standing = standingOf(attempt, found.transfer, now);
  return standing === "unfunded" ? unfunded(ask, attempt, found.transfer, now) : standing;
};

export const returnedTransfer = async (ask: AskWise, attempt: Attempt): Promise<number | undefined> => {
  if (attempt.providerRef === null) return undefined;
  const found = await transferById(ask, attempt, attempt.providerRef);
  return found.kind === "found" ? returnedOf(attempt, found.transfer) : undefined;
};

/**
 * What Wise's own quote says of the transfer that was to be made from it: a quote makes one, and shows when it has.
 * `unused`: none was made; `over`: nor can one be made any more. An unused quote can be read for about two days.
 */
export const quoteStanding = async (
  ask: AskWise,
  attempt: Attempt,
  now: number,
): Promise<"unused" | "over" | undefined> => {
  const quoteUuid = frozenIn(attempt)["quoteUuid"];
  const answer = await ask("GET", `/profiles/${attempt.providerAccount}/quotes/${String(quoteUuid)}`);
  if (!isOk(answer)) return undefined;
  const { id, status, expirationTime } = fieldsOf(answer.body);
  if (id !== quoteUuid) return undefined;
  if (status === "EXPIRED") return "over";
  if (status !== "PENDING") return undefined;
  return Date.parse(String(expirationTime)) < now ? "over" : "unused";
};
