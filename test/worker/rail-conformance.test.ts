// One table over every rail: whatever happens around a payment, money moves once, or not at all, and the books say so.
import { test } from "vitest";
import type { PayoutMethod } from "../../src/domain/payout.ts";
import { type Cells, expectHeld, openCell, type RailDriver, SITUATIONS } from "./conformance-cell.ts";
import { creditCells, storeCredit } from "./conformance-credit-cells.ts";
import { bankTransfer, handCells, manual } from "./conformance-hand-cells.ts";
import { providerCells } from "./conformance-provider-cells.ts";
import { paypal, stripe, wise } from "./conformance-providers.ts";

interface Row {
  readonly driver: RailDriver;
  readonly cells: Cells;
}

const RAILS: Readonly<Record<PayoutMethod, Row>> = {
  stripe: { driver: stripe, cells: providerCells(stripe) },
  paypal: { driver: paypal, cells: providerCells(paypal) },
  wise: { driver: wise, cells: providerCells(wise) },
  bank_transfer: { driver: bankTransfer, cells: handCells(bankTransfer) },
  store_credit: { driver: storeCredit, cells: creditCells },
  manual: { driver: manual, cells: handCells(manual) },
};

for (const [rail, { driver, cells }] of Object.entries(RAILS))
  for (const situation of SITUATIONS)
    test(`${rail}: ${situation}`, async () => {
      const cell = await openCell(driver);
      await cells[situation](cell);
      await expectHeld(cell);
    });
