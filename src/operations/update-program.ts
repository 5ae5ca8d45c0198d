// Changes a program's policy, name or default currency: field by field, and never over a change that came in between.
import type { Ctx, Program } from "../context.ts";
import type { Currency } from "../domain/money.ts";
import { allowsCurrency, type Policy } from "../domain/policy.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { findProgram, replaceProgram } from "../store/programs.ts";
import { makeRunsBefore } from "./run-schedules.ts";

/** A field that is not there stays as it is. */
export type PolicyPatch = { readonly [Field in keyof Policy]?: Policy[Field] | undefined };

export interface ProgramPatch {
  readonly name?: string | undefined;
  readonly defaultCurrency?: Currency | undefined;
  readonly policy: PolicyPatch;
}

const given = <T extends object>(patch: T): Partial<T> =>
  Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as Partial<T>;

/** Top-level fields replace each other whole. */
export const mergePolicy = (before: Policy, patch: PolicyPatch): Policy =>
  ({ ...before, ...given(patch) }) as Policy;

/** What the program's currencies leave out, no other setting may name; the fault is shown where the change is. */
export const assertCurrencies = (
  program: Pick<Program, "defaultCurrency" | "policy">,
  patch: PolicyPatch,
): void => {
  const refused = (detail: string, pointer: string) =>
    new Refused(refuse("currency_not_allowed", detail, { pointer }).refusal);
  const { defaultCurrency, policy } = program;
  if (!allowsCurrency(defaultCurrency, policy)) {
    const detail = `The default currency ${defaultCurrency} must be among the program's currencies.`;
    throw refused(detail, "/currencies");
  }
  for (const field of ["minimum_payout", "daily_payout_limit"] as const) {
    const stray = Object.keys(policy[field]).find((currency) => !allowsCurrency(currency, policy));
    if (stray === undefined) continue;
    const detail = `${field} names ${stray}, which is not among the program's currencies.`;
    throw refused(detail, patch[field] === undefined ? "/currencies" : `/${field}/${stray}`);
  }
};

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
};

const isSame = (left: Program, right: Program): boolean =>
  JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));

const TRIES = 5;

export const updateProgram = async (ctx: Ctx, patch: ProgramPatch): Promise<Program> => {
  const { id } = ctx.program;
  for (let tried = 0; tried < TRIES; tried++) {
    const before = await findProgram(ctx.db, id);
    if (before === undefined) throw new Error("the key's program is gone");
    const after: Program = {
      ...before,
      name: patch.name ?? before.name,
      defaultCurrency: patch.defaultCurrency ?? before.defaultCurrency,
      policy: mergePolicy(before.policy, patch.policy),
    };
    if (isSame(before, after)) return before;
    assertCurrencies(after, patch.policy);
    await makeRunsBefore(ctx, before, after);
    const written = await replaceProgram(ctx.db, before, after, {
      programId: id,
      livemode: before.mode === "live",
      type: "program.updated",
      actor: ctx.actor,
      at: ctx.now(),
      data: { object: "program", id },
    });
    if (written) return { ...after, policyVersion: before.policyVersion + 1 };
  }
  throw Object.assign(new Error("the program's policy keeps changing"), { retryAfterS: 1 });
};
