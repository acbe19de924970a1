import { z } from "zod";

/** JSON text that PostgreSQL can store: NUL is valid JSON, but no text in jsonb. */
export const storableText = z
  .string()
  .refine((text) => !text.includes("\u0000"), { error: "expected text without NUL characters" })
  .refine((text) => text.isWellFormed(), { error: "expected text without lone surrogates" });
