import { SluiceError } from "../../errors";
import type { InstancePlace } from "./instance";

/** Sluice never makes such a link: whoever moved the data elsewhere decides what becomes of it there. */
export function requireOwnData(
  { object, layout }: Pick<InstancePlace, "object" | "layout">,
  { dataLink }: { readonly dataLink: string | null },
): void {
  if (dataLink === null) return;
  throw new SluiceError({
    code: "STORAGE_DATA_LINKED",
    object,
    what: "cannot remove the data, it is elsewhere and somebody made a link to it",
    found: `${layout.data} -> ${dataLink}`,
    needs: `a directory, or a file system that is mounted at ${layout.data}`,
    fix: `stop the server (\`systemctl stop ${layout.unitName}\`), remove ${dataLink} if the data may go, then the link ${layout.data}, and run it again`,
  });
}

/** mysqld would say that its dictionary is missing; whoever forgot to mount the data must not be told to make it anew. */
export function requireData(
  { object, layout }: Pick<InstancePlace, "object" | "layout">,
  { running, data }: { readonly running: boolean; readonly data: "absent" | "initialising" | "ready" },
): void {
  if (running || data === "ready") return;
  throw new SluiceError({
    code: "STORAGE_DATA_MISSING",
    object,
    what: "cannot start, the data that it was seeded with is not there",
    found: `nothing in ${layout.data}`,
    fix: "bring it back (is its file system mounted?), or change `reseed` to seed it again",
  });
}
