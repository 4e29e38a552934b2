import React from 'react';
import { IRemovedVersion } from '../shared/table';
import { Processes } from './Details';
import { IHost } from './host';

/** What no name leads to any more, and still takes memory because somebody has it attached. */
export function Removed({ removed, host }: { removed: readonly IRemovedVersion[]; host: IHost }): React.JSX.Element | null {
  const { format } = host;
  const { trans } = format;
  if (!removed.length) return null;
  return (
    <section className="jp-ArrowSHM-removed" aria-label={trans.__('Unshared, and still in use')}>
      {removed.map((version, index) => (
        <React.Fragment key={index}>
          <h3>{trans.__('%1 was unshared; %2, still in use by', version.name, format.size(version.nbytes))}</h3>
          <Processes processes={version.holders} host={host} />
        </React.Fragment>
      ))}
    </section>
  );
}
