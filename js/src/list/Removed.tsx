import React from 'react';
import { IRemovedVersion } from '../shared/table';
import { Processes } from './Details';
import { IListHost } from './listhost';

/** Tables that were unshared but still take up memory, because somebody has them attached. */
export function Removed({ removed, host }: { removed: readonly IRemovedVersion[]; host: IListHost }): React.JSX.Element | null {
  const { format } = host;
  const { trans } = format;
  if (!removed.length) return null;
  return (
    <section className="jp-ArrowSHM-removed" aria-label={trans.__('Unshared, but still in use')}>
      {removed.map((version, index) => (
        <React.Fragment key={index}>
          <h3>{trans.__('%1 was unshared, but its %2 are still in use by', version.name, format.size(version.nbytes))}</h3>
          <Processes processes={version.holders} host={host} />
        </React.Fragment>
      ))}
    </section>
  );
}
