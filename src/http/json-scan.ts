// Walks JSON text once, without recursion, for what JSON.parse lets pass: depth, repeated keys, reserved keys, broken strings.
import { type FieldError, pointerOf } from "./problem.ts";

export const DEPTH_MAX = 32;
const ISSUES_MAX = 50;
const RESERVED: readonly string[] = ["__proto__", "constructor", "prototype"];

interface Frame {
  /** Keys seen; undefined in an array. */
  readonly keys: Set<string> | undefined;
  key: string;
  index: number;
  expectsKey: boolean;
}

export interface Scan {
  /** Why the text is unreadable; JSON.parse judges the grammar. */
  readonly unreadable: string | undefined;
  /** What is readable and refused. */
  readonly issues: readonly FieldError[];
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The index of the closing quote, or the text's length where there is none. */
const endOfString = (text: string, start: number): number => {
  let i = start + 1;
  while (i < text.length && text.charCodeAt(i) !== QUOTE) i += text.charCodeAt(i) === BACKSLASH ? 2 : 1;
  return Math.min(i, text.length);
};

const decodeString = (raw: string): string => {
  if (!raw.includes("\\")) return raw;
  try {
    return String(JSON.parse(`"${raw}"`));
  } catch {
    return raw;
  }
};

const frameOf = (char: string): Frame => ({
  keys: char === "{" ? new Set() : undefined,
  key: "",
  index: 0,
  expectsKey: char === "{",
});

const pathOf = (stack: readonly Frame[]): string =>
  pointerOf(stack.map((frame) => (frame.keys === undefined ? frame.index : frame.key)));

const flawOf = (value: string): string | undefined => {
  if (!value.isWellFormed()) return "holds half of a surrogate pair";
  if (value.includes("\0")) return "holds a NUL character";
  return undefined;
};

/** Handles one string token; gives back why the text is unreadable, if it is. */
const visitString = (value: string, stack: readonly Frame[], issues: FieldError[]): string | undefined => {
  const frame = stack.at(-1);
  const isKey = frame?.expectsKey === true;
  if (frame !== undefined && isKey) {
    frame.expectsKey = false;
    frame.key = value;
    if (frame.keys?.has(value)) return `The key ${pathOf(stack)} stands twice in one object.`;
    frame.keys?.add(value);
  }
  const flaw = isKey && RESERVED.includes(value) ? "is a reserved key" : flawOf(value);
  if (flaw !== undefined && issues.length < ISSUES_MAX) issues.push({ pointer: pathOf(stack), detail: flaw });
  return undefined;
};

export const scanJson = (text: string): Scan => {
  const stack: Frame[] = [];
  const issues: FieldError[] = [];
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '"') {
      const end = endOfString(text, i);
      const unreadable = visitString(decodeString(text.slice(i + 1, end)), stack, issues);
      if (unreadable !== undefined) return { unreadable, issues };
      i = end;
    } else if (char === "{" || char === "[") {
      if (stack.length === DEPTH_MAX)
        return { unreadable: `The body is nested deeper than ${DEPTH_MAX}.`, issues };
      stack.push(frameOf(char));
    } else if (char === "}" || char === "]") {
      stack.pop();
    } else if (char === ",") {
      const frame = stack.at(-1);
      if (frame !== undefined) {
        frame.index += 1;
        frame.expectsKey = frame.keys !== undefined;
      }
    }
  }
  return { unreadable: undefined, issues };
};
