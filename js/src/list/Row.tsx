import React, { useId } from 'react';
import type { Format } from '../shared/format';
import { ITable } from '../shared/table';
import { Details } from './Details';
import { IHost } from './host';
import { Icon, IconName } from '../shared/icons';

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
  const { published_at: published } = table;
  return (
    <li className="jp-ArrowSHM-table" data-table={table.name}>
      <button
        type="button"
        className="jp-ArrowSHM-row"
        aria-expanded={expanded}
        aria-controls={expanded ? id : undefined}
        onClick={event => {
          // The second click of a double click opens the table: it does not close what the first one has opened.
          if (event.detail < 2) onExpand(!expanded);
        }}
        onDoubleClick={() => host.preview?.(table)}
        onKeyDown={event => {
          if (event.key === 'ArrowRight') onExpand(true);
          if (event.key === 'ArrowLeft') onExpand(false);
          if (event.key === 'Delete') host.unshare?.(table);
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
          <span title={published ? format.moment(published) : undefined}>
            {published
              ? trans.__('%1, %2', table.publisher.label, format.age(published))
              : trans.__('by %1', table.publisher.label)}
          </span>
          {table.holders.length > 0 && <span className="jp-ArrowSHM-count">{format.users(table)}</span>}
        </span>
      </button>
      <Badges table={table} host={host} />
      <Tools table={table} host={host} />
      {expanded && <Details id={id} table={table} host={host} />}
    </li>
  );
}

/** What else one should know of a table; most have none. */
function Badges({ table, host }: { table: ITable; host: IHost }): React.JSX.Element | null {
  const { format } = host;
  const { trans } = format;
  const { pinned, older, publisher, removed_at: removed } = table;
  const unused = !table.holders.length;
  if (!pinned && !unused && !older.length && publisher.alive !== false) return null;
  return (
    <div className="jp-ArrowSHM-badges">
      {pinned && (
        <span title={trans.__('Never removed automatically')}>
          <Icon name="pin" filled />
          {trans.__('pinned')}
        </span>
      )}
      {publisher.alive === false && (
        <span title={trans.__('%1, which shared it, has ended. The table stays.', publisher.label)}>
          {publisher.kernel_id ? trans.__('notebook gone') : trans.__('program gone')}
        </span>
      )}
      {unused && (
        <span className="jp-mod-warn" title={removed ? goes(removed, format) : trans.__('Nobody uses it.')}>
          {removed ? trans.__('unused, goes %1', format.relative(removed)) : trans.__('unused')}
        </span>
      )}
      {unused && removed && host.setPinned && (
        <button
          type="button"
          className="jp-ArrowSHM-link"
          aria-label={trans.__('Keep %1', table.name)}
          title={trans.__('Pin %1: never remove it automatically', table.name)}
          onClick={() => host.setPinned?.(table, true)}
        >
          {trans.__('Keep')}
        </button>
      )}
      {older.length > 0 && (
        <span title={trans.__('It is replaced, but somebody still has it attached')}>
          {trans._n('%2 older version, %3', '%2 older versions, %3', older.length, format.count(older.length), olderSize(table, format))}
        </span>
      )}
    </div>
  );
}

function olderSize(table: ITable, format: Format): string {
  return format.size(table.older.reduce((sum, version) => sum + version.nbytes, 0));
}

function goes(when: string, format: Format): string {
  return format.trans.__('Nobody uses it. It is removed on %1.', format.moment(when));
}

function Tools({ table, host }: { table: ITable; host: IHost }): React.JSX.Element {
  const { trans } = host.format;
  const { name } = table;
  return (
    <div className="jp-ArrowSHM-tools" role="group" aria-label={trans.__('Actions for %1', name)}>
      {host.preview && <Tool icon="table" label={trans.__('Open %1', name)} onClick={() => host.preview?.(table)} />}
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
      {host.copyCode && !host.hasMenu && (
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
      {host.unshare && !host.hasMenu && (
        <Tool icon="remove" label={trans.__('Unshare %1…', name)} onClick={() => host.unshare?.(table)} />
      )}
      {host.hasMenu && <Tool icon="more" label={trans.__('More for %1', name)} menu onClick={openMenu} />}
    </div>
  );
}

/** What the right mouse button does, below this one. */
function openMenu(event: React.MouseEvent<HTMLElement>): void {
  const { left, bottom } = event.currentTarget.getBoundingClientRect();
  event.currentTarget.dispatchEvent(
    new MouseEvent('contextmenu', { bubbles: true, cancelable: true, clientX: left, clientY: bottom })
  );
}

interface IToolProps {
  icon: IconName;
  label: string;
  onClick: (event: React.MouseEvent<HTMLElement>) => void;
  disabled?: boolean;
  pressed?: boolean;
  menu?: boolean;
}

export function Tool({ icon, label, onClick, disabled, pressed, menu }: IToolProps): React.JSX.Element {
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
      aria-haspopup={menu ? 'menu' : undefined}
      onClick={event => {
        if (!disabled) onClick(event);
      }}
    >
      <Icon name={icon} filled={pressed} />
    </button>
  );
}
