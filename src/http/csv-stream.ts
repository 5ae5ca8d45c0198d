// A CSV of any length as an answer: pages are read as the reader takes them, so that memory does not grow with the count.
import type { Context } from "hono";
import { type Cell, writeCsv } from "../domain/files/csv.ts";
import type { AppEnv } from "./env.ts";
import { streamed } from "./streamed.ts";

export interface CsvPage<Key> {
  readonly rows: readonly (readonly Cell[])[];
  /** Where the next page starts; undefined where this is the last. */
  readonly next: Key | undefined;
}

/** Rows that are read at once: one query each, and an invocation has a thousand. */
export const CSV_PAGE = 1_000;

/** A page that cannot be read breaks the answer off, so that half a file is never taken for a whole one. */
export const csvAnswer = <Key>(
  c: Context<AppEnv>,
  name: string,
  header: readonly string[],
  read: (after: Key | undefined) => Promise<CsvPage<Key>>,
): Response => {
  const encoder = new TextEncoder();
  let after: Key | undefined;
  let isBegun = false;
  const body = streamed(c, async (controller) => {
    if (!isBegun) {
      isBegun = true;
      controller.enqueue(encoder.encode(writeCsv([header.map((text) => ({ text }))])));
      return;
    }
    const page = await read(after);
    if (page.rows.length > 0) controller.enqueue(encoder.encode(writeCsv(page.rows)));
    after = page.next;
    if (after === undefined) controller.close();
  });
  return new Response(body, {
    headers: {
      "Content-Type": "text/csv; charset=utf-8; header=present",
      "Content-Disposition": `attachment; filename="${name}.csv"`,
    },
  });
};
