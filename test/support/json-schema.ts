// Checks a value against the part of JSON Schema that the providers' API descriptions use.

export type Schema = {
  $ref?: string;
  type?: string;
  nullable?: boolean;
  enum?: readonly unknown[];
  anyOf?: readonly Schema[];
  allOf?: readonly Schema[];
  required?: readonly string[];
  properties?: Readonly<Record<string, Schema>>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
};

export type Schemas = Readonly<Record<string, Schema>>;

const KNOWN = new Set([
  "$ref",
  "type",
  "nullable",
  "enum",
  "anyOf",
  "allOf",
  "required",
  "properties",
  "additionalProperties",
  "items",
]);

/** Every disagreement, as `path: what is wrong`; references are to `#/components/schemas/...`. */
export function violations(value: unknown, schema: Schema, schemas: Schemas, at = "$"): string[] {
  const unknown = Object.keys(schema).filter((word) => !KNOWN.has(word));
  if (unknown.length > 0) throw new Error(`${at}: this checker does not know ${unknown.join(", ")}`);
  if (schema.$ref !== undefined) {
    const named = schemas[schema.$ref.replace("#/components/schemas/", "")];
    if (named === undefined) throw new Error(`${at}: ${schema.$ref} leads nowhere`);
    return violations(value, named, schemas, at);
  }
  if (value === null && schema.nullable === true) return [];
  if (schema.anyOf !== undefined) {
    const tries = schema.anyOf.map((option) => violations(value, option, schemas, at));
    return tries.some((found) => found.length === 0) ? [] : [`${at}: fits none of the options`];
  }
  const inherited = (schema.allOf ?? []).flatMap((part) => violations(value, part, schemas, at));
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    return [...inherited, `${at}: ${JSON.stringify(value)} is none of ${JSON.stringify(schema.enum)}`];
  }
  if (schema.type !== undefined && !isOf(schema.type, value)) {
    return [...inherited, `${at}: ${JSON.stringify(value)} is not of type ${schema.type}`];
  }
  return [...inherited, ...inside(value, schema, schemas, at)];
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function inside(value: unknown, schema: Schema, schemas: Schemas, at: string): string[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return [];
    return value.flatMap((item, index) => violations(item, items, schemas, `${at}[${index}]`));
  }
  if (typeof value !== "object" || value === null) return [];
  const missing = (schema.required ?? []).filter((name) => !Object.hasOwn(value, name));
  const found = missing.map((name) => `${at}.${name}: is missing`);
  for (const [name, part] of Object.entries(value)) {
    const own = schema.properties?.[name];
    const rest = schema.additionalProperties;
    if (own !== undefined) found.push(...violations(part, own, schemas, `${at}.${name}`));
    else if (rest === false) found.push(`${at}.${name}: is not in the schema`);
    else if (typeof rest === "object") found.push(...violations(part, rest, schemas, `${at}.${name}`));
  }
  return found;
}
