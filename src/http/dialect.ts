// What a vendor's dialect tells the edge: its paths, its fields, whose scope they need, and how it says no; the one file of this room that dialects see.
import type { z } from "zod";
import type { Ctx } from "../context.ts";
import type { Scope } from "../domain/api-key.ts";
import type { DialectName } from "../domain/dialects.ts";
import type { TurnInput } from "../operations/apply-turn.ts";

export type DialectMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** One request, its key known and its fields as the route's schemas gave them. */
export interface Call<Query = unknown, Body = unknown> {
  readonly ctx: Ctx;
  /** By the names in the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** For the one turn or run of a route that keeps keys by `turn`; elsewhere it names nothing. */
  readonly turn: TurnInput;
  holds(scope: Scope): boolean;
  /** 403 in the vendor's words where the key lacks it: for what only the body tells. */
  require(scope: Scope): void;
  /** After a change of the program itself or its endpoints: what warm keys remember of it no longer holds. */
  forgetKeys(): void;
}

export interface DialectAnswer {
  readonly status: number;
  /** undefined: an answer without a body. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Any no, from a refusal to a fault, as the canonical edge would tell it; a dialect chooses its own words, status and shape. */
export interface Refusing {
  readonly code: string;
  readonly status: number;
  readonly message: string;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
  readonly facts: Readonly<Record<string, string | number>>;
}

export type Keeping = "turn" | "answer";

interface RouteFacts {
  readonly method: DialectMethod;
  /** The vendor's whole path, with names in braces: `/v1/payouts/{id}`. */
  readonly path: string;
  /** What each call needs; of several any one opens it, and the handler requires what the body asks for. */
  readonly scope: Scope | readonly [Scope, ...Scope[]];
  readonly summary: string;
  /** `chosen`: no document of the vendor shows the answer, so its shape is ours. */
  readonly source: "documented" | "chosen";
  /**
   * How a write keeps an Idempotency-Key: by `turn` (the handler passes call.turn to the one turn or run that it is), else by `answer`:
   * the first answer is kept and given again, and a request that died is made again. A function where the body decides.
   */
  readonly keeps?: Keeping | ((body: never) => Keeping);
  /** false: at the root another owner has the path; only under /dialects/{vendor}. */
  readonly atRoot?: false;
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema?: z.ZodType }>>;
}

export interface DialectRoute extends RouteFacts {
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  handle(call: Call): Promise<DialectAnswer>;
}

type OutOf<Schema> = Schema extends z.ZodType ? z.output<Schema> : unknown;

/** A route whose handler sees its own schemas' values. Fields that no schema names are dropped: write z.object, not strictObject. */
export const dialectRoute = <Query extends z.ZodType | undefined, Body extends z.ZodType | undefined>(
  route: RouteFacts & {
    readonly query?: Query;
    readonly body?: Body;
    handle(call: Call<OutOf<Query>, OutOf<Body>>): Promise<DialectAnswer>;
  },
): DialectRoute => route as unknown as DialectRoute;

/** Documented by the vendor and not served here. */
export interface Unserved {
  readonly method: DialectMethod;
  readonly path: string;
  /** What a caller does instead. */
  readonly instead: string;
}

export interface Dialect {
  readonly name: DialectName;
  /** The vendor's name as people write it. */
  readonly title: string;
  /** Paths at the root that are this vendor's alone, whatever stands below them: `/v1/admin/payouts/**`. */
  readonly owns: readonly string[];
  readonly routes: readonly DialectRoute[];
  readonly unserved: readonly Unserved[];
  /** A header that carries the key instead of Authorization, on this vendor's paths only. */
  readonly keyHeader?: string;
  refuse(no: Refusing): DialectAnswer;
  readonly errorSchema: z.ZodType;
}
