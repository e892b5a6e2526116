/** `%` begins a specifier in every value of a unit. */
export const escapeSpecifiers = (text: string): string => text.replaceAll("%", "%%");

/** A path or a setting as one word of a unit: systemd.syntax(7). */
export function quotePath(text: string): string {
  const escaped = escapeSpecifiers(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return /[\s"'\\;]/.test(text) ? `"${escaped}"` : escaped;
}

/**
 * A word of a command line. There `${NAME}` is a variable in any place, `$NAME` only as a whole word, and `$$` is a dollar sign:
 * systemd.service(5). Another `$` means itself.
 */
export const quoteCommandWord = (word: string): string => quotePath(word.replaceAll(/^\$|\$(?=[{$])/g, "$$$$"));
