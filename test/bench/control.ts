// What the bench and its Worker say to each other beside the public API.

/** Since the last reset, in the whole isolate: the edge, the queue's consumer and every object. */
export interface Counts {
  /** Calls that reach D1: each batch() and each single run, all, first or raw is one. */
  readonly trips: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** The first trips, each with the heads of its statements, to say which one was too many. */
  readonly trace: readonly string[];
}

/** One call of a handler, as the Worker's own clock saw it. */
export interface Span {
  readonly name: "generate" | "queue";
  readonly ms: number;
}

export interface Seed {
  readonly programId: string;
  /** Number of the first affiliate; numbers are unique over all programs. */
  readonly from: number;
  readonly affiliates: number;
  /** Approved and payable ones, per affiliate. */
  readonly commissions: number;
}

export interface BareGenerate {
  readonly programId: string;
  readonly from: number;
  readonly affiliates: number;
}

/** Time in D1 alone and rows written, over all its batches. */
export interface BareOutcome {
  readonly ms: number;
  readonly trips: number;
  readonly rowsWritten: number;
}

/** The seq-th turn of an affiliate as one batch of plain inserts. */
export interface BareRecord {
  readonly programId: string;
  readonly affiliateId: string;
  readonly seq: number;
  readonly orderId: string;
}

const digits = (n: number): string => String(n).padStart(26, "0");

/** The ids that seeding gives: digits alone are valid in an id. */
export const affiliateIdOf = (n: number): string => `aff_${digits(n)}`;
export const payoutIdOf = (n: number): string => `po_${digits(n)}`;

/** Affiliates in one set-based batch, as in one page of a run. */
export const PAGE = 1000;
