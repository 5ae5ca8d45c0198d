// Lists page by page: the cursor names the last row's key and is bound to the route, the program and the filters.
import type { Context } from "hono";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { type AppEnv, accessOf } from "./env.ts";

interface ListQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly order?: "asc" | "desc" | undefined;
}

export interface PageRequest {
  readonly limit: number;
  readonly order: "asc" | "desc";
  /** The key of the last row that the caller has. */
  readonly after: string | undefined;
}

const placeOf = (c: Context<AppEnv>, query: ListQuery) => {
  const { limit: _limit, cursor: _cursor, ...filters } = query;
  return { route: c.req.path, programId: accessOf(c).program.id, filters };
};

/** Newest first unless asked otherwise. */
export const pageOfQuery = async (c: Context<AppEnv>, query: ListQuery): Promise<PageRequest> => {
  const keys =
    query.cursor === undefined
      ? []
      : await decodeCursor(c.get("ports").config.cursorKey, placeOf(c, query), query.cursor);
  return {
    limit: query.limit,
    order: query.order ?? "desc",
    after: keys[0] === undefined ? undefined : String(keys[0]),
  };
};

export const pageAnswer = async <Item>(
  c: Context<AppEnv>,
  query: ListQuery,
  data: Item[],
  hasMore: boolean,
  lastKey: string | undefined,
) => ({
  data,
  has_more: hasMore,
  next_cursor:
    hasMore && lastKey !== undefined
      ? await encodeCursor(c.get("ports").config.cursorKey, placeOf(c, query), [lastKey])
      : null,
});
