import React from 'react';
import type { Format } from '../shared/format';
import { IListing } from '../shared/table';

/** How much memory the tables take, and how much is left. */
export function Usage({ listing, format }: { listing: IListing; format: Format }): React.JSX.Element | null {
  const { trans } = format;
  const { tables, removed, free, total, limited_by: limit } = listing;
  if (!total) return null;
  const older = tables.flatMap(table => table.older);
  const ours = [...tables, ...older, ...removed].reduce((sum, one) => sum + one.nbytes, 0);
  const used = Math.max(ours, total - free);
  const percent = (bytes: number): string => `${Math.min(100, (100 * bytes) / total)}%`;
  const sizes = [format.size(free), format.size(total)];
  const text =
    limit === 'container'
      ? trans.__('%1 of %2 of this container free', ...sizes)
      : limit === 'memory'
        ? trans.__('%1 of %2 of memory free', ...sizes)
        : trans.__('%1 of %2 free', ...sizes);
  return (
    <div className="jp-ArrowSHM-usage">
      <div
        className="jp-ArrowSHM-bar"
        role="meter"
        aria-label={trans.__('Shared memory in use')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round((100 * used) / total)}
        aria-valuetext={text}
        title={trans.__('Tables: %1. Other programs: %2.', format.size(ours), format.size(used - ours))}
      >
        <span className="jp-mod-ours" style={{ width: percent(ours) }} />
        <span className="jp-mod-others" style={{ width: percent(used - ours) }} />
      </div>
      {tables.length > 0 && <span>{trans.__('%1 in %2', format.size(ours), format.tables(tables.length))}</span>}
      <span>{text}</span>
    </div>
  );
}
