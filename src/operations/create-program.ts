// Creates a program with its policy and the first key to it; the root key's doing.
import type { Ports, Program } from "../context.ts";
import type { Mode } from "../domain/api-key.ts";
import type { ProgramId } from "../domain/ids.ts";
import type { Currency } from "../domain/money.ts";
import { POLICY_DEFAULTS, type Policy } from "../domain/policy.ts";
import { keyInsert } from "../store/access.ts";
import { commitAnnounced } from "../store/events.ts";
import { programInsert } from "../store/programs.ts";
import { createdAt, createdBody } from "./apply-turn.ts";
import { keyNews, type MintedKey, mintKey, ROOT_ACTOR } from "./mint-key.ts";
import { assertCurrencies, mergePolicy, type PolicyPatch } from "./update-program.ts";

export interface NewProgram {
  readonly name: string;
  readonly defaultCurrency: Currency;
  readonly mode: Mode;
  readonly policy: PolicyPatch;
}

export const createProgram = async (
  ports: Ports,
  wish: NewProgram,
): Promise<{ program: Program; minted: MintedKey }> => {
  const id: ProgramId = `prg_${createdBody(ports)}`;
  const policy: Policy = mergePolicy(POLICY_DEFAULTS, wish.policy);
  const { name, defaultCurrency, mode } = wish;
  const program: Program = {
    id,
    name,
    mode,
    defaultCurrency,
    policy,
    policyVersion: 1,
    clockOffset: 0,
    createdAt: createdAt(ports),
  };
  assertCurrencies(program, wish.policy);
  const scopes = ["program:admin"] as const;
  const minted = await mintKey(ports, {
    programId: id,
    mode,
    name: "First key",
    scopes,
    dialect: null,
    expiresAt: null,
  });
  const of = { programId: id, mode, keyId: minted.key.id };
  const news = keyNews("api_key.created", of, ROOT_ACTOR, program.createdAt);
  const { db } = ports;
  if (!(await commitAnnounced(db, programInsert(db, program), news, [keyInsert(db, minted.key)]))) {
    throw new Error("a new program was not written");
  }
  return { program, minted };
};
