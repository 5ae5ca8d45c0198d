// Writes pain.001.001.09, the customer credit transfer initiation of ISO 20022, in the form that the SEPA guidelines ask for.
import { toInstant } from "../dates.ts";
import { type Currency, exponentOf, toDecimal } from "../money.ts";
import { toLatin } from "./latin.ts";
import {
  type BankAccount,
  isSepaPayment,
  NAME_MAX,
  needsAddresses,
  type PaymentLine,
  POSTAL_CODE_MAX,
  type PostalAddress,
  STREET_MAX,
  TEXT_MAX,
  TOWN_MAX,
} from "./payment-line.ts";
import { type Element, leaf, leafOf, parent, writeXml } from "./xml.ts";

const NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

type BankLine = PaymentLine<BankAccount>;

export interface Pain001 {
  /** Letters and digits, at most 30: block ids are made of it. */
  readonly messageId: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** YYYY-MM-DD. */
  readonly executionDate: string;
  readonly debtor: BankAccount;
  readonly lines: readonly BankLine[];
}

/** Payments of one kind and one currency: what a bank books as one order. */
interface Block {
  readonly id: string;
  readonly isSepa: boolean;
  readonly currency: Currency;
  readonly lines: readonly BankLine[];
}

/** The largest exponent on the currency list: sums of several currencies are control totals, counted in these. */
const FINEST = 3;

/** ISO's control sum adds all amounts whatever their currency; exact, with as many decimals as the amounts have. */
export const controlSum = (
  amounts: readonly { readonly amount: number; readonly currency: Currency }[],
): string => {
  const decimals = Math.max(0, ...amounts.map(({ currency }) => exponentOf(currency)));
  const sum = amounts.reduce(
    (total, { amount, currency }) => total + BigInt(amount) * 10n ** BigInt(FINEST - exponentOf(currency)),
    0n,
  );
  const digits = String(sum / 10n ** BigInt(FINEST - decimals)).padStart(decimals + 1, "0");
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
};

const blocksOf = ({ messageId, debtor, lines }: Pain001): Block[] => {
  const groups = new Map<string, BankLine[]>();
  for (const line of lines) {
    const key = `${isSepaPayment(line, debtor) ? "sepa" : "other"} ${line.currency}`;
    groups.set(key, [...(groups.get(key) ?? []), line]);
  }
  return [...groups].map(([key, grouped], i) => {
    const [kind, currency = ""] = key.split(" ");
    return { id: `${messageId}-${i + 1}`, isSepa: kind === "sepa", currency, lines: grouped };
  });
};

/** The order is the schema's. */
const addressOf = (address: PostalAddress | null): Element | undefined =>
  address === null
    ? undefined
    : parent(
        "PstlAdr",
        leafOf("StrtNm", toLatin(address.street ?? "", STREET_MAX)),
        leafOf("PstCd", toLatin(address.postalCode ?? "", POSTAL_CODE_MAX)),
        leafOf("TwnNm", toLatin(address.town, TOWN_MAX)),
        leaf("Ctry", address.country),
      );

const partyOf = (name: string, account: BankAccount, withAddress: boolean): Element =>
  parent(
    name,
    leaf("Nm", toLatin(account.name, NAME_MAX)),
    withAddress ? addressOf(account.address) : undefined,
  );

const accountOf = (name: string, iban: string): Element => parent(name, parent("Id", leaf("IBAN", iban)));

/** A SEPA bank finds the other by the IBAN; the debtor's agent must stand there, with a BIC or without. */
const debtorAgent = ({ bic }: BankAccount): Element => {
  const id = bic === null ? parent("Othr", leaf("Id", "NOTPROVIDED")) : leaf("BICFI", bic);
  return parent("DbtrAgt", parent("FinInstnId", id));
};

const creditorAgent = ({ bic }: BankAccount): Element | undefined =>
  bic === null ? undefined : parent("CdtrAgt", parent("FinInstnId", leaf("BICFI", bic)));

const remittanceOf = (text: string): Element | undefined =>
  text === "" ? undefined : parent("RmtInf", leaf("Ustrd", text));

const transferOf = (line: BankLine, debtor: BankAccount): Element =>
  parent(
    "CdtTrfTxInf",
    parent("PmtId", leaf("EndToEndId", line.endToEndId)),
    parent("Amt", leaf("InstdAmt", toDecimal(line.amount, line.currency), { Ccy: line.currency })),
    creditorAgent(line.to),
    partyOf("Cdtr", line.to, needsAddresses(line, debtor)),
    accountOf("CdtrAcct", line.to.iban),
    remittanceOf(toLatin(line.text, TEXT_MAX)),
  );

/** BtchBookg false asks the bank to book each payment by itself, so that the statement names each end-to-end id. */
const blockOf = ({ debtor, executionDate }: Pain001, block: Block): Element =>
  parent(
    "PmtInf",
    leaf("PmtInfId", block.id),
    leaf("PmtMtd", "TRF"),
    leaf("BtchBookg", "false"),
    leaf("NbOfTxs", String(block.lines.length)),
    leaf("CtrlSum", controlSum(block.lines)),
    block.isSepa ? parent("PmtTpInf", parent("SvcLvl", leaf("Cd", "SEPA"))) : undefined,
    parent("ReqdExctnDt", leaf("Dt", executionDate)),
    partyOf(
      "Dbtr",
      debtor,
      block.lines.some((line) => needsAddresses(line, debtor)),
    ),
    accountOf("DbtrAcct", debtor.iban),
    debtorAgent(debtor),
    leaf("ChrgBr", block.isSepa ? "SLEV" : "SHAR"),
    ...block.lines.map((line) => transferOf(line, debtor)),
  );

/** Lines that whyNotWritable lets pass; one block for each kind of payment and currency. */
export const writePain001 = (file: Pain001): string => {
  const root = parent(
    "CstmrCdtTrfInitn",
    parent(
      "GrpHdr",
      leaf("MsgId", file.messageId),
      leaf("CreDtTm", `${toInstant(file.createdAt).slice(0, 19)}Z`),
      leaf("NbOfTxs", String(file.lines.length)),
      leaf("CtrlSum", controlSum(file.lines)),
      parent("InitgPty", leaf("Nm", toLatin(file.debtor.name, NAME_MAX))),
    ),
    ...blocksOf(file).map((block) => blockOf(file, block)),
  );
  return writeXml({ name: "Document", attributes: { xmlns: NAMESPACE }, content: [root] });
};
