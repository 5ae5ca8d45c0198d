// After a change of the master key: seals again, a page at a time, what is still sealed under an older one, and says when nothing is left.
import type { Ctx } from "../context.ts";
import type { AffiliateId, ProgramId } from "../domain/ids.ts";
import { destinationPlace, findAffiliate } from "../store/affiliates.ts";
import {
  countAttemptsElsewhere,
  FIRST_ROW,
  lastLookAtSeals,
  listDestinationsElsewhere,
  listSealedElsewhere,
  noteLookAtSeals,
  readSealedElsewhere,
  replaceSealed,
  SEALED_COLUMNS,
  type SealedRow,
  sealedPlace,
} from "../store/sealed.ts";
import { applyTurn } from "./apply-turn.ts";
import { type ActingPorts, ctxFor } from "./ctx-for.ts";

/** Values sealed again at once. */
const PAGE_LIMIT = 100;

/** Values that do not open keep nobody behind them from their turn, up to so many. */
const LOOKED_MAX = 500;

/** Once nothing is left it is looked again this much later: a Worker that is being replaced may have sealed with the older key until then. */
const LOOK_AGAIN_MS = 3_600_000;

interface Kind {
  readonly table: string;
  list(after: SealedRow, limit: number): Promise<SealedRow[]>;
  reseal(row: SealedRow): Promise<void>;
}

interface Tally {
  resealed: number;
  failed: number;
}

const columnsOf = (ports: ActingPorts, keyId: string): Kind[] =>
  SEALED_COLUMNS.map((column) => ({
    table: column.table,
    list: (after, limit) => listSealedElsewhere(ports.db, column, keyId, after, limit),
    async reseal(row) {
      const before = await readSealedElsewhere(ports.db, column, keyId, row);
      if (before === undefined) return;
      const place = sealedPlace(row.owner, column.table, row.rowKey, column.column);
      const after = await ports.vault.seal(await ports.vault.open(before, place), place);
      await replaceSealed(ports.db, column, row, before, after);
    },
  }));

const resealDestination = async (ctx: Ctx, affiliateId: AffiliateId): Promise<void> => {
  const { vault, program } = ctx;
  const sealed = (await findAffiliate(ctx.db, program.id, { id: affiliateId }))?.destination?.sealed;
  if (sealed == null) return;
  const place = destinationPlace(program.id, affiliateId);
  const resealed = await vault.seal(await vault.open(sealed, place), place);
  // Named after what it replaces: the key may change back, and then forth again.
  const turn = { commandId: `s:reseal:${affiliateId}:${sealed.split(".")[2]}`, requestSha: "" };
  await applyTurn(ctx, affiliateId, { kind: "reseal_destination", sealed, resealed }, turn, "affiliate");
};

const destinationsOf = (ports: ActingPorts, keyId: string): Kind => {
  const contexts = new Map<string, Promise<Ctx>>();
  const ctxOf = (owner: string): Promise<Ctx> => {
    const known = contexts.get(owner);
    if (known !== undefined) return known;
    const made = ctxFor(ports, owner as ProgramId, { type: "schedule", id: "reseal" });
    contexts.set(owner, made);
    return made;
  };
  return {
    table: "affiliates",
    list: (after, limit) => listDestinationsElsewhere(ports.db, keyId, after, limit),
    async reseal(row) {
      await resealDestination(await ctxOf(row.owner), row.rowKey as AffiliateId);
    },
  };
};

const resealOne = async (ports: ActingPorts, kind: Kind, row: SealedRow, tally: Tally): Promise<void> => {
  try {
    await kind.reseal(row);
    tally.resealed++;
  } catch (fault) {
    tally.failed++;
    const name = fault instanceof Error ? fault.name : "unknown";
    ports.log({ event: "reseal_failed", table: kind.table, program_id: row.owner, name });
  }
};

const resealKind = async (ports: ActingPorts, kind: Kind, tally: Tally): Promise<void> => {
  let after = FIRST_ROW;
  for (let looked = 0; looked < LOOKED_MAX; ) {
    const room = PAGE_LIMIT - tally.resealed;
    const rows = room > 0 ? await kind.list(after, room) : [];
    for (const row of rows) await resealOne(ports, kind, row, tally);
    looked += rows.length;
    after = rows.at(-1) ?? after;
    if (rows.length < room || room <= 0) return;
  }
};

/** Nothing was left to do: whether the older keys may go now depends on what could not be done. */
const conclude = async (ports: ActingPorts, keyId: string, failed: number): Promise<void> => {
  const openAttempts = await countAttemptsElsewhere(ports.db, keyId);
  const isDone = failed === 0 && openAttempts === 0;
  const older = ports.vault.keyIds.slice(1).join(",");
  ports.log({
    event: isDone ? "older_master_keys_unused" : "older_master_keys_needed",
    current: keyId,
    older,
    failed,
    open_attempts: openAttempts,
  });
  await noteLookAtSeals(ports.db, keyId, ports.now());
};

/** How many values were sealed again. With one master key there is nothing to do, and nothing is asked. */
export const resealSecrets = async (ports: ActingPorts): Promise<number> => {
  const [keyId, ...older] = ports.vault.keyIds;
  if (keyId === undefined || older.length === 0) return 0;
  if (ports.now() - (await lastLookAtSeals(ports.db, keyId)) < LOOK_AGAIN_MS) return 0;
  const tally: Tally = { resealed: 0, failed: 0 };
  for (const kind of [...columnsOf(ports, keyId), destinationsOf(ports, keyId)])
    await resealKind(ports, kind, tally);
  if (tally.resealed === 0) await conclude(ports, keyId, tally.failed);
  return tally.resealed;
};
