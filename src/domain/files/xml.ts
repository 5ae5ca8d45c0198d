// XML as text: elements with text or children, escaped, indented, nothing else.

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly content: string | readonly Element[];
}

/** Characters that XML 1.0 cannot hold, escaped or not. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
const UNWRITABLE = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Good between tags and in double quotes; an apostrophe needs no escape in either. */
export const escapeXml = (text: string): string =>
  text
    .toWellFormed()
    .replace(UNWRITABLE, "")
    .replace(/[&<>"]/g, (char) => ESCAPES[char] ?? char);

/** What is undefined is left out. */
export const parent = (name: string, ...children: readonly (Element | undefined)[]): Element => ({
  name,
  attributes: {},
  content: children.filter((child) => child !== undefined),
});

export const leaf = (
  name: string,
  content: string,
  attributes: Readonly<Record<string, string>> = {},
): Element => ({ name, attributes, content });

/** A leaf where there is a text. */
export const leafOf = (name: string, text: string | null | undefined): Element | undefined =>
  text === null || text === undefined || text === "" ? undefined : leaf(name, text);

const lines = ({ name, attributes, content }: Element, indent: string): string[] => {
  const marks = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(value)}"`);
  const open = `${indent}<${name}${marks.join("")}>`;
  if (typeof content === "string") return [`${open}${escapeXml(content)}</${name}>`];
  return [open, ...content.flatMap((child) => lines(child, `${indent}  `)), `${indent}</${name}>`];
};

export const writeXml = (root: Element): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${lines(root, "").join("\n")}\n`;
