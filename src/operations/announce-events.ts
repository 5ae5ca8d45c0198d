// Says that a program may have new events for its endpoints; a hint, so it may be lost and costs nothing where no endpoint is.
import type { Ports, Program } from "../context.ts";

/** After a commit. The look at the endpoints may be half a minute old: the sweep finds what is overlooked. */
export const announceEvents = (
  ports: Pick<Ports, "deliveries" | "defer" | "log">,
  program: Pick<Program, "id" | "hasEndpoints">,
): void => {
  if (program.hasEndpoints !== true) return;
  const sent = ports.deliveries.send({ kind: "fan_out", programId: program.id });
  ports.defer(sent.catch(() => ports.log({ event: "hint_lost", kind: "fan_out" })));
};
