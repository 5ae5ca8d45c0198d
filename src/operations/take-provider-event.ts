// Takes a provider's message: verified with the program's own secrets, its subjects asked for again, each effect once per event.
import type { Ctx, InboundProvider } from "../context.ts";
import type { ProgramId } from "../domain/ids.ts";
import type { ProviderEvent, ProviderSubject } from "../rails/rail.ts";
import { findAttempts } from "../store/attempts.ts";
import { findProgram } from "../store/programs.ts";
import { announceEvents } from "./announce-events.ts";
import { type ActingPorts, clocksOf } from "./ctx-for.ts";
import { reviewAttempt } from "./review-attempt.ts";
import { reviewReadiness } from "./review-readiness.ts";

export interface ProviderMessage {
  readonly headers: Headers;
  readonly rawBody: string;
}

const reviewSubject = async (
  ctx: Ctx,
  provider: InboundProvider,
  subject: ProviderSubject,
  prefix: string,
  ref: string | undefined,
  reviewed: Set<string>,
): Promise<void> => {
  if (subject.kind === "account" || subject.kind === "deauthorized") {
    await reviewReadiness(ctx, subject.account, subject.kind === "deauthorized", prefix);
    return;
  }
  for (const attempt of await findAttempts(ctx.db, ctx.program.id, provider, subject)) {
    if (reviewed.has(attempt.id)) continue;
    reviewed.add(attempt.id);
    await reviewAttempt(ctx, attempt, `${prefix}:${attempt.id}`, ref);
  }
};

/** The provider's own id that a message names: it finds also what a list does not show yet. */
const refIn = ({ subjects }: ProviderEvent): string | undefined =>
  subjects.find((subject) => subject.kind === "provider_ref")?.ref;

/** undefined where the program is unknown or the message is not the provider's own: nobody learns which. */
export const takeProviderEvent = async (
  ports: ActingPorts,
  provider: InboundProvider,
  programId: ProgramId,
  message: ProviderMessage,
): Promise<{ readonly id: string } | undefined> => {
  const program = await findProgram(ports.db, programId);
  if (program === undefined) return undefined;
  const event = await ports.inbound[provider].read(program, message);
  if (event === undefined) {
    ports.log({ event: "message_not_genuine", provider, program_id: programId });
    return undefined;
  }
  const actor = { type: "provider", id: provider } as const;
  const ctx: Ctx = {
    ...ports,
    ...clocksOf(ports, program),
    program,
    actor,
    requestId: `provider:${event.id}`,
  };
  const reviewed = new Set<string>();
  for (const subject of event.subjects)
    await reviewSubject(ctx, provider, subject, `s:in:${provider}:${event.id}`, refIn(event), reviewed);
  announceEvents(ports, program);
  return { id: event.id };
};
