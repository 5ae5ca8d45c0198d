// Reads a request to create a payout as strictly as PayPal's own description and documentation of it.

import { type ErrorDetail, validation } from "./paypal-errors.ts";
import { type Money, unitsOf } from "./paypal-world.ts";

type Fields = Record<string, unknown>;

export type NewItem = {
  recipient_type: string;
  receiver: string;
  amount: Money;
  note: string | null;
  sender_item_id: string | null;
};

export type NewBatch = {
  sender_batch_id: string | null;
  email_subject: string | null;
  email_message: string | null;
  items: NewItem[];
};

/** Every field of the description, and how long it may be. */
const HEADER: Record<string, number> = {
  sender_batch_id: 256,
  recipient_type: 13,
  email_subject: 255,
  email_message: 1000,
  note: 1000,
};
const ITEM: Record<string, number> = {
  recipient_type: 13,
  amount: 0,
  note: 4000,
  receiver: 127,
  sender_item_id: 63,
  recipient_wallet: 36,
  alternate_notification_method: 0,
  notification_language: 0,
  application_context: 0,
  purpose: 0,
};
const ITEMS_MAX = 15_000;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

class Reader {
  readonly details: ErrorDetail[] = [];

  wrong(field: string, issue: string): void {
    this.details.push({ field, location: "body", issue });
  }

  fields(value: unknown, at: string, known: Record<string, number>): Fields {
    if (!isFields(value)) {
      this.wrong(at, "Required field is missing or is no object");
      return {};
    }
    for (const name of Object.keys(value))
      if (known[name] === undefined) this.wrong(`${at}.${name}`, "Field is not known");
    return value;
  }

  text(from: Fields, name: string, at: string, max: number): string | null {
    const value = from[name];
    if (value === undefined) return null;
    if (typeof value === "string" && value.length <= max) return value;
    this.wrong(`${at}.${name}`, `Value must be a string of at most ${max} characters`);
    return null;
  }

  amount(value: unknown, at: string): Money {
    const { currency, value: text } = this.fields(value, at, { currency: 0, value: 0 });
    const money = { currency: String(currency), value: String(text) };
    const units = typeof currency === "string" && typeof text === "string" ? unitsOf(money) : null;
    if (units === null) this.wrong(at, "Currency is not supported, or the amount has too many decimals");
    else if (units === 0) this.wrong(at, "Amount must be greater than zero");
    return money;
  }

  item(value: unknown, at: string, fallback: string | null): NewItem {
    const from = this.fields(value, at, ITEM);
    const text = (name: string) => this.text(from, name, at, ITEM[name] ?? 0);
    const recipient_type = text("recipient_type") ?? fallback ?? "";
    const receiver = text("receiver") ?? "";
    if (!["EMAIL", "PHONE", "PAYPAL_ID", "USER_HANDLE"].includes(recipient_type))
      this.wrong(`${at}.recipient_type`, "Recipient type is missing or not known");
    if (recipient_type === "EMAIL" && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(receiver))
      this.wrong(`${at}.receiver`, "Receiver is invalid or does not match with type");
    return {
      recipient_type,
      receiver,
      amount: this.amount(from["amount"], `${at}.amount`),
      note: text("note"),
      sender_item_id: text("sender_item_id"),
    };
  }

  items(value: unknown, fallback: string | null): NewItem[] {
    if (!Array.isArray(value) || value.length === 0 || value.length > ITEMS_MAX) {
      this.wrong("items", `There must be 1 to ${ITEMS_MAX} items`);
      return [];
    }
    const items = value.map((item, n) => this.item(item, `items[${n}]`, fallback));
    const ids = items.flatMap((item) => item.sender_item_id ?? []);
    if (new Set(ids).size < ids.length)
      this.wrong("items", "DUPLICATE_ITEM: REF_ID matches with another item in the batch");
    if (new Set(items.map((item) => item.amount.currency)).size > 1)
      this.wrong("items", "All items must be in one currency");
    return items;
  }
}

/** What is to be created, or the refusal that names all that is wrong. */
export function readCreation(text: string): NewBatch {
  const reader = new Reader();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw validation([{ issue: "JSON request is malformed. Check your request format and try again." }]);
  }
  const whole = reader.fields(body, "body", { sender_batch_header: 0, items: 0 });
  const at = "sender_batch_header";
  const header = reader.fields(whole["sender_batch_header"], at, HEADER);
  const read = (name: string) => reader.text(header, name, at, HEADER[name] ?? 0);
  const made: NewBatch = {
    sender_batch_id: read("sender_batch_id"),
    email_subject: read("email_subject"),
    email_message: read("email_message"),
    items: reader.items(whole["items"], read("recipient_type")),
  };
  if (reader.details.length > 0) throw validation(reader.details);
  return made;
}
