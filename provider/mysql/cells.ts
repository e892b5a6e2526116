import type { Row } from "./reader";

/** A cell as text; "" where it is NULL or the row is missing. */
export const textIn = (row: Row | undefined, column: string): string => {
  const cell = row?.[column];
  return cell === undefined || cell === null ? "" : String(cell);
};

/** A cell as a number; 0 where it is NULL or the row is missing. */
export const numberIn = (row: Row | undefined, column: string): number => Number(row?.[column] ?? 0);

export const numberOrNullIn = (row: Row | undefined, column: string): number | null => {
  const cell = row?.[column];
  return cell === undefined || cell === null ? null : Number(cell);
};
