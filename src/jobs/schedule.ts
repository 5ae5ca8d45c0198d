// A cron tick becomes one operation.
import type { ActingPorts } from "../operations/ctx-for.ts";
import { sweep } from "../operations/sweep.ts";

export const tick = (ports: ActingPorts): Promise<void> => sweep(ports);
