// How GoAffPro says no: `{error, code?}` as seen in use; the code is ours.
import { z } from "zod";
import type { Dialect } from "../http/dialect.ts";

export const errorSchema = z.object({ error: z.string(), code: z.string() });

const fieldOf = (pointer: string): string => pointer.replace(/^[/?]/, "").replaceAll("/", ".");

export const refuse: Dialect["refuse"] = ({ code, status, message, errors }) => {
  const details = errors.map(({ pointer, detail }) => `${fieldOf(pointer)}: ${detail}`);
  return { status, body: { error: [message, ...details].join(" "), code } };
};
