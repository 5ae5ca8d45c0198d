// One line of text from a vendor's client: nothing invisible, nothing around it; empty counts as not given.
import { z } from "zod";

const INVISIBLE = /\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}/u;

export const optionalLine = (max: number) =>
  z
    .string()
    .max(max)
    .refine((text) => !INVISIBLE.test(text), "must not hold control or zero-width characters")
    .transform((text) => (text.trim() === "" ? undefined : text.trim()))
    .nullish()
    .transform((text) => text ?? undefined);
