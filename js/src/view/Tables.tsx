import React, { useEffect, useMemo, useRef, useState } from 'react';
import { news } from '../news';
import { IListing, IState, ITable } from '../table';
import { IHost } from './host';
import { Icon } from './icons';
import { Empty, Trouble } from './Notices';
import { Row } from './Row';
import { Usage } from './Usage';

/** The whole panel: what is shared, how big it is, and who uses it. */
export function Tables({ state, host }: { state: IState; host: IHost }): React.JSX.Element {
  const { listing, problem } = state;
  return (
    <div className="jp-ArrowSHM-content">
      {problem && <Trouble problem={problem} host={host} brief={listing !== null} />}
      {listing && <List listing={listing} host={host} />}
      {!listing && !problem && <p className="jp-ArrowSHM-note">{host.format.trans.__('Looking for tables…')}</p>}
      <LiveRegion listing={listing} host={host} />
    </div>
  );
}

function List({ listing, host }: { listing: IListing; host: IHost }): React.JSX.Element {
  const { trans } = host.format;
  const [filter, setFilter] = useState('');
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const found = useMemo(() => listing.tables.filter(table => matches(table, filter)), [listing, filter]);

  const setExpanded = (name: string, expanded: boolean): void => {
    const next = new Set(open);
    if (expanded) next.add(name);
    else next.delete(name);
    setOpen(next);
  };

  if (!listing.tables.length) {
    return (
      <>
        <Empty host={host} />
        <Usage listing={listing} format={host.format} />
      </>
    );
  }
  return (
    <>
      <div className="jp-ArrowSHM-filter">
        <Icon name="search" />
        <input
          type="search"
          value={filter}
          placeholder={trans.__('Filter shared tables')}
          aria-label={trans.__('Filter by table, column or notebook')}
          title={trans.__('Filter by table, column or notebook')}
          spellCheck={false}
          onChange={event => setFilter(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Escape') setFilter('');
          }}
        />
      </div>
      <ul className="jp-ArrowSHM-list" aria-label={trans.__('Shared tables')} onKeyDown={moveBetweenRows}>
        {found.map(table => (
          <Row
            key={table.name}
            table={table}
            host={host}
            expanded={open.has(table.name)}
            onExpand={expanded => setExpanded(table.name, expanded)}
          />
        ))}
      </ul>
      {!found.length && <p className="jp-ArrowSHM-note">{trans.__('No table matches “%1”.', filter)}</p>}
      <Usage listing={listing} format={host.format} />
    </>
  );
}

/** Says what changes to those who cannot see it. */
function LiveRegion({ listing, host }: { listing: IListing | null; host: IHost }): React.JSX.Element {
  const before = useRef<IListing | null>(null);
  const [text, setText] = useState('');
  useEffect(() => {
    if (listing && before.current && listing !== before.current) {
      const found = news(before.current.tables, listing.tables, host.format);
      if (found.length) setText(found.join('. '));
    }
    before.current = listing;
  }, [listing, host]);
  return (
    <div className="jp-ArrowSHM-unseen" role="status" aria-live="polite">
      {text}
    </div>
  );
}

/** Every word must be found in the table's name, its columns or its users. */
function matches(table: ITable, filter: string): boolean {
  const words = filter.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return true;
  const users = [table.publisher, ...table.holders, ...table.older.flatMap(version => version.holders)];
  const text = [table.name, ...users.map(user => user.label), ...table.schema.map(column => column.name)]
    .join('\n')
    .toLocaleLowerCase();
  return words.every(word => text.includes(word));
}

/** Up, Down, Home and End go from table to table, as in JupyterLab's other lists. */
function moveBetweenRows(event: React.KeyboardEvent<HTMLUListElement>): void {
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('.jp-ArrowSHM-row')];
  const here = rows.indexOf(event.target as HTMLElement);
  const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (here < 0 || to === undefined || !rows[to]) return;
  rows[to].focus();
  event.preventDefault();
}
