// Turns a file of orders into what the demo does: two rounds of sales and refunds, some of the refunds after the first payment.
import type { Order } from "./orders-csv.ts";

export interface Refund {
  readonly refundId: string;
  readonly saleId: string;
  readonly customerId: string;
  /** Minor units of the order, already capped at what was left of the sale. */
  readonly amount: number;
}

export interface DemoPlan {
  readonly first: { readonly sales: Order[]; readonly refunds: Refund[] };
  /** Refunds of sales of the first round that come in once it is paid. */
  readonly afterPaying: Refund[];
  /** True when the orders hold no such refund and one was added, so that a recovery can be seen. */
  readonly madeUp: boolean;
  readonly second: { readonly sales: Order[]; readonly refunds: Refund[] };
}

interface OpenSale {
  readonly order: Order;
  left: number;
}

/** A refund belongs to the customer's latest earlier sale in its currency, capped at what is left of it. */
function matchRefunds(orders: readonly Order[], leaveOut: (reason: string) => void): Refund[] {
  const latest = new Map<string, OpenSale>();
  const refunds: Refund[] = [];
  for (const order of orders) {
    const whose = `${order.customerId} ${order.currency}`;
    if (order.kind === "sale") {
      latest.set(whose, { order, left: order.total });
      continue;
    }
    const sale = latest.get(whose);
    if (sale === undefined) leaveOut("a refund without an earlier sale");
    else if (sale.left === 0) leaveOut("a refund of a sale of which nothing is left");
    else {
      const amount = Math.min(order.total, sale.left);
      sale.left -= amount;
      refunds.push({
        refundId: order.orderId,
        saleId: sale.order.orderId,
        customerId: order.customerId,
        amount,
      });
    }
  }
  return refunds;
}

function makeUpRefund(sales: readonly Order[], refunds: readonly Refund[]): Refund[] {
  const refunded = new Set(refunds.map((refund) => refund.saleId));
  const whole = sales.filter((sale) => !refunded.has(sale.orderId));
  const largest = whole.sort((a, b) => b.total - a.total)[0];
  if (largest === undefined) return [];
  const { orderId, customerId, total } = largest;
  return [{ refundId: `refund-of-${orderId}`, saleId: orderId, customerId, amount: total }];
}

/** The first half of the sales is paid first; the last third of the refunds waits until then. */
export function planDemo(orders: readonly Order[], leaveOut: (reason: string) => void): DemoPlan {
  const sales = orders.filter((order) => order.kind === "sale");
  const firstSales = sales.slice(0, Math.ceil(sales.length / 2));
  const inFirst = new Set(firstSales.map((order) => order.orderId));
  const refunds = matchRefunds(orders, leaveOut);
  const heldBackFrom = refunds.length - Math.ceil(refunds.length / 3);
  const early = refunds.filter((refund, at) => at < heldBackFrom && inFirst.has(refund.saleId));
  const afterPaying = refunds.filter((refund, at) => at >= heldBackFrom && inFirst.has(refund.saleId));
  return {
    first: { sales: firstSales, refunds: early },
    afterPaying: afterPaying.length > 0 ? afterPaying : makeUpRefund(firstSales, refunds),
    madeUp: afterPaying.length === 0,
    second: {
      sales: sales.slice(firstSales.length),
      refunds: refunds.filter((refund) => !inFirst.has(refund.saleId)),
    },
  };
}
