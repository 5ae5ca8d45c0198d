// A connected account may have become ready, or not ready any more: asked again, and written to every affiliate that it belongs to.
import type { Ctx } from "../context.ts";

export const reviewReadiness = async (
  _ctx: Ctx,
  _account: string,
  _deauthorized: boolean,
  _commandPrefix: string,
): Promise<void> => {
  throw new Error("to be written");
};
