// The reference as data: its references, and its schemas cut down to what the checker of answers knows.
import type { Schema, Schemas } from "../support/json-schema.ts";

export interface Media {
  readonly schema?: unknown;
}

export interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly "x-required-scope"?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema?: unknown;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<string, { readonly description?: string; readonly content?: Readonly<Record<string, Media>> }>
  >;
}

export interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, unknown>>;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
}

export const operationsOf = ({ paths }: OpenApi): [string, Operation][] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );

/** Every `$ref` at any depth. */
export const refsIn = (value: unknown): string[] => {
  if (Array.isArray(value)) return value.flatMap(refsIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === "$ref" && typeof member === "string" ? [member] : refsIn(member),
  );
};

export const resolves = (document: unknown, ref: string): boolean => {
  let at: unknown = document;
  for (const step of ref.replace(/^#\//, "").split("/")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return false;
    at = Reflect.get(at, step.replaceAll("~1", "/").replaceAll("~0", "~"));
  }
  return ref.startsWith("#/");
};

interface Raw {
  readonly [word: string]: unknown;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}

type Narrow = (schema: unknown) => Schema;

const membersOf = (members: object, narrow: Narrow): Record<string, Schema> =>
  Object.fromEntries(Object.entries(members).map(([name, member]) => [name, narrow(member)]));

/** What stands for other schemas. */
const combinedOf = (raw: Raw, narrow: Narrow): Schema => {
  const options = (raw["anyOf"] ?? raw["oneOf"]) as unknown[] | undefined;
  return {
    ...(raw["$ref"] === undefined ? {} : { $ref: String(raw["$ref"]) }),
    ...(options === undefined ? {} : { anyOf: options.map(narrow) }),
    ...(raw["enum"] === undefined ? {} : { enum: raw["enum"] as unknown[] }),
    ...(raw["const"] === undefined ? {} : { enum: [raw["const"]] }),
  };
};

/** An object is closed unless it says otherwise: an answer holds what the reference names. */
const insideOf = (raw: Raw, narrow: Narrow): Schema => {
  const rest = raw["additionalProperties"];
  const isSchema = typeof rest === "object" && rest !== null && Object.keys(rest).length > 0;
  return {
    ...(raw.required === undefined ? {} : { required: raw.required }),
    ...(raw.properties === undefined ? {} : { properties: membersOf(raw.properties, narrow) }),
    ...(raw.properties !== undefined && rest === undefined ? { additionalProperties: false } : {}),
    ...(isSchema ? { additionalProperties: narrow(rest) } : {}),
    ...(raw["items"] === undefined ? {} : { items: narrow(raw["items"]) }),
  };
};

/** Cuts schemas down: one type, null apart, the parts of an allOf as one object, and no annotations. */
export const narrowFor = ({ components }: OpenApi): Narrow => {
  const named = (schema: unknown): Raw => {
    const ref = (schema as Raw)["$ref"];
    const name = String(ref).replace("#/components/schemas/", "");
    return (ref === undefined ? schema : components.schemas[name]) as Raw;
  };
  const merged = (parts: readonly unknown[]): Raw => ({
    type: "object",
    properties: Object.assign({}, ...parts.map((part) => named(part).properties)),
    required: parts.flatMap((part) => named(part).required ?? []),
  });
  const narrow: Narrow = (schema) => {
    const raw = schema as Raw;
    if (raw["allOf"] !== undefined) return narrow(merged(raw["allOf"] as unknown[]));
    const types = raw.type === undefined ? [] : [raw.type].flat();
    const [type, ...more] = types.filter((word) => word !== "null");
    if (more.length > 0) return { anyOf: types.map((word) => narrow({ ...raw, type: word })) };
    if (types.length > 0 && type === undefined) return { enum: [null] };
    return {
      ...(type === undefined ? {} : { type }),
      ...(types.includes("null") ? { nullable: true } : {}),
      ...combinedOf(raw, narrow),
      ...insideOf(raw, narrow),
    };
  };
  return narrow;
};

export const schemasOf = (document: OpenApi): Schemas =>
  membersOf(document.components.schemas, narrowFor(document));
