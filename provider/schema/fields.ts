import { z } from "zod";

/** A TCP port. Range: 1-65535. */
export const port = z
  .int()
  .min(1, "is out of range (1-65535)")
  .max(65_535, "is out of range (1-65535)")
  .meta({ type: "port" });

/** A whole number of seconds. */
export const seconds = (range: { readonly min: number; readonly max: number }) =>
  z
    .int()
    .min(range.min, `is out of range (${rangeText(range)} seconds)`)
    .max(range.max, `is out of range (${rangeText(range)} seconds)`)
    .meta({ unit: "seconds" });

const rangeText = (range: { readonly min: number; readonly max: number }) =>
  `${String(range.min)}-${String(range.max)}`;

/** A string that is never shown. */
export const secretText = z.string().meta({ secret: true });

/** An absolute path without `..`, line breaks or NUL. */
export const absolutePath = z
  .string()
  .regex(/^\/[^\n\0]*$/, "must be an absolute path")
  .refine((path) => !path.split("/").includes(".."), "must not contain ..")
  .meta({ type: "absolute path" });

/** A host name or an IP address. */
export const hostName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[A-Za-z0-9._:%-]+$/, "must be a host name or an IP address")
  .meta({ type: "host name or IP address" });

/** A database name as MySQL allows it: 1-64 characters, any but NUL, `/`, `\` and a trailing space. */
export const databaseName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^\0/\\]*[^\0/\\ ]$/, "is not a valid database name")
  .meta({ type: "database name" });
