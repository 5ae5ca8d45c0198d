// A program with affiliates who are paid by bank, and what tests of payout files ask for again and again.
import { exports } from "cloudflare:workers";
import { unique, type World } from "./world.ts";

const self = (exports as unknown as { default: Fetcher }).default;

export const GERMAN_IBAN = "DE89370400440532013000";
export const DUTCH_IBAN = "NL91ABNA0417164300";
export const BRITISH_IBAN = "GB29NWBK60161331926819";

export const DEBTOR = { name: "Shop GmbH", iban: "DE75512108001245126199", bic: "SOGEDEFF" };

export interface Item {
  readonly payout_id: string;
  readonly end_to_end_id: string;
  readonly amount: number;
  readonly currency: string;
  readonly state: string;
  readonly status: string;
}

export interface FileWire {
  readonly id: string;
  readonly format: string;
  readonly sha256: string;
  readonly message_id: string;
  readonly payout_count: number;
  readonly totals: readonly { readonly currency: string; readonly amount: number; readonly count: number }[];
  readonly voided_at: string | null;
  readonly void_reason: string | null;
  readonly failed: readonly {
    readonly payout_id: string;
    readonly code: string;
    readonly detail: string;
    readonly file_id?: string;
  }[];
  readonly remaining: number;
  readonly payouts: readonly Item[];
  readonly code?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

export interface SettlementWire {
  readonly settled: readonly { readonly payout_id: string; readonly external_ref: string }[];
  readonly already: readonly { readonly payout_id: string }[];
  readonly paid_late: readonly { readonly payout_id: string }[];
  readonly failed: readonly { readonly payout_id: string; readonly code: string; readonly place: string }[];
  readonly unmatched: readonly {
    readonly place: string;
    readonly end_to_end_id: string | null;
    readonly file_id: string | null;
  }[];
}

type Json = Record<string, unknown>;

export const useBank = (world: World, affiliateId: string, details: Json = {}): Promise<unknown> =>
  world.ok("PUT", `/v1/affiliates/${affiliateId}/payout-method`, {
    payout_method: "bank_transfer",
    bank_details: { account_name: "Ada Lovelace", iban: GERMAN_IBAN, swift: "COBADEFFXXX", ...details },
  });

export const bankAffiliate = async (world: World, details: Json = {}): Promise<string> => {
  const id = await world.affiliate({ external_id: unique("aff") });
  await useBank(world, id, details);
  return id;
};

/** A payout in euro that is due by bank. */
export const bankPayout = async (
  world: World,
  amount = 12_345,
  details: Json = {},
): Promise<{ readonly id: string; readonly affiliateId: string }> => {
  const affiliateId = await bankAffiliate(world, details);
  return { id: await payoutOf(world, affiliateId, amount), affiliateId };
};

export const payoutOf = async (
  world: World,
  affiliateId: string,
  amount: number,
  currency = "EUR",
): Promise<string> => {
  await world.sale(affiliateId, amount, { currency });
  const { payouts } = await world.generate({ affiliate_ids: [affiliateId] });
  const [payout] = payouts;
  if (payout === undefined) throw new Error("nothing was generated");
  return payout.id;
};

export const pain = (payoutIds: readonly string[], more: Json = {}): Json => ({
  payout_ids: payoutIds,
  format: "pain.001.001.09",
  debtor: DEBTOR,
  ...more,
});

export const makeFile = (world: World, body: Json): Promise<FileWire> =>
  world.ok<FileWire>("POST", "/v1/payout-files", body);

export const readFile = (world: World, id: string): Promise<FileWire> =>
  world.ok<FileWire>("GET", `/v1/payout-files/${id}`);

/** The raw answer: content is no JSON. */
export const download = (world: World, id: string, key = world.program.key): Promise<Response> =>
  self.fetch(`http://stipend.test/v1/payout-files/${id}/content`, {
    headers: { authorization: `Bearer ${key}` },
  });

export const itemOf = (file: FileWire, payoutId: string): Item => {
  const item = file.payouts.find(({ payout_id }) => payout_id === payoutId);
  if (item === undefined) throw new Error(`${payoutId} is not in ${file.id}`);
  return item;
};

export interface Booking {
  readonly endToEndId?: string;
  readonly amount: string;
  readonly currency?: string;
  readonly ref?: string;
  readonly direction?: "DBIT" | "CRDT";
  readonly status?: string;
  readonly reversal?: boolean;
  readonly date?: string;
}

const entryOf = (booking: Booking): string => {
  const { amount, currency = "EUR", direction = "DBIT", status = "<Cd>BOOK</Cd>" } = booking;
  const id = booking.endToEndId === undefined ? "" : `<EndToEndId>${booking.endToEndId}</EndToEndId>`;
  return `<Ntry><Amt Ccy="${currency}">${amount}</Amt><CdtDbtInd>${direction}</CdtDbtInd>${
    booking.reversal === true ? "<RvslInd>true</RvslInd>" : ""
  }<Sts>${status}</Sts><BookgDt><Dt>${booking.date ?? "2026-11-01"}</Dt></BookgDt>${
    booking.ref === undefined ? "" : `<AcctSvcrRef>${booking.ref}</AcctSvcrRef>`
  }<NtryDtls><TxDtls><Refs>${id}</Refs></TxDtls></NtryDtls></Ntry>`;
};

export const camt = (bookings: readonly Booking[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>S1</MsgId></GrpHdr>
<Stmt><Id>1</Id>${bookings.map(entryOf).join("\n")}</Stmt></BkToCstmrStmt></Document>`;

export const settleFile = (
  world: World,
  id: string,
  content: string,
  format: "camt.053" | "csv" = "camt.053",
): Promise<SettlementWire> =>
  world.ok<SettlementWire>("POST", `/v1/payout-files/${id}/settle`, { format, content });
