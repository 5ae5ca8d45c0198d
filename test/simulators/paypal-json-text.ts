// Finds the text of one member of a JSON object as it stands there, without reading it into a value and writing it anew.

const SPACE = /\s/;

/** Where the value that begins at `from` ends. */
function endOf(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') {
      at += 1;
      while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
      if (depth === 0) return at + 1;
    } else if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (char === "," || SPACE.test(char ?? ""))) return at;
  }
  return text.length;
}

/** The last member of that name, as JSON.parse would take it; `text` must be one JSON object. */
export function memberText(text: string, name: string): string | undefined {
  let found: string | undefined;
  let at = text.indexOf("{") + 1;
  for (;;) {
    while (SPACE.test(text[at] ?? "") || text[at] === ",") at += 1;
    if (text[at] !== '"') return found;
    const keyEnd = endOf(text, at);
    const key: unknown = JSON.parse(text.slice(at, keyEnd));
    at = text.indexOf(":", keyEnd) + 1;
    while (SPACE.test(text[at] ?? "")) at += 1;
    const end = endOf(text, at);
    if (key === name) found = text.slice(at, end);
    at = end;
  }
}
