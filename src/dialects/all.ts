// The vendors whose documented calls are answered here.
import type { Dialect } from "../http/dialect.ts";
import { affihub } from "./affihub.ts";
import { affonso } from "./affonso.ts";
import { goaffpro } from "./goaffpro.ts";
import { loop } from "./loop.ts";
import { partnero } from "./partnero.ts";

export const ALL_DIALECTS: readonly Dialect[] = [affihub, affonso, loop, goaffpro, partnero];
