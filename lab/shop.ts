import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { LabError } from "./errors.ts";
import { cacheDirectory, ensureCached, hashRecipe } from "./image.ts";
import { run } from "./run.ts";

const recipeDirectory = path.join(import.meta.dirname, "shop");

/** Measured: data and indexes of 240,000 orders with all that belongs to them were 204 MB. */
const megabytesPerThousandOrders = 0.85;

export function requireDataMegabytes(megabytes: number): number {
  if (Number.isInteger(megabytes) && megabytes >= 1 && megabytes <= 20_000) return megabytes;
  throw new LabError(`${megabytes} is not a size for the shop's data`, { needs: "whole megabytes, 1 to 20000" });
}

export function ordersForMegabytes(megabytes: number): number {
  return Math.max(100, Math.round((megabytes / megabytesPerThousandOrders) * 1_000));
}

export interface ShopNames {
  readonly shop: string;
  readonly analytics: string;
}

/** Every source of a lab is another shop with databases of its own, as servers that feed one replica have to be. */
export function shopNames(sourceNumber: number): ShopNames {
  if (sourceNumber === 1) return { shop: "shop", analytics: "analytics" };
  const outlet = sourceNumber === 2 ? "outlet" : `outlet${sourceNumber}`;
  return { shop: outlet, analytics: `${outlet}_analytics` };
}

export interface ShopOptions {
  readonly image: string;
  readonly megabytes: number;
  readonly sourceNumber: number;
  readonly log: (line: string) => void;
}

/** A cached data directory with the shop in it, for hosts to copy. */
export async function ensureShopData({ image, megabytes, sourceNumber, log }: ShopOptions): Promise<string> {
  const { shop, analytics } = shopNames(sourceNumber);
  const names = (await readdir(recipeDirectory)).sort();
  const files = await Promise.all(
    names.map(async (name) => ({ name, content: await readFile(path.join(recipeDirectory, name), "utf8") })),
  );
  const orders = String(ordersForMegabytes(megabytes));
  const made = { name: "orders", content: orders };
  const hash = hashRecipe([{ name: "image", content: path.basename(image) }, made, ...files]);
  const target = path.join(cacheDirectory(), `lab-shop-${shop}-${megabytes}mb-${hash}`);
  await ensureCached(target, "making the shop's data", log, async (partial) => {
    log(`${shop} data: making about ${megabytes} MB (once for this size)`);
    const startedAt = Date.now();
    const script = [path.join(recipeDirectory, "build.sh"), image, partial, orders, shop];
    await run(
      "unshare",
      ["--mount", "--pid", "--fork", "--kill-child", "sh", ...script, analytics, String(sourceNumber)],
      {
        endsWithUs: true,
        env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8" },
        onLine: (line) => {
          if (line.startsWith("progress: ")) log(`${shop} data: ${line.slice("progress: ".length)}`);
        },
      },
    );
    // Its mounts ended with the namespace of the script.
    await rm(path.join(partial, ".work"), { recursive: true, force: true });
    log(`${shop} data: ready after ${Math.round((Date.now() - startedAt) / 1_000)} s`);
  });
  return path.join(target, "mysql");
}
