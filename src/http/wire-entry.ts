// An entry of the journal as the wire shows it, and the key by which a list of entries goes on.
import { z } from "@hono/zod-openapi";
import { toInstant } from "../domain/dates.ts";
import { ACCOUNTS, ENTRY_KINDS } from "../domain/ledger/book.ts";
import type { EntryPlace, PlacedEntry } from "../store/entries.ts";
import { instantText } from "./wire.ts";

export const entrySchema = z
  .object({
    affiliate_id: z.string(),
    seq: z
      .number()
      .int()
      .openapi({ description: "The turn's number in the affiliate's book, from 1 without gaps." }),
    line: z.number().int().openapi({ description: "The entry's place in its turn, from 0." }),
    at: instantText,
    kind: z.enum(ENTRY_KINDS).openapi({ description: "More may be added." }),
    currency: z.string(),
    from: z.enum(ACCOUNTS),
    to: z.enum(ACCOUNTS),
    amount: z.number().int().openapi({ description: "Minor units of `currency`, above zero." }),
    commission_id: z.string().nullable(),
    payout_id: z.string().nullable(),
    note: z.string().nullable(),
  })
  .openapi("Entry");

export const entryToWire = (entry: PlacedEntry): z.infer<typeof entrySchema> => ({
  affiliate_id: entry.affiliateId,
  seq: entry.seq,
  line: entry.line,
  at: toInstant(entry.at),
  kind: entry.kind,
  currency: entry.currency,
  from: entry.from,
  to: entry.to,
  amount: entry.amount,
  commission_id: entry.commissionId,
  payout_id: entry.payoutId,
  note: entry.note,
});

export const placeText = ({ affiliateId, seq, line }: EntryPlace): string => `${affiliateId}:${seq}:${line}`;

/** Out of a signed cursor, so it is as placeText wrote it. */
export const placeOf = (text: string | undefined): EntryPlace | undefined => {
  if (text === undefined) return undefined;
  const [affiliateId = "", seq, line] = text.split(":");
  return { affiliateId, seq: Number(seq), line: Number(line) };
};
