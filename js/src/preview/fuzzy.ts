/** How well a name matches the typed text; higher is better, `null` means not at all. */
export function matchScore(name: string, typed: string): number | null {
  const text = name.toLocaleLowerCase();
  const wanted = typed.toLocaleLowerCase().replace(/\s+/g, '');
  if (!wanted) return 0;
  const whole = text.indexOf(wanted);
  // Among names that have it in one piece, those that begin with it come first, then the shortest.
  if (whole >= 0) return 2000 - (isStart(name, whole) ? 0 : 500) - (whole === 0 ? 0 : 100) - Math.min(text.length, 99);
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return null;
    // Letters in a row, and letters that begin a word, count more than others.
    score += next === at + 1 ? 3 : isStart(name, next) ? 2 : 0;
    at = next + letter.length - 1;
  }
  return score - Math.min(text.length, 99) / 100;
}

/** Whether a word begins there: `delay` in `dep_delay` and in `depDelay`. */
function isStart(name: string, at: number): boolean {
  const before = name.charAt(at - 1);
  return at === 0 || !/[\p{L}\p{N}]/u.test(before) || (/\p{Ll}/u.test(before) && /\p{Lu}/u.test(name.charAt(at)));
}
