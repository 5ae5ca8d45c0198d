// One OpenAPI 3.1 document per dialect, made from its routes: also what the vendor documents and is not served here.
import { z } from "zod";
import type { Dialect, DialectRoute, Unserved } from "./dialect.ts";

type Json = Readonly<Record<string, unknown>>;

const schemaOf = (schema: z.ZodType, io: "input" | "output"): Json => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
};

const contentOf = (schema: z.ZodType, io: "input" | "output"): Json => ({
  "application/json": { schema: schemaOf(schema, io) },
});

const namesIn = (path: string): readonly string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");

const pathParameters = (path: string): readonly Json[] =>
  namesIn(path).map((name) => ({ name, in: "path", required: true, schema: { type: "string" } }));

const queryParameters = (query: z.ZodType | undefined): readonly Json[] => {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(query, "input") as {
    properties?: Readonly<Record<string, Json>>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
  }));
};

/** `PUT /v1/payouts/{id}` is `putV1PayoutsById`. */
const operationIdOf = (method: string, path: string): string =>
  [method.toLowerCase(), ...path.split(/[/:_-]/)]
    .filter((part) => part !== "")
    .map((part) => part.replace(/^\{(\w+)\}$/, "by_$1"))
    .flatMap((part) => part.split("_"))
    .map((part, i) => (i === 0 ? part : part.charAt(0).toUpperCase() + part.slice(1)))
    .join("");

const answersOf = (answers: DialectRoute["answers"]): Json =>
  Object.fromEntries(
    Object.entries(answers).map(([status, { description, schema }]) => [
      status,
      { description, ...(schema === undefined ? {} : { content: contentOf(schema, "output") }) },
    ]),
  );

const operationOf = ({ errorSchema, title }: Dialect, route: DialectRoute): Json => ({
  operationId: operationIdOf(route.method, route.path),
  summary: route.summary,
  description: `Needs the scope ${[route.scope]
    .flat()
    .map((scope) => `\`${scope}\``)
    .join(" or ")}.`,
  tags: [title],
  "x-required-scope": route.scope,
  "x-source": route.source,
  parameters: [...pathParameters(route.path), ...queryParameters(route.query)],
  ...(route.body === undefined
    ? {}
    : { requestBody: { required: false, content: contentOf(route.body, "input") } }),
  responses: {
    ...answersOf(route.answers),
    default: { description: "Any refusal", content: contentOf(errorSchema, "output") },
  },
});

const unservedOf = ({ errorSchema, title }: Dialect, { method, path, instead }: Unserved): Json => ({
  operationId: operationIdOf(method, path),
  summary: "Documented by the vendor and not served here",
  description: instead,
  tags: [title],
  parameters: pathParameters(path),
  responses: { 501: { description: "Not served", content: contentOf(errorSchema, "output") } },
});

const documents = new Map<string, Json>();

const make = (dialect: Dialect, publicUrl: string): Json => {
  const paths: Record<string, Record<string, Json>> = {};
  const put = (method: string, path: string, operation: Json): void => {
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation };
  };
  for (const unserved of dialect.unserved) put(unserved.method, unserved.path, unservedOf(dialect, unserved));
  for (const route of dialect.routes) put(route.method, route.path, operationOf(dialect, route));
  const { keyHeader } = dialect;
  const bearer = { type: "http", scheme: "bearer" };
  const named = { type: "apiKey", in: "header", name: keyHeader };
  return {
    openapi: "3.1.0",
    info: {
      title: `${dialect.title}'s calls, answered by Stipend`,
      version: "1",
      description: `The calls that ${dialect.title} documents, over the books of Stipend. A shape that ${dialect.title} does not show is marked \`x-source: chosen\`.`,
    },
    servers: [{ url: `${publicUrl}/dialects/${dialect.name}` }],
    security: [{ bearer: [] }, ...(keyHeader === undefined ? [] : [{ key: [] }])],
    paths,
    components: { securitySchemes: { bearer, ...(keyHeader === undefined ? {} : { key: named }) } },
  };
};

/** The routes do not change while the isolate lives. */
export const dialectDocument = (dialect: Dialect, publicUrl: string): Json => {
  const known = documents.get(dialect.name) ?? make(dialect, publicUrl);
  documents.set(dialect.name, known);
  return known;
};
