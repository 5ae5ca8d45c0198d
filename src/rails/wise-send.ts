// Makes an attempt's one transfer at Wise and pays for it from the balance: each step may be repeated, and nothing counts as refused before Wise shows that nothing stands.
import type { Attempt, RailOutcome } from "../domain/payout.ts";
import {
  type AskWise,
  errorsIn,
  fieldsOf,
  isOk,
  retryAfterOf,
  type WiseAnswer,
  type WiseError,
  wordsOf,
} from "./wise-client.ts";
import { paymentsFor, quoteStanding, transferById, transferInList } from "./wise-find.ts";
import { acceptedAs, handOver, standingOf, transferOf, unknown, type WiseTransfer } from "./wise-transfer.ts";

/** What an answer without a whole, known meaning says of a request that may have been carried out. */
const troubleIn = (answer: WiseAnswer): RailOutcome => {
  if (answer.kind === "silence") return unknown(`${answer.detail} from Wise`);
  const { status, headers } = answer;
  if (status === 401) return { kind: "deferred", detail: "Wise refuses the program's API token" };
  if (status !== 429) return unknown(`Wise answered ${status}`);
  const retryAfterS = retryAfterOf(headers);
  const detail = "Wise asks for fewer requests";
  return retryAfterS === undefined ? { kind: "deferred", detail } : { kind: "deferred", detail, retryAfterS };
};

const codeOf = (errors: readonly WiseError[]): string => {
  const isExpired = errors.some(({ code, path }) => /quote/i.test(`${code} ${path}`) && /expir/i.test(code));
  return isExpired
    ? "quote_expired"
    : (errors[0]?.code ?? "refused").toLowerCase().replaceAll(/[^\w.]+/g, "_");
};

/** Wise's no to making the transfer counts where its whole list shows no transfer of this UUID and its quote was not used. */
const afterNo = async (
  ask: AskWise,
  attempt: Attempt,
  now: number,
  errors: readonly WiseError[],
): Promise<RailOutcome> => {
  const found = await transferInList(ask, attempt);
  if (found.kind === "found") return carryOn(ask, attempt, now, found.transfer);
  if (found.kind === "doubt") return found.outcome;
  const words = wordsOf(errors);
  if ((await quoteStanding(ask, attempt, now)) === undefined)
    return unknown(`Wise refused the transfer (${words}), and its quote does not show that none was made`);
  const detail = `Wise refused to make the transfer: ${words}. Nothing was made.`;
  return { kind: "refused", code: codeOf(errors), detail };
};

const SAYS_NO = [400, 403, 422];

/** A repeat of the same bytes is answered with the same transfer: its UUID is the key, and its quote makes only one. */
export const sendTransfer = async (ask: AskWise, attempt: Attempt, now: number): Promise<RailOutcome> => {
  const answer = await ask("POST", "/transfers", attempt.request);
  if (isOk(answer)) {
    const transfer = transferOf(answer.body, attempt);
    return transfer === undefined
      ? unknown("Wise's answer is not this transfer")
      : carryOn(ask, attempt, now, transfer);
  }
  const errors = answer.kind === "answer" ? errorsIn(answer.body) : undefined;
  return answer.kind === "answer" && SAYS_NO.includes(answer.status) && errors !== undefined
    ? afterNo(ask, attempt, now, errors)
    : troubleIn(answer);
};

/** The answer to a repeat may be an old one, so the transfer and what was paid for it are asked for before it is paid for. */
const carryOn = async (
  ask: AskWise,
  attempt: Attempt,
  now: number,
  made: WiseTransfer,
): Promise<RailOutcome> => {
  const found = await transferById(ask, attempt, String(made.id));
  if (found.kind !== "found") return unknown("the transfer was made and could not be asked for");
  const standing = standingOf(attempt, found.transfer, now);
  if (standing !== "unfunded") return standing;
  const payments = await paymentsFor(ask, made.id);
  if (payments === undefined)
    return unknown("the transfer was made; whether it is paid for could not be asked");
  return payments > 0 ? acceptedAs(attempt, made.id, now) : fund(ask, attempt, now, made.id);
};

/** The balance did not cover it, or cannot be used for it: nothing moved, and the transfer can still be paid for. */
const SHORT = ["transfer.insufficient_funds", "balance.payment-option-unavailable"];

const FUND = '{"type":"BALANCE"}';

const fund = async (ask: AskWise, attempt: Attempt, now: number, id: number): Promise<RailOutcome> => {
  const answer = await ask("POST", `/profiles/${attempt.providerAccount}/transfers/${id}/payments`, FUND);
  if (answer.kind === "silence") return troubleIn(answer);
  const { type, status, errorCode } = fieldsOf(answer.body);
  if (isOk(answer) && type === "BALANCE" && status === "COMPLETED") return acceptedAs(attempt, id, now);
  const errors = errorsIn(answer.body);
  const no = status === "REJECTED" ? errorCode : errors?.[0]?.code;
  if (typeof no === "string" && SHORT.includes(no) && answer.status < 500)
    return cancel(ask, attempt, now, id, no);
  if (answer.status === 403 && (answer.headers.has("x-2fa-approval") || errors !== undefined))
    return handOver(attempt, id, "Wise does not let this token pay for transfers by API.");
  if (answer.status === 422 || status === "REJECTED") return afterRejection(ask, attempt, now, id);
  return troubleIn(answer);
};

/** Also what is paid for already is rejected: only the transfer itself says which. */
const afterRejection = async (
  ask: AskWise,
  attempt: Attempt,
  now: number,
  id: number,
): Promise<RailOutcome> => {
  const found = await transferById(ask, attempt, String(id));
  const standing = found.kind === "found" ? standingOf(attempt, found.transfer, now) : "unfunded";
  return standing === "unfunded" ? unknown(`Wise did not take the payment for transfer ${id}`) : standing;
};

/** Only a transfer that is seen cancelled can no longer be paid for, by anyone. */
const cancel = async (
  ask: AskWise,
  attempt: Attempt,
  now: number,
  id: number,
  why: string,
): Promise<RailOutcome> => {
  const answer = await ask("PUT", `/transfers/${id}/cancel`);
  const cancelled = isOk(answer) ? transferOf(answer.body, attempt) : undefined;
  const seen = cancelled?.status === "cancelled" ? cancelled : await seenNow(ask, attempt, id);
  if (seen?.status === "cancelled") {
    const detail = `The Wise balance in ${attempt.currency} did not cover the payment (${why}); transfer ${id} was cancelled. Top it up, then retry.`;
    return { kind: "refused", code: "insufficient_funds", detail };
  }
  const standing = seen === undefined ? "unfunded" : standingOf(attempt, seen, now);
  return standing === "unfunded"
    ? unknown(`the balance did not cover transfer ${id}, and it is not seen cancelled`)
    : standing;
};

const seenNow = async (ask: AskWise, attempt: Attempt, id: number): Promise<WiseTransfer | undefined> => {
  const found = await transferById(ask, attempt, String(id));
  return found.kind === "found" ? found.transfer : undefined;
};
