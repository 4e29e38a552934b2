import React, { useId } from 'react';
import type { Format } from '../format';
import { ITable } from '../table';
import { Details } from './Details';
import { IHost } from './host';
import { Icon, IconName } from './icons';

interface IRowProps {
  table: ITable;
  host: IHost;
  expanded: boolean;
  onExpand: (expanded: boolean) => void;
}

/** One table: its facts, what can be done with it, and, opened, who uses it. */
export function Row({ table, host, expanded, onExpand }: IRowProps): React.JSX.Element {
  const { format } = host;
  const { trans } = format;
  const id = useId();
  const unused = !table.holders.length;
  return (
    <li className="jp-ArrowSHM-table" data-table={table.name}>
      <button
        type="button"
        className="jp-ArrowSHM-row"
        aria-expanded={expanded}
        aria-controls={expanded ? id : undefined}
        onClick={() => onExpand(!expanded)}
        onKeyDown={event => {
          if (event.key === 'ArrowRight') onExpand(true);
          if (event.key === 'ArrowLeft') onExpand(false);
        }}
      >
        <Icon name="right" />
        <span className="jp-ArrowSHM-name" title={table.name}>
          {table.name}
        </span>
        <span className="jp-ArrowSHM-facts">
          <span>{format.shape(table)}</span>
          <span>{format.size(table.nbytes)}</span>
        </span>
        <span className="jp-ArrowSHM-facts">
          <span>{trans.__('by %1', format.publisher(table))}</span>
          {!unused && <span className="jp-ArrowSHM-count">{format.users(table)}</span>}
        </span>
        <Badges table={table} format={format} />
      </button>
      <Tools table={table} host={host} />
      {expanded && <Details id={id} table={table} host={host} />}
    </li>
  );
}

/** What else one should know of a table; most have none. */
function Badges({ table, format }: { table: ITable; format: Format }): React.JSX.Element | null {
  const { trans } = format;
  const removed = table.removed_at;
  const unused = !table.holders.length;
  if (!table.pinned && !unused && !table.older.length) return null;
  return (
    <span className="jp-ArrowSHM-badges">
      {table.pinned && (
        <span title={trans.__('Never removed automatically')}>
          <Icon name="pin" filled />
          {trans.__('pinned')}
        </span>
      )}
      {unused && (
        <span className="jp-mod-warn" title={trans.__('Nobody uses it.')}>
          {removed ? trans.__('unused, goes %1', format.relative(removed)) : trans.__('unused')}
        </span>
      )}
      {table.older.length > 0 && (
        <span title={trans.__('It is replaced, but somebody still has it attached')}>
          {trans._n('%2 older version in use', '%2 older versions in use', table.older.length, format.count(table.older.length))}
        </span>
      )}
    </span>
  );
}

function Tools({ table, host }: { table: ITable; host: IHost }): React.JSX.Element {
  const { trans } = host.format;
  const { name } = table;
  return (
    <div className="jp-ArrowSHM-tools" role="group" aria-label={trans.__('Actions for %1', name)}>
      {host.insert !== undefined && (
        <Tool
          icon="insert"
          label={
            host.insert
              ? trans.__('Insert the code that attaches %1 into the notebook', name)
              : trans.__('Open a notebook to insert the code that attaches %1', name)
          }
          disabled={!host.insert}
          onClick={() => host.insert?.(table)}
        />
      )}
      {host.copyCode && (
        <Tool icon="copy" label={trans.__('Copy the line that attaches %1', name)} onClick={() => host.copyCode?.(table)} />
      )}
      {host.setPinned && (
        <Tool
          icon="pin"
          pressed={table.pinned}
          label={
            table.pinned
              ? trans.__('Unpin %1: it may be removed when nobody uses it', name)
              : trans.__('Pin %1: never remove it automatically', name)
          }
          onClick={() => host.setPinned?.(table, !table.pinned)}
        />
      )}
      {host.unshare && (
        <Tool icon="remove" label={trans.__('Unshare %1…', name)} onClick={() => host.unshare?.(table)} />
      )}
    </div>
  );
}

interface IToolProps {
  icon: IconName;
  label: string;
  onClick: () => void;
  disabled?: boolean;
  pressed?: boolean;
}

function Tool({ icon, label, onClick, disabled, pressed }: IToolProps): React.JSX.Element {
  return (
    <button
      type="button"
      className="jp-ArrowSHM-tool"
      data-action={icon}
      aria-label={label}
      title={label}
      // Not `disabled`: who comes by keyboard must be able to read why it is.
      aria-disabled={disabled}
      aria-pressed={pressed}
      onClick={() => {
        if (!disabled) onClick();
      }}
    >
      <Icon name={icon} filled={pressed} />
    </button>
  );
}
