// Pages by number, as vendors count them: what is out of range becomes the vendor's maximum, what is no number its default.
import { z } from "zod";

const WHOLE = /^-?\d{1,15}$/;

/** From 1; anything else is the first page. */
export const pageNumber = z
  .string()
  .optional()
  .transform((text = "1") => (WHOLE.test(text) ? Math.max(Number(text), 1) : 1))
  .meta({ type: "integer", minimum: 1, description: "1 unless given." });

export const pageSize = (usual: number, most: number) =>
  z
    .string()
    .optional()
    .transform((text) => {
      if (text === undefined || !WHOLE.test(text)) return usual;
      const asked = Number(text);
      return asked >= 1 && asked <= most ? asked : most;
    })
    .meta({ type: "integer", minimum: 1, maximum: most, description: `${usual} unless given.` });
