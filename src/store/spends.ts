// What an order spent of an affiliate's store credit, and how much of it came back.
import type { AffiliateId, ProgramId } from "../domain/ids.ts";
import type { Spend } from "../domain/ledger/book.ts";
import type { SpendRef } from "../domain/ledger/command.ts";
import { spendCounter } from "../domain/ledger/store-credit.ts";
import { numberIn, type Row } from "./rows.ts";

export const spendStatement = (
  db: D1Database,
  programId: ProgramId,
  affiliateId: AffiliateId,
  { currency, externalId }: SpendRef,
): D1PreparedStatement =>
  db
    .prepare("SELECT n, cap FROM counters WHERE program_id = ?1 AND name = ?2")
    .bind(programId, spendCounter(affiliateId, currency, externalId));

export const spendOf = (row: Row | undefined): Spend | undefined =>
  row === undefined ? undefined : { amount: numberIn(row, "cap"), refunded: numberIn(row, "n") };
