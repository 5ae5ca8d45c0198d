// Reads what PayPal answered field by field: nothing is believed to be there, or to be of its type.

export const fieldIn = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

/** A text field that is there and looks as it should. */
export const textIn = (value: unknown, name: string, pattern?: RegExp): string | undefined => {
  const text = fieldIn(value, name);
  return typeof text === "string" && (pattern === undefined || pattern.test(text)) ? text : undefined;
};

export const listIn = (value: unknown, name: string): readonly unknown[] => {
  const list = fieldIn(value, name);
  return Array.isArray(list) ? list : [];
};

/** PayPal's names of errors and states. */
const NAME = /^[A-Z][A-Z0-9_]{1,63}$/;
export const nameIn = (value: unknown, name = "name"): string | undefined => textIn(value, name, NAME);

const DETAIL_MAX = 300;

/** Words of PayPal for a person, short and without addresses: what was sent may be quoted in them. */
export const plainWords = (text: string): string =>
  text
    .replace(/\S+@\S+/g, "(address)")
    .replace(/\s+/g, " ")
    .slice(0, DETAIL_MAX);

/** `NAME: message` of an error of PayPal's usual shape. */
export const wordsOf = (error: unknown): string | undefined => {
  const name = nameIn(error);
  if (name === undefined) return undefined;
  const message = textIn(error, "message");
  return plainWords(message === undefined ? name : `${name}: ${message}`);
};
