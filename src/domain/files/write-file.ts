// One file of any format out of its lines.
import type { FileFormat } from "./format.ts";
import { writePain001 } from "./pain-001.ts";
import { writeBankCsv, writePayPalCsv, writeWiseCsv } from "./payment-csv.ts";
import { type BankAccount, type EmailAccount, isBankAccount, type PaymentLine } from "./payment-line.ts";

export interface FileHead {
  readonly format: FileFormat;
  readonly messageId: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** YYYY-MM-DD. */
  readonly executionDate: string;
  /** For pain.001 only. */
  readonly debtor: BankAccount | undefined;
}

const bankLines = (lines: readonly PaymentLine[]): PaymentLine<BankAccount>[] =>
  lines.map((line) => {
    if (!isBankAccount(line.to)) throw new Error(`${line.payoutId} has no bank account`);
    return { ...line, to: line.to };
  });

const emailLines = (lines: readonly PaymentLine[]): PaymentLine<EmailAccount>[] =>
  lines.map((line) => {
    if (isBankAccount(line.to)) throw new Error(`${line.payoutId} has no e-mail account`);
    return { ...line, to: line.to };
  });

/** The same head and lines give the same text. */
export const writeFile = (head: FileHead, lines: readonly PaymentLine[]): string => {
  switch (head.format) {
    case "pain.001.001.09": {
      const { debtor } = head;
      if (debtor === undefined) throw new Error("a pain.001 without a debtor");
      return writePain001({ ...head, debtor, lines: bankLines(lines) });
    }
    case "bank_csv":
      return writeBankCsv(bankLines(lines), head.executionDate);
    case "paypal_csv":
      return writePayPalCsv(emailLines(lines));
    case "wise_csv":
      return writeWiseCsv(emailLines(lines));
  }
};
