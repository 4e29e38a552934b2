import React from 'react';
import { IProcess, ITable } from '../shared/table';
import { IListHost } from './listhost';
import { Icon } from '../shared/icons';

interface IDetailsProps {
  id: string;
  table: ITable;
  host: IListHost;
  /** Whether to repeat the facts that a row with all details shows. */
  isWhole: boolean;
}

/**
 * Who shared a table and when (or what it was loaded from), who uses it, which older versions are still in use, and when
 * it will be removed.
 */
export function Details({ id, table, host, isWhole }: IDetailsProps): React.JSX.Element {
  const { format } = host;
  const { trans } = format;
  const { published_at: published, removed_at: removed } = table;
  return (
    <div className="jp-ArrowSHM-details" id={id}>
      {isWhole && <p>{trans.__('%1, %2', format.shape(table), format.size(table.nbytes))}</p>}
      <p>
        {table.origin
          ? format.loaded(table)
          : published
          ? trans.__('Shared on %1 by %2', format.moment(published), format.publisher(table))
          : trans.__('Shared by %1', format.publisher(table))}
      </p>
      {table.holders.length > 0 ? (
        <>
          <h3>{trans.__('In use by')}</h3>
          <Processes processes={table.holders} publisher={table.origin ? null : table.publisher.pid} host={host} />
        </>
      ) : table.countable === null ? (
        <p>{trans.__('Who uses it is not known here.')}</p>
      ) : (
        <p title={removed ? format.moment(removed) : undefined}>
          {removed ? trans.__('Nobody uses it. It will be removed %1.', format.relative(removed)) : trans.__('Nobody uses it.')}
        </p>
      )}
      {table.older.map((version, index) => (
        <React.Fragment key={index}>
          <h3>{trans.__('Older version (%1), still in use by', format.size(version.nbytes))}</h3>
          <Processes processes={version.holders} host={host} />
        </React.Fragment>
      ))}
    </div>
  );
}

interface IProcessesProps {
  processes: readonly IProcess[];
  /** The pid of the process that shared it. */
  publisher?: number | null;
  host: IListHost;
}

/** The users of a version, each with a link to its notebook. */
export function Processes({ processes, publisher, host }: IProcessesProps): React.JSX.Element {
  const { trans } = host.format;
  return (
    <ul className="jp-ArrowSHM-processes">
      {processes.map((process, index) => {
        const path = process.notebook_path;
        const title = process.pid === null ? undefined : trans.__('Process %1', process.pid);
        return (
          <li key={process.pid ?? `unknown ${index}`} title={path ? trans.__('%1 (%2)', path, title ?? '') : title}>
            <Icon name={process.kernel_id ? 'notebook' : 'process'} />
            {path && host.openNotebook ? (
              <button type="button" className="jp-ArrowSHM-link" onClick={() => host.openNotebook?.(path)}>
                {process.label}
              </button>
            ) : (
              <span>{process.label}</span>
            )}
            {process.pid !== null && process.pid === publisher && (
              <span className="jp-ArrowSHM-muted">{trans.__('shared it')}</span>
            )}
          </li>
        );
      })}
    </ul>
  );
}
