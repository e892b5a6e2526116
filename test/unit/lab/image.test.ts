import { readFile } from "node:fs/promises";
import path from "node:path";
import { cacheDirectory, hashRecipe, parsePackages, readRecipeHash } from "../../../lab/image.ts";
import { ordersForMegabytes, requireDataMegabytes, shopNames } from "../../../lab/shop.ts";

describe("the recipe's identity", () => {
  const recipe = [
    { name: "packages.txt", content: "systemd\n" },
    { name: "build.sh", content: "debootstrap" },
  ];

  test("the same recipe has the same identity", () => {
    expect(hashRecipe(recipe)).toBe(hashRecipe(structuredClone(recipe)));
    expect(hashRecipe(recipe)).toMatch(/^[0-9a-f]{12}$/);
  });

  test.each([
    ["a changed byte", [{ name: "packages.txt", content: "systemd \n" }, recipe[1]]],
    ["a renamed file", [{ name: "packages", content: "systemd\n" }, recipe[1]]],
    ["a file more", [...recipe, { name: "extra.sh", content: "" }]],
    [
      "a line that moved to the next file",
      [
        { name: "packages.txt", content: "" },
        { name: "build.sh", content: "systemd\ndebootstrap" },
      ],
    ],
  ])("%s makes another image", (_, changed) => {
    expect(hashRecipe(changed.filter((file) => file !== undefined))).not.toBe(hashRecipe(recipe));
  });

  test("the recipe in the checkout can be read", async () => {
    expect(await readRecipeHash()).toMatch(/^[0-9a-f]{12}$/);
  });
});

test("comments and blank lines in the list of packages are not packages", async () => {
  expect(parsePackages("# tools\n\nsystemd  # init\n sudo\n")).toEqual(["systemd", "sudo"]);
  const own = parsePackages(await readFile(path.join(__dirname, "../../../lab/image/packages.txt"), "utf8"));
  expect(own).toContain("mysql-server-core");
  expect(own.filter((name) => !/^[a-z0-9][a-z0-9+.-]+$/.test(name))).toEqual([]);
});

test("the cache is where XDG_CACHE_HOME says, or below the home directory", () => {
  expect(cacheDirectory({ XDG_CACHE_HOME: "/var/cache/me" })).toBe("/var/cache/me/sluice");
  expect(cacheDirectory({})).toMatch(/\/\.cache\/sluice$/);
  expect(cacheDirectory({ XDG_CACHE_HOME: "relative" })).toMatch(/\/\.cache\/sluice$/);
});

describe("the shop's size", () => {
  test("more megabytes are more orders, and there are always some", () => {
    expect(ordersForMegabytes(300)).toBeGreaterThan(ordersForMegabytes(20));
    expect(ordersForMegabytes(1)).toBeGreaterThanOrEqual(100);
  });

  test.each([0, -1, 1.5, Number.NaN, 20_001])("%p MB is refused", (megabytes) => {
    expect(() => requireDataMegabytes(megabytes)).toThrow(/is not a size/);
  });
});

test("no two sources of a lab have a database of the same name, so that one replica can follow them all", () => {
  const names = [1, 2, 3, 9].flatMap((number) => Object.values(shopNames(number)));
  expect(names.slice(0, 4)).toEqual(["shop", "analytics", "outlet", "outlet_analytics"]);
  expect(new Set(names).size).toBe(names.length);
});
