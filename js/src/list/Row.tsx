import React, { useId, useRef } from 'react';
import type { Format } from '../shared/format';
import { Icon } from '../shared/icons';
import { IPlace } from '../shared/place';
import { ITable } from '../shared/table';
import { BadgeIcons, Badges } from './Badges';
import { Details } from './Details';
import { IListHost } from './listhost';
import { Tools } from './Tools';

interface IRowProps {
  table: ITable;
  host: IListHost;
  /** The place that it is in, if that is not this machine's. */
  from?: IPlace;
  /** Whether the row is one line. */
  isCompact: boolean;
  expanded: boolean;
  onExpand: (expanded: boolean) => void;
}

/** One table: its facts, its actions, and, when opened, who uses it. */
export function Row({ table, host, from, isCompact, expanded, onExpand }: IRowProps): React.JSX.Element {
  const id = useId();
  const isOnRow = useRef(false);
  const Facts = isCompact ? CompactFacts : RoomyFacts;
  return (
    <li
      className={`jp-ArrowSHM-table${isCompact ? ' jp-mod-compact' : ''}`}
      data-table={table.name}
      data-place={from?.name}
      // The first click opens the details, and in a section at the lower edge they push the row away from below the
      // mouse: the second click is on the details then. It must neither close them nor do anything else.
      onClickCapture={event => {
        if (event.detail < 2) isOnRow.current = (event.target as HTMLElement).closest('.jp-ArrowSHM-row') !== null;
        else if (isOnRow.current) event.stopPropagation();
      }}
      onMouseDownCapture={event => {
        // It would select a word.
        if (event.detail > 1 && isOnRow.current) event.preventDefault();
      }}
      onDoubleClick={() => {
        if (isOnRow.current) host.preview?.(table);
      }}
    >
      <button
        type="button"
        className="jp-ArrowSHM-row"
        aria-expanded={expanded}
        aria-controls={expanded ? id : undefined}
        onClick={() => onExpand(!expanded)}
        onKeyDown={event => {
          if (event.key === 'ArrowRight') onExpand(true);
          if (event.key === 'ArrowLeft') onExpand(false);
          if (event.key === 'Delete') host.unshare?.(table);
        }}
      >
        <Icon name="right" />
        {from?.kind === 'user' ? (
          <span className="jp-ArrowSHM-theirs">
            <span className="jp-ArrowSHM-name" title={table.name}>
              {table.name}
            </span>
            <span className="jp-ArrowSHM-from" title={host.format.trans.__('Shared with you by %1', from.name)}>
              {host.format.trans.__('from %1', from.name)}
            </span>
          </span>
        ) : (
          <span className="jp-ArrowSHM-name" title={table.name}>
            {table.name}
          </span>
        )}
        <Facts table={table} host={host} />
      </button>
      {!isCompact && <Badges table={table} host={host} />}
      <Tools table={table} host={host} />
      {expanded && <Details id={id} table={table} host={host} isWhole={isCompact} />}
    </li>
  );
}

interface IFactsProps {
  table: ITable;
  host: IListHost;
}

function RoomyFacts({ table, host: { format } }: IFactsProps): React.JSX.Element {
  return (
    <>
      <span className="jp-ArrowSHM-facts">
        <span>{format.shape(table)}</span>
        <span>{format.size(table.nbytes)}</span>
      </span>
      <span className="jp-ArrowSHM-facts">
        <Origin table={table} format={format} />
        {table.holders.length > 0 && <span className="jp-ArrowSHM-count">{format.users(table)}</span>}
      </span>
    </>
  );
}

/** The facts that fit in one line: the shape and the publisher only where the list is wide. */
function CompactFacts({ table, host: { format } }: IFactsProps): React.JSX.Element {
  const users = table.holders.length;
  return (
    <>
      <BadgeIcons table={table} format={format} />
      <span className="jp-ArrowSHM-shapeColumn">{format.shape(table)}</span>
      <span className="jp-ArrowSHM-originColumn">
        <Origin table={table} format={format} />
      </span>
      <span className="jp-ArrowSHM-usersColumn" title={users ? format.users(table) : undefined}>
        {users > 0 && (
          <>
            <Icon name="users" />
            <span aria-hidden="true">{table.countable ? format.count(users) : ''}</span>
            <span className="jp-ArrowSHM-unseen">{format.users(table)}</span>
          </>
        )}
      </span>
      <span className="jp-ArrowSHM-sizeColumn">{format.size(table.nbytes)}</span>
    </>
  );
}

/** Who shared it, and how long ago; or the files that it was loaded from. */
function Origin({ table, format }: { table: ITable; format: Format }): React.JSX.Element {
  const { published_at: published, publisher, origin } = table;
  if (origin) return <span title={format.loaded(table)}>{format.trans.__('loaded from %1', origin)}</span>;
  return (
    <span title={published ? format.moment(published) : undefined}>
      {published
        ? format.trans.__('%1, %2', publisher.label, format.age(published))
        : format.trans.__('by %1', publisher.label)}
    </span>
  );
}
