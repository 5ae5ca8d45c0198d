// Freezes a payment by Wise: the affiliate's e-mail recipient, a quote that fixes what leaves the balance, and the exact bytes of the one transfer.
import type { Affiliate } from "../domain/affiliate.ts";
import type { Instruction } from "../domain/ledger/command.ts";
import type { Payout } from "../domain/payout.ts";
import { type Refusal, type RefusalCode, refuse } from "../domain/refusals.ts";
import type { NextAttempt } from "./rail.ts";
import { fromWiseAmount, toWiseAmount } from "./wise-amount.ts";
import {
  type AskWise,
  errorsIn,
  fieldsOf,
  isOk,
  isWiseId,
  retryAfterOf,
  WISE_API_VERSION,
  type WiseAnswer,
  type WiseError,
  wordsOf,
} from "./wise-client.ts";
import { customerTransactionIdOf } from "./wise-transfer.ts";

type Refused = { readonly refusal: Refusal };

const RETRY_AFTER_S = 10;

/** Trouble that passes is thrown: the payment's message comes again, and the payout goes on waiting for its payment. */
const notNow = (why: string, retryAfterS = RETRY_AFTER_S): Error =>
  Object.assign(new Error(`Wise could not be asked: ${why}`), { retryAfterS });

const TOKEN_REFUSED =
  "Wise refuses the program's API token, or does not let it act for the profile: PUT /v1/program/credentials/wise.";

/** A no of a documented shape stops the payment until a person has done something; anything else passes. */
const refusedOr = (
  answer: WiseAnswer,
  refusalOf: (errors: readonly WiseError[]) => Refused,
): Refused | Error => {
  if (answer.kind === "silence") return notNow(answer.detail);
  const { status, body, headers } = answer;
  const errors = errorsIn(body);
  if (status === 401 || (status === 403 && errors !== undefined))
    return refuse("credentials_refused", TOKEN_REFUSED);
  if ((status === 400 || status === 422) && errors !== undefined) return refusalOf(errors);
  return notNow(`it answered ${status}`, retryAfterOf(headers));
};

const stop = (result: Refused | Error): Refused => {
  if (result instanceof Error) throw result;
  return result;
};

const PAGE = 20;

/** The newest recipients are looked through; beyond them another one is made: a spare moves no money. */
const RECIPIENT_PAGES_MAX = 5;

interface Payee {
  readonly email: string;
  readonly currency: string;
  readonly name: string;
}

const isSameText = (value: unknown, text: string): boolean =>
  typeof value === "string" && value.toLowerCase() === text.toLowerCase();

/** The id of the recipient, if it is this payee's own in this profile. */
const recipientIn = (value: unknown, payee: Payee, profile: string): number | undefined => {
  const { id, active, currency, type, details, profileId, profile: owner } = fieldsOf(value);
  return isWiseId(id) &&
    active !== false &&
    currency === payee.currency &&
    isSameText(type, "email") &&
    isSameText(fieldsOf(details)["email"], payee.email) &&
    String(profileId ?? owner) === profile
    ? id
    : undefined;
};

const knownRecipient = async (
  ask: AskWise,
  payee: Payee,
  profile: string,
): Promise<number | Refused | undefined> => {
  const query = `profileId=${profile}&currency=${payee.currency}&type=email&size=${PAGE}&sort=id,desc`;
  let seek = "";
  for (let page = 0; page < RECIPIENT_PAGES_MAX; page++) {
    const answer = await ask("GET", `/accounts?${query}${seek}`);
    if (!isOk(answer)) return stop(refusedOr(answer, (errors) => notReady(errors)));
    const { content, seekPositionForNext: next } = fieldsOf(answer.body);
    if (!Array.isArray(content)) throw notNow("its list of recipients cannot be read");
    for (const one of content) {
      const id = recipientIn(one, payee, profile);
      if (id !== undefined) return id;
    }
    if (!isWiseId(next) || content.length === 0) return undefined;
    seek = `&seekPosition=${next}`;
  }
  return undefined;
};

const notReady = (errors: readonly WiseError[]): Refused =>
  refuse(
    "payout_method_not_ready",
    `Wise does not take the affiliate as a recipient: ${wordsOf(errors)}. It wants first and last name, and an e-mail address.`,
  );

const madeRecipient = async (ask: AskWise, payee: Payee, profile: string): Promise<number | Refused> => {
  const { email, currency, name } = payee;
  const recipient = {
    profile: Number(profile),
    accountHolderName: name,
    currency,
    type: "email",
    details: { email },
  };
  const answer = await ask("POST", "/accounts", JSON.stringify(recipient));
  if (!isOk(answer)) return stop(refusedOr(answer, notReady));
  const made = fieldsOf(answer.body);
  if (!isWiseId(made["id"]) || made["currency"] !== currency)
    throw notNow("its answer is not the recipient that was asked for");
  return made["id"];
};

const about = ({ code, path }: WiseError, word: RegExp): boolean => word.test(`${code} ${path ?? ""}`);

const noQuote = (errors: readonly WiseError[]): Refused => {
  const code: RefusalCode = errors.some((error) => about(error, /amount/i))
    ? "amount_not_sendable"
    : errors.some((error) => about(error, /currency|route/i))
      ? "currency_not_supported_by_method"
      : "payout_method_not_ready";
  return refuse(code, `Wise gives no quote for this payment: ${wordsOf(errors)}.`);
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The source amount is fixed, so exactly the payout's amount leaves; Wise's fee and the conversion come out of it. */
const quoteOf = async (
  ask: AskWise,
  payout: Payout,
  target: { readonly recipient: number; readonly currency: string },
  profile: string,
): Promise<string | Refused> => {
  const amount = toWiseAmount(payout.amount, payout.currency);
  if (amount === undefined) throw new Error("a quote over what cannot be sent");
  const body = [
    `{"sourceCurrency":${JSON.stringify(payout.currency)}`,
    `"targetCurrency":${JSON.stringify(target.currency)}`,
    `"sourceAmount":${amount}`,
    `"targetAccount":${target.recipient}`,
    `"preferredPayIn":"BALANCE"}`,
  ].join(",");
  const answer = await ask("POST", `/profiles/${profile}/quotes`, body);
  if (!isOk(answer)) return stop(refusedOr(answer, noQuote));
  const { id, sourceCurrency, targetCurrency, sourceAmount, notices } = fieldsOf(answer.body);
  const isAsked =
    typeof id === "string" &&
    UUID.test(id) &&
    sourceCurrency === payout.currency &&
    targetCurrency === target.currency &&
    fromWiseAmount(sourceAmount, payout.currency) === payout.amount;
  if (!isAsked) throw notNow("its answer is not the quote that was asked for");
  if (Array.isArray(notices) && notices.some((notice) => fieldsOf(notice)["type"] === "BLOCKED"))
    return refuse("payout_method_not_ready", "Wise blocks payments like this one: its site says why.");
  return id;
};

/** Ten characters reach the recipient on every route; the end of a payout's id is its own. */
const REFERENCE_LENGTH = 10;

const requestOf = async (
  payout: Payout,
  next: NextAttempt,
  recipient: number,
  quoteUuid: string,
): Promise<string> =>
  JSON.stringify({
    targetAccount: recipient,
    quoteUuid,
    customerTransactionId: await customerTransactionIdOf(next.key),
    details: { reference: payout.id.slice(-REFERENCE_LENGTH) },
  });

const payeeOf = ({ destination, name }: Affiliate): Payee | Refused =>
  destination?.method === "wise" && destination.account !== null && destination.currency !== null
    ? { email: destination.account, currency: destination.currency, name }
    : refuse("payout_method_not_ready", "The affiliate has no Wise address.");

/** Makes calls that move no money: a recipient or a quote that is not used is forgotten. */
export const freezeTransfer = async (
  ask: AskWise,
  profile: string,
  payout: Payout,
  affiliate: Affiliate,
  next: NextAttempt,
): Promise<Instruction | Refused> => {
  const payee = payeeOf(affiliate);
  if ("refusal" in payee) return payee;
  if (toWiseAmount(payout.amount, payout.currency) === undefined) {
    return refuse(
      "amount_not_sendable",
      `Wise cannot carry this amount of ${payout.currency} exactly; pay it another way.`,
    );
  }
  const recipient = (await knownRecipient(ask, payee, profile)) ?? (await madeRecipient(ask, payee, profile));
  if (typeof recipient !== "number") return recipient;
  const quote = await quoteOf(ask, payout, { recipient, currency: payee.currency }, profile);
  if (typeof quote !== "string") return quote;
  return {
    rail: "wise",
    providerAccount: profile,
    apiVersion: WISE_API_VERSION,
    destination: String(recipient),
    destinationSha: affiliate.destination?.sha ?? null,
    request: await requestOf(payout, next, recipient, quote),
    amount: payout.amount,
    currency: payout.currency,
  };
};
