// Quotes and recipients: what must exist before a transfer can be made.

import { invalid, notFound } from "./wise-errors.ts";
import { amountAt, currencyAt, integerAt, numberIn, objectAt, stepOf, textAt } from "./wise-read.ts";
import {
  type Call,
  type Handler,
  instant,
  type ProfileRecord,
  QUOTE_LIVES_MS,
  type QuoteRecord,
  type RecipientRecord,
  unitsOf,
  type World,
} from "./wise-world.ts";

/** What one unit is worth in US dollars; made up, and the same for ever. */
const WORTH: Record<string, number> = {
  AUD: 0.65,
  BRL: 0.18,
  CAD: 0.72,
  CHF: 1.13,
  EUR: 1.08,
  GBP: 1.27,
  HUF: 0.0027,
  INR: 0.012,
  JPY: 0.0066,
  KRW: 0.00072,
  NOK: 0.09,
  PLN: 0.25,
  SEK: 0.094,
  UGX: 0.00027,
  VND: 0.00004,
};

const rateOf = (source: string, target: string): number =>
  source === target ? 1 : Math.round(((WORTH[source] ?? 1) / (WORTH[target] ?? 1)) * 1_000_000) / 1_000_000;

const roundTo = (mils: number, currency: string): number =>
  Math.round(mils / stepOf(currency)) * stepOf(currency);

/** Half a per cent, and never less than the smallest amount there is. */
const feeOf = (mils: number, currency: string): number =>
  Math.max(roundTo(mils * 0.005, currency), stepOf(currency));

/** The profile in the path, if it is one of the token's own. */
export function ownProfile(call: Call, id = call.ids[0]): ProfileRecord {
  const profile = call.profiles.find((own) => String(own.id) === id);
  if (profile === undefined) throw notFound("profile.not-found");
  return profile;
}

export const statusOf = (quote: QuoteRecord, world: World): string => {
  if (quote.transfer !== null)
    return world.transfer(quote.transfer).payments.length > 0 ? "FUNDED" : "ACCEPTED";
  return world.now() >= quote.created_at + QUOTE_LIVES_MS ? "EXPIRED" : "PENDING";
};

const renderQuote = (quote: QuoteRecord, world: World) => ({
  id: quote.id,
  sourceCurrency: quote.source_currency,
  targetCurrency: quote.target_currency,
  sourceAmount: unitsOf(quote.source),
  targetAmount: unitsOf(quote.target),
  payOut: "BANK_TRANSFER",
  rate: quote.rate,
  createdTime: instant(quote.created_at),
  profile: quote.profile,
  rateType: "FIXED",
  rateExpirationTime: instant(quote.created_at + QUOTE_LIVES_MS),
  providedAmountType: quote.provided,
  paymentOptions: [
    {
      disabled: false,
      estimatedDelivery: instant(quote.created_at + 86_400_000),
      formattedEstimatedDelivery: "tomorrow",
      fee: { total: unitsOf(quote.fee) },
      price: {
        total: { value: { amount: unitsOf(quote.fee), currency: quote.source_currency } },
      },
      payIn: "BALANCE",
      payOut: "BANK_TRANSFER",
    },
  ],
  status: statusOf(quote, world),
  expirationTime: instant(quote.created_at + QUOTE_LIVES_MS),
  notices: [],
});

export const createQuote: Handler = (call, world) => {
  const profile = ownProfile(call);
  const { body } = call;
  const source_currency = currencyAt(body, "sourceCurrency");
  const target_currency = currencyAt(body, "targetCurrency");
  const given = [body.sourceAmount, body.targetAmount].filter((amount) => typeof amount === "number");
  if (given.length !== 1) {
    throw invalid(
      {
        code: "error.quote.amount.onlySingle",
        message: "Please only specify a source or target amount.",
        path: "sourceAmount",
      },
      400,
    );
  }
  const target_account = typeof body.targetAccount === "number" ? body.targetAccount : null;
  if (target_account !== null) recipientOf(call, world, profile, target_account);
  const rate = rateOf(source_currency, target_currency);
  const isSource = typeof body.sourceAmount === "number";
  const net = isSource ? 0 : roundTo(amountAt(body, "targetAmount", target_currency) / rate, source_currency);
  const source = isSource
    ? amountAt(body, "sourceAmount", source_currency)
    : net + feeOf(net, source_currency);
  const fee = isSource ? feeOf(source, source_currency) : source - net;
  if (source <= fee)
    throw invalid({
      code: "error.amount.tooSmall",
      message: "The amount is too small.",
      path: "sourceAmount",
    });
  const quote: QuoteRecord = {
    id: world.newUuid(),
    profile: profile.id,
    source_currency,
    target_currency,
    source,
    fee,
    rate,
    target: roundTo((source - fee) * rate, target_currency),
    provided: isSource ? "SOURCE" : "TARGET",
    target_account,
    created_at: world.now(),
    transfer: null,
  };
  world.data.quotes[quote.id] = quote;
  return { value: renderQuote(quote, world) };
};

/** A quote that made no transfer can be read for two days after it has expired. */
export const getQuote: Handler = (call, world) => {
  const profile = ownProfile(call);
  const quote = world.data.quotes[call.ids[1] ?? ""];
  const isForgotten =
    quote?.transfer === null && world.now() > quote.created_at + QUOTE_LIVES_MS + 2 * 86_400_000;
  if (quote === undefined || quote.profile !== profile.id || isForgotten) throw notFound("quote.not-found");
  return { value: renderQuote(quote, world) };
};

const renderRecipient = (recipient: RecipientRecord) => ({
  id: recipient.id,
  creatorId: recipient.user,
  profileId: recipient.profile,
  name: { fullName: recipient.name, givenName: null, familyName: null, middleName: null },
  currency: recipient.currency,
  country: null,
  type: recipient.type === "email" ? "Email" : recipient.type,
  legalEntityType: "PERSON",
  active: recipient.active,
  details: { reference: null, ...recipient.details },
  commonFieldMap: { bankCodeField: "" },
  hash: `hash-of-${recipient.id}`,
  accountSummary: String(recipient.details.email ?? ""),
  longAccountSummary: `${recipient.currency} account`,
  displayFields: [],
  ownedByCustomer: false,
});

const notValid = (path: string, message: string, value: string) =>
  invalid({ code: "NOT_VALID", message, path, arguments: [path, value] });

const FULL_NAME = /^[\p{L}_()'*,.-]{2,}(?: [\p{L}_()'*,.-]+)* [\p{L}_()'*,.-]{2,}$/u;

export const createRecipient: Handler = (call, world) => {
  const { body } = call;
  const profile = ownProfile(call, String(integerAt(body, "profile")));
  const currency = currencyAt(body, "currency");
  const type = textAt(body, "type");
  const name = textAt(body, "accountHolderName");
  const details = objectAt(body, "details");
  if (!FULL_NAME.test(name))
    throw notValid("accountHolderName", "Please enter the recipients first and last name.", name);
  if (type === "email" && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(String(details.email)))
    throw notValid("email", "Please provide a valid email", String(details.email));
  const recipient: RecipientRecord = {
    id: world.newId("recipient"),
    profile: profile.id,
    user: profile.user,
    name,
    currency,
    type,
    details,
    active: true,
  };
  world.data.recipients[recipient.id] = recipient;
  return { status: 201, value: renderRecipient(recipient) };
};

export const listRecipients: Handler = (call, world) => {
  const { query } = call;
  const profile = ownProfile(call, query.get("profileId") ?? String(call.profiles[0]?.id));
  const size = Math.min(numberIn(query, "size", 20), 20);
  const seek = numberIn(query, "seekPosition", Number.MAX_SAFE_INTEGER);
  const found = Object.values(world.data.recipients)
    .filter(
      (recipient) =>
        recipient.profile === profile.id &&
        recipient.active &&
        recipient.id <= seek &&
        (query.get("currency") ?? recipient.currency) === recipient.currency &&
        (query.get("type") ?? recipient.type) === recipient.type,
    )
    .sort((one, other) => other.id - one.id);
  const content = found.slice(0, size).map(renderRecipient);
  return {
    value: {
      content,
      sort: { empty: false, sorted: true, unsorted: false },
      size: content.length,
      seekPositionForNext: found[size]?.id ?? null,
      seekPositionForCurrent: content[0]?.id ?? null,
    },
  };
};

export function recipientOf(call: Call, world: World, profile: ProfileRecord, id: number): RecipientRecord {
  const found = world.data.recipients[id];
  const isOwn = found !== undefined && call.profiles.some((own) => own.id === found.profile);
  if (!isOwn || !found.active || found.profile !== profile.id)
    throw invalid({ code: "INVALID_RECIPIENT", message: "No such recipient.", path: "targetAccount" });
  return found;
}
