/** Words for a POSIX shell. */

/** Quote a word where it needs it, so that the shell takes it as it is. */
export function quote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command over several lines: the first words, then one option a line. */
export function command(first: string, options: readonly (readonly string[])[]): string {
  const lines = options.map((words) => words.map(quote).join(" "));
  return [first, ...lines].join(" \\\n  ");
}
