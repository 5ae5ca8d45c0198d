// Reads orders from a CSV file with the columns order_id, kind, ordered_at, customer_id, country, currency and total_minor, in any order.

export interface Order {
  readonly orderId: string;
  readonly kind: "sale" | "refund";
  readonly orderedAt: string;
  readonly customerId: string;
  readonly currency: string;
  /** Minor units, positive for refunds too. */
  readonly total: number;
}

export interface OrdersRead {
  readonly orders: Order[];
  /** How many rows were left out, by the reason. */
  readonly leftOut: Map<string, number>;
  readonly rows: number;
}

const columns = [
  "order_id",
  "kind",
  "ordered_at",
  "customer_id",
  "country",
  "currency",
  "total_minor",
] as const;

/** RFC 4180: quoted fields may hold commas, line breaks and doubled quotes. */
export function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let fields: string[] = [];
  let field = "";
  let quoted = false;
  const endRecord = () => {
    fields.push(field);
    if (fields.length > 1 || fields[0] !== "") records.push(fields);
    fields = [];
    field = "";
  };
  for (let at = text.charCodeAt(0) === 0xfeff ? 1 : 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (quoted) {
      if (char !== '"') field += char;
      else if (text[at + 1] === '"') field += text.charAt(++at);
      else quoted = false;
    } else if (char === '"' && field === "") quoted = true;
    else if (char === ",") {
      fields.push(field);
      field = "";
    } else if (char === "\n") endRecord();
    else if (char !== "\r") field += char;
  }
  if (quoted) throw new Error("the file ends inside a quoted field");
  if (field !== "" || fields.length > 0) endRecord();
  return records;
}

type Row = Record<(typeof columns)[number], string>;

/** Why a row cannot be attributed or recorded, or the order. */
function orderOf(row: Row): Order | string {
  const total = Number(row.total_minor);
  const at = Date.parse(row.ordered_at);
  if (row.kind !== "sale" && row.kind !== "refund") return "kind is neither sale nor refund";
  if (row.order_id === "" || !/^[A-Z]{3}$/.test(row.currency) || Number.isNaN(at)) return "unreadable";
  if (row.total_minor === "" || !Number.isSafeInteger(total)) return "unreadable";
  if (row.customer_id === "") return "no customer";
  if (total === 0) return "total is 0";
  if (row.kind === "sale" && total < 0) return "a sale with a negative total";
  return {
    orderId: row.order_id,
    kind: row.kind,
    orderedAt: new Date(at).toISOString(),
    customerId: row.customer_id,
    currency: row.currency,
    total: Math.abs(total),
  };
}

/** Orders in the order of their time; of equal times, in the file's order. */
export function readOrders(text: string): OrdersRead {
  const [head, ...records] = parseCsv(text);
  const places = columns.map((column) => head?.indexOf(column) ?? -1);
  const missing = columns.filter((_, at) => places[at] === -1);
  if (missing.length > 0) throw new Error(`the file has no column ${missing.join(", ")}`);
  const orders: Order[] = [];
  const leftOut = new Map<string, number>();
  for (const record of records) {
    const row = Object.fromEntries(
      columns.map((column, at) => [column, (record[places[at] ?? -1] ?? "").trim()]),
    ) as Row;
    const order = orderOf(row);
    if (typeof order === "string") leftOut.set(order, (leftOut.get(order) ?? 0) + 1);
    else orders.push(order);
  }
  orders.sort((a, b) => (a.orderedAt < b.orderedAt ? -1 : a.orderedAt > b.orderedAt ? 1 : 0));
  return { orders, leftOut, rows: records.length };
}
