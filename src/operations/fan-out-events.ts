// Events become deliveries: behind each endpoint's position, page by page, until nobody is behind or the time is over.
import type { Ports } from "../context.ts";
import type { ProgramId } from "../domain/ids.ts";
import { fanOut } from "../store/deliveries.ts";

/** Events per endpoint and round trip. */
const PAGE_LIMIT = 500;

/** Longer than this goes on with another message. */
const TIME_MS = 10_000;

/** Any number of times, by anyone: the position says what was done. */
export const fanOutEvents = async (ports: Ports, programId: ProgramId): Promise<void> => {
  const until = ports.now() + TIME_MS;
  const hinted = new Set<string>();
  for (;;) {
    const { isBehind, ready } = await fanOut(ports.db, programId, ports.now(), PAGE_LIMIT);
    const fresh = ready.filter(({ endpointId }) => !hinted.has(endpointId));
    for (const { endpointId } of fresh) hinted.add(endpointId);
    await Promise.all(fresh.map((endpoint) => ports.deliveries.send({ kind: "deliver", ...endpoint })));
    if (!isBehind) return;
    if (ports.now() >= until) return ports.deliveries.send({ kind: "fan_out", programId });
  }
};
