import { checkInputs } from "../../../../provider/schema/check";
import { derive, schema, type Declaration } from "../../../../resources/staging-database/schema";

/** A valid declaration, seeded by a dump, changed by `written`. */
export function declare(written: Record<string, unknown> = {}): Declaration {
  const given = {
    host: { address: "stage-1", user: "root" },
    directory: "/srv/mysql/orders",
    source: { address: "db-1", user: "sync", password: "s3cret" },
    ...written,
  };
  const { inputs, problems } = checkInputs(schema, { ...derive(given), ...given });
  expect(problems).toEqual([]);
  return inputs as Declaration;
}
