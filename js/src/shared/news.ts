import type { Format } from './format';
import { ITable } from './table';

/** The changes between two lists, as sentences for those who cannot see them. */
export function news(before: readonly ITable[], after: readonly ITable[], format: Format): string[] {
  const { trans } = format;
  const old = new Map(before.map(table => [table.name, table]));
  const found: string[] = [];
  for (const table of after) {
    const was = old.get(table.name);
    old.delete(table.name);
    if (!was) {
      found.push(table.origin ? trans.__('%1 was loaded', table.name) : trans.__('%1 was shared', table.name));
    } else if (was.version !== table.version) {
      found.push(trans.__('%1 has a new version', table.name));
    } else if (format.users(was) !== format.users(table)) {
      found.push(trans.__('%1: %2', table.name, format.users(table)));
    }
  }
  for (const { name, origin } of old.values()) {
    found.push(origin ? trans.__('%1 was removed', name) : trans.__('%1 is no longer shared', name));
  }
  return found;
}
