import { z } from "zod";
import { isSshPath } from "../domain/ssh-path.ts";

// What values of settings look like: as they are written, and what is made of them.

export const DAY_MS = 86_400_000;

export const ms = (least: number, most: number) =>
  z.coerce
    .number({ error: "expected a whole number of milliseconds" })
    .int({ error: "expected a whole number of milliseconds" })
    .min(least, { error: `expected at least ${least} milliseconds` })
    .max(most, { error: `expected at most ${most} milliseconds` });

export const url = (protocols: readonly string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    error: `expected a URL that starts with ${protocols.map((name) => `${name}//`).join(" or ")}`,
  });

export const list = z.string().transform((text) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean),
);

export const json = (example: string) =>
  z.string().transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: "custom", message: `expected JSON such as ${example}` });
      return z.NEVER;
    }
  });

export const argv = json('["my-agent","--quiet"]').pipe(
  z.tuple([z.string().min(1)], z.string(), { error: "expected a JSON array of strings" }),
);

/** What may stand in an HTTP header. */
export const key = z
  .string()
  .regex(/^[\x21-\x7e]+$/, { error: "expected a key without white space" });

/** A secret that callers show: long enough that guessing is hopeless. */
export const bearerToken = z.string().regex(/^[\x21-\x7e]{16,}$/, {
  error: "expected at least 16 characters without white space",
});

export const keys = list.pipe(z.array(key).min(1, { error: "expected a key" }));

export const headers = (example: string) =>
  json(example).pipe(z.record(z.string().regex(/^[A-Za-z0-9-]+$/), z.string()));

export const modelName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/, { error: "expected a model's name" });

const usd = z.number({ error: "expected a number of USD per million tokens" }).nonnegative();
export const prices = z.record(
  modelName,
  z.strictObject({
    inputUsdPerMTok: usd,
    cachedInputUsdPerMTok: usd,
    outputUsdPerMTok: usd,
    asOf: z.iso.date({ error: "expected the date of the price, as 2026-11-01" }),
  }),
);

export const port = z.coerce.number({ error: "expected a port number" }).int().min(0).max(65_535);

export const bytes = (least: number) =>
  z.coerce
    .number({ error: "expected a number of bytes" })
    .int({ error: "expected a whole number of bytes" })
    .min(least, { error: `expected at least ${least} bytes` });

export const image = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$/, { error: "expected the name of a Docker image" });

export const sshPath = z.string().refine(isSshPath, {
  error: "expected an absolute path without quotes, backslashes, ${ and control characters",
});

export const trailers = z
  .string()
  .transform((text) =>
    text
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean),
  )
  .pipe(
    z.array(
      z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,60}: \P{C}{1,400}$/u, {
        error: "expected lines of the form Key: value",
      }),
    ),
  );

/** A switch. */
export const onOff = z
  .enum(["on", "off"], { error: "expected on or off" })
  .transform((text) => text === "on");
