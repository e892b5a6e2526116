/** Often enough to see that it moves, seldom enough to read. */
const speakEveryMillis = 3_000;

/** Passes on one line every few seconds; what comes between is old by the time it could be read. */
export function everyFewSeconds(log: (line: string) => void): (line: string) => void {
  let lastSpokenAt = Date.now();
  return (line) => {
    if (Date.now() - lastSpokenAt < speakEveryMillis) return;
    lastSpokenAt = Date.now();
    log(line);
  };
}
