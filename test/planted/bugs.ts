// The bugs that the tests must catch: each is one exact snippet of one file in src and what stands there instead.

export interface PlantedBug {
  readonly name: string;
  /** Below src. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The promises that may break first, as the simulation's oracle names them. */
  readonly breaks: readonly string[];
}

/** Where a planted bug says that it ran: one that never ran would prove nothing. */
export const PLANTED = "PLANTED";

const ran = (name: string): string =>
  `Reflect.set(globalThis, ${JSON.stringify(PLANTED)}, ${JSON.stringify(name)})`;

export const plantedBugs: readonly PlantedBug[] = [
  {
    // A turn that the fence stops takes the next number there is, and what was decided on the old book is written all the same.
    name: "no fence",
    file: "store/book.ts",
    find: "      if (!isLostAnswer(error)) return outcomeOf(error);\n",
    replace: `      if (!isLostAnswer(error)) {
        if (!messagesOf(error).includes("fence")) return outcomeOf(error);
        const heads = new Map();
        const unfenced: DecidedTurn[] = [];
        for (const turn of turns) {
          const { affiliateId, programId } = turn.book;
          const known = "SELECT 1 FROM turns WHERE program_id = ?1 AND command_id = ?2";
          if ((await db.prepare(known).bind(programId, turn.commandId).first()) !== null) return outcomeOf(error);
          const last = "SELECT seq, event_seq AS eventSeq FROM turns WHERE affiliate_id = ?1 ORDER BY seq DESC LIMIT 1";
          const head = heads.get(affiliateId) ?? (await db.prepare(last).bind(affiliateId).first());
          const eventSeq = head.eventSeq + eventCountOf(turn.change);
          heads.set(affiliateId, { seq: head.seq + 1, eventSeq });
          unfenced.push({ ...turn, book: { ...turn.book, ...head } });
        }
        ${ran("no fence")};
        statements.splice(0, statements.length, ...turnStatements(db, unfenced), ...more);
        continue;
      }
`,
    breaks: ["I2", "I3", "I4", "I5", "I6", "I7", "I13", "status"],
  },
  {
    // The object believes its memory of the head over what it just read; only the turn's number is fresh.
    name: "stale book",
    file: "ledger/turn.ts",
    find: "  const book = loaded?.book ?? cached;\n",
    replace: `  const { book: memory } = seat;
  if (loaded !== undefined && memory !== undefined) ${ran("stale book")};
  const stale = memory && { affiliate: memory.affiliate, balances: memory.balances, eventSeq: memory.eventSeq };
  const book = loaded === undefined ? cached : { ...loaded.book, ...stale };
`,
    breaks: ["I2", "I3", "I5", "I13"],
  },
  {
    // Every send is a new request to the provider.
    name: "new key per send",
    file: "rails/stripe.ts",
    find: "idempotencyKey: attempt.key,",
    replace: `idempotencyKey: (${ran("new key per send")}, \`\${attempt.key}:\${crypto.randomUUID()}\`),`,
    breaks: ["I1"],
  },
  {
    // A timeout counts as a refusal: the money is given back although it may have moved.
    name: "release on unknown",
    file: "domain/ledger/payments.ts",
    find: '  if (outcome.kind === "refused") {\n    const payout = failPayout(draft, before, attempt, outcome);\n',
    replace: `  if (outcome.kind === "refused" || outcome.kind === "unknown") {
    if (outcome.kind === "unknown") ${ran("release on unknown")};
    const payout = failPayout(draft, before, attempt, { code: "unknown", ...outcome });
`,
    breaks: ["I1", "I7"],
  },
  {
    // What was claimed is put back as it was claimed, although refunds have made it less since.
    name: "cancel as the literal inverse of the claim",
    file: "domain/ledger/release.ts",
    find: 'move(draft, from === "reserved" ? "release" : "return", currency, from, "available", payout.amount, {\n',
    replace: `if (payout.refunded > 0) ${ran("cancel as the literal inverse of the claim")};
  move(draft, from === "reserved" ? "release" : "return", currency, from, "available", payout.gross - payout.recovered, {
`,
    breaks: ["I3", "I5"],
  },
];
