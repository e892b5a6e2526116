/** A live test does real work on the lab; what takes longer than this hangs. The slowest known ones say their own limit. */
const longTestSeconds = 180;

jest.setTimeout(longTestSeconds * 1000);
