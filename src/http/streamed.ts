// A streamed answer: what goes wrong in its middle is logged as any fault is, and breaks it off without a word of its own.
import type { Context } from "hono";
import type { AppEnv } from "./env.ts";
import { faultLine } from "./fault.ts";

type Pull = (controller: ReadableStreamDefaultController<Uint8Array>) => Promise<void> | void;

/** The platform writes down whatever a stream is broken with, statements and parameters in it. */
export const streamed = (c: Context<AppEnv>, pull: Pull): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          await pull(controller);
        } catch (thrown) {
          c.get("ports").log(faultLine(c.get("requestId"), thrown));
          controller.error(new Error("the answer broke off"));
        }
      },
    },
    { highWaterMark: 0 },
  );
