// The feed: events in commit order, read behind a position; and the one form in which changes outside a book are announced.
import type { Actor, EventData, EventType } from "../domain/events.ts";
import type { AffiliateId, EventId, ProgramId } from "../domain/ids.ts";
import { eventIdOf } from "../domain/ids.ts";
import { numberIn, type Row } from "./rows.ts";
import { guardOf } from "./statements.ts";

/** An event as it stands in the feed; its id is its place. */
export interface StoredEvent {
  readonly id: EventId;
  readonly position: number;
  readonly type: EventType;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly livemode: boolean;
  readonly affiliateId: AffiliateId | null;
  /** Counts per affiliate; null where the event is not about a book. */
  readonly sequence: number | null;
  readonly actor: Actor;
  readonly data: EventData;
}

/** An event about the program itself, its keys or its endpoints: no affiliate, no sequence. */
export interface Announcement {
  readonly programId: ProgramId;
  readonly livemode: boolean;
  readonly type: EventType;
  readonly actor: Actor;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly data: EventData;
}

const EVENT = `INSERT INTO events (program_id, position, type, at, livemode, affiliate_id, sequence, actor_type, actor_id, data)
  SELECT ?1, (SELECT coalesce(max(position), 0) FROM events WHERE program_id = ?1) + 1, ?2, ?3, ?4, NULL, NULL, ?5, ?6, ?7`;

/** Takes the program's next position when its batch commits. */
export const programEventStatement = (
  db: D1Database,
  programId: ProgramId,
  livemode: boolean,
  type: EventType,
  actor: Actor,
  at: number,
  data: EventData,
): D1PreparedStatement =>
  db.prepare(EVENT).bind(programId, type, at, livemode ? 1 : 0, actor.type, actor.id, JSON.stringify(data));

/** A fresh id that is taken is one's own: an earlier run of the same request wrote it. */
const OWN_ROW = /UNIQUE constraint failed: (?:\w+\.program_id, )?\w+\.id(?![\w.])/;

/**
 * One change of one row and its event, both or none; false where the change found its row no longer as it was read.
 * The guard behind the change is what makes a miss fail.
 */
export const commitAnnounced = async (
  db: D1Database,
  change: D1PreparedStatement,
  news: Announcement,
  more: readonly D1PreparedStatement[] = [],
): Promise<boolean> => {
  const { programId, livemode, type, actor, at, data } = news;
  const event = programEventStatement(db, programId, livemode, type, actor, at, data);
  try {
    await db.batch([change, guardOf(db, 1), ...more, event]);
    return true;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (OWN_ROW.test(error.message)) return true;
    if (error.message.includes("malformed JSON")) return false;
    throw error;
  }
};

export const eventOf = (programId: ProgramId, row: Row): StoredEvent => ({
  id: eventIdOf(programId, numberIn(row, "position")),
  position: numberIn(row, "position"),
  type: row["type"] as EventType,
  at: numberIn(row, "at"),
  livemode: row["livemode"] === 1,
  affiliateId: row["affiliate_id"] as AffiliateId | null,
  sequence: row["sequence"] as number | null,
  actor: { type: row["actor_type"] as Actor["type"], id: String(row["actor_id"]) },
  data: JSON.parse(String(row["data"])) as EventData,
});

/** Behind `after`, in the order of the feed. */
export const listEvents = async (
  db: D1Database,
  programId: ProgramId,
  page: { readonly after: number; readonly limit: number },
): Promise<{ events: readonly StoredEvent[]; hasMore: boolean }> => {
  const sql = "SELECT * FROM events WHERE program_id = ?1 AND position > ?2 ORDER BY position LIMIT ?3";
  const { results } = await db
    .prepare(sql)
    .bind(programId, page.after, page.limit + 1)
    .all<Row>();
  const events = results.slice(0, page.limit).map((row) => eventOf(programId, row));
  return { events, hasMore: results.length > page.limit };
};

export const findEvent = async (
  db: D1Database,
  programId: ProgramId,
  position: number,
): Promise<StoredEvent | undefined> => {
  const sql = "SELECT * FROM events WHERE program_id = ?1 AND position = ?2";
  const row = await db.prepare(sql).bind(programId, position).first<Row>();
  return row === null ? undefined : eventOf(programId, row);
};
