// Checks a request's parameters as Stripe does before anything runs: unknown, missing, mistyped, too long.

import { invalid, missing } from "./stripe-errors.ts";
import type { Params } from "./stripe-form.ts";

/** `string` may be empty, which unsets; `text` may not. */
export type Rule =
  | "string"
  | "text"
  | "required string"
  | "integer"
  | "positive integer"
  | "boolean"
  | "metadata"
  | "expand"
  | "list"
  | "anything"
  | readonly string[]
  | Rules;
export type Rules = { [name: string]: Rule };

const INTEGER = /^-?\d{1,15}$/;
const MAX_TEXT = 5000;

export function checkParams(params: Params, rules: Rules, under = ""): void {
  const unknown = Object.keys(params).filter((name) => !Object.hasOwn(rules, name));
  const named = unknown.map((name) => within(under, name));
  if (named.length > 0) {
    const plural = named.length > 1 ? "s" : "";
    throw invalid(`Received unknown parameter${plural}: ${named.join(", ")}`, "parameter_unknown", named[0]);
  }
  for (const [name, rule] of Object.entries(rules)) {
    const value = params[name];
    if (value !== undefined) checkValue(value, rule, within(under, name));
    else if (rule === "required string") throw missing(within(under, name));
  }
}

const within = (under: string, name: string): string => (under === "" ? name : `${under}[${name}]`);

function checkValue(value: string | Params, rule: Rule, name: string): void {
  if (rule === "anything") return;
  if (rule === "metadata") {
    checkMetadata(value, name);
    return;
  }
  if (rule === "expand") {
    throw invalid("This simulator expands no property.", "property_cannot_be_expanded", name);
  }
  if (rule === "list") {
    if (typeof value === "string") throw invalid(`Invalid array`, undefined, name);
    return;
  }
  if (typeof rule === "object" && !isChoice(rule)) {
    if (typeof value === "string") throw invalid("Invalid object", undefined, name);
    checkParams(value, rule, name);
    return;
  }
  if (typeof value !== "string") throw invalid("Invalid string", undefined, name);
  checkText(value, rule, name);
}

const isChoice = (rule: Rule): rule is readonly string[] => Array.isArray(rule);

function checkText(value: string, rule: Rule, name: string): void {
  const mayUnset = rule === "string";
  if (value === "" && !mayUnset) {
    throw invalid(
      `You passed an empty string for '${name}'. We assume empty values are an attempt to unset a parameter; however '${name}' cannot be unset.`,
      "parameter_invalid_empty",
      name,
    );
  }
  if (value.length > MAX_TEXT) {
    throw invalid(`Invalid string: must be at most ${MAX_TEXT} characters`, undefined, name);
  }
  if (isChoice(rule) && !rule.includes(value)) {
    throw invalid(`Invalid ${name}: must be one of ${rule.join(", ")}`, undefined, name);
  }
  if (rule === "boolean" && value !== "true" && value !== "false") {
    throw invalid(`Invalid boolean: ${value}`, undefined, name);
  }
  if (rule === "integer" || rule === "positive integer") checkInteger(value, rule, name);
}

function checkInteger(value: string, rule: Rule, name: string): void {
  if (!INTEGER.test(value)) throw invalid(`Invalid integer: ${value}`, "parameter_invalid_integer", name);
  if (rule === "positive integer" && Number(value) < 1) {
    throw invalid("This value must be greater than or equal to 1.", "parameter_invalid_integer", name);
  }
}

function checkMetadata(value: string | Params, name: string): void {
  if (value === "") return;
  if (typeof value === "string") throw invalid("Invalid object", undefined, name);
  const entries = Object.entries(value);
  if (entries.length > 50) {
    throw invalid(
      `Metadata can have up to 50 keys, but you passed in ${entries.length} keys.`,
      undefined,
      name,
    );
  }
  for (const [key, text] of entries) {
    const at = `${name}[${key}]`;
    if (typeof text !== "string") throw invalid("Metadata values must be strings.", undefined, at);
    if (key.length > 40) {
      throw invalid(
        `Metadata keys can have up to 40 characters, but you passed in a key that is ${key.length} characters. Invalid key: ${key}`,
        undefined,
        at,
      );
    }
    if (text.length > 500) {
      throw invalid(
        `Metadata values can have up to 500 characters, but you passed in a value that is ${text.length} characters. Invalid value: ${text}`,
        undefined,
        at,
      );
    }
  }
}

/** New metadata: an empty value removes its key, an empty whole removes all. */
export function mergeMetadata(old: Record<string, string>, given: string | Params | undefined) {
  if (given === undefined) return old;
  if (typeof given === "string") return {};
  const merged = { ...old };
  for (const [key, value] of Object.entries(given)) {
    if (value === "") delete merged[key];
    else merged[key] = String(value);
  }
  return merged;
}
