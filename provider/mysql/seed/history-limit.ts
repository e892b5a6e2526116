/**
 * The history list of a source (transactions whose old rows are kept) that ends a dump when it is exceeded: 250 transactions a
 * second during the 11 hours that a TB takes at the 27 MB/s of a plain dump and load (measured).
 */
export const defaultHistoryListLimit = 10_000_000;
