// How Loop says no: `{error, message}`, with our codes; 400 where its documents name a validation error.
import { z } from "zod";
import type { Dialect } from "../http/dialect.ts";

export const errorSchema = z.object({ error: z.string(), message: z.string() });

/** Loop documents 400 for what the canonical API refuses with 422; the rest keeps its status. */
const STATUS_OUT: Readonly<Record<number, number>> = { 422: 400 };

const fieldOf = (pointer: string): string => pointer.replace(/^[/?]/, "").replaceAll("/", ".");

export const refuse: Dialect["refuse"] = ({ code, status, message, errors }) => {
  const details = errors.map(({ pointer, detail }) => `${fieldOf(pointer)}: ${detail}`);
  return {
    status: STATUS_OUT[status] ?? status,
    body: { error: code, message: [message, ...details].join(" ") },
  };
};
