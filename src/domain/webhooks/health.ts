// How long an endpoint has done nothing but fail, and when that is too long.

const HOUR_MS = 3_600_000;

/** Nothing but failures for so long switches an endpoint off. */
export const DISABLE_AFTER_MS = 5 * 24 * HOUR_MS;

/** Two failures further apart than this have nothing to do with each other: no retry waits for so long. */
export const UNRELATED_AFTER_MS = 48 * HOUR_MS;

/** Instants are epoch milliseconds. */
export interface Health {
  readonly failingSince: number | null;
  readonly lastFailedAt: number | null;
}

export const healthAfter = (
  before: Health,
  seen: { readonly delivered: number; readonly failed: number },
  now: number,
): Health => {
  if (seen.delivered > 0) return { failingSince: null, lastFailedAt: null };
  if (seen.failed === 0) return before;
  const { failingSince, lastFailedAt } = before;
  const goesOn = lastFailedAt !== null && now - lastFailedAt <= UNRELATED_AFTER_MS;
  return { failingSince: goesOn ? (failingSince ?? now) : now, lastFailedAt: now };
};

export const isOver = ({ failingSince }: Health, now: number): boolean =>
  failingSince !== null && now - failingSince >= DISABLE_AFTER_MS;
