// Reads Stripe's form encoding, in which a[b][c]=v nests and a[]=v or a[0]=v lists.

/** A list is an object with the keys "0", "1", ... */
export type Params = { [name: string]: string | Params };

const emptyParams = (): Params => Object.create(null) as Params;

const segmentsOf = (name: string): string[] => {
  const open = name.indexOf("[");
  if (open <= 0 || !name.endsWith("]")) return [name];
  return [name.slice(0, open), ...name.slice(open + 1, -1).split("][")];
};

export function parseForm(text: string): Params {
  const root = emptyParams();
  for (const [name, value] of new URLSearchParams(text)) {
    const segments = segmentsOf(name);
    let level = root;
    segments.forEach((segment, position) => {
      const key = segment === "" ? String(Object.keys(level).length) : segment;
      if (position === segments.length - 1) {
        level[key] = value;
        return;
      }
      const below = level[key];
      const next = typeof below === "object" ? below : emptyParams();
      level[key] = next;
      level = next;
    });
  }
  return root;
}

/** One text for equal parameters, whatever their order on the wire. */
export function canonical(params: Params): string {
  const sorted = (value: string | Params): unknown =>
    typeof value === "string"
      ? value
      : Object.keys(value)
          .sort()
          .map((name) => [name, sorted(value[name] ?? "")]);
  return JSON.stringify(sorted(params));
}

export const textAt = (params: Params, name: string): string | null => {
  const value = params[name];
  return typeof value === "string" && value !== "" ? value : null;
};

export const paramsAt = (params: Params, name: string): Params | null => {
  const value = params[name];
  return typeof value === "object" ? value : null;
};

export const integerAt = (params: Params, name: string): number | null => {
  const value = textAt(params, name);
  return value === null ? null : Number(value);
};

export const booleanAt = (params: Params, name: string): boolean => params[name] === "true";
