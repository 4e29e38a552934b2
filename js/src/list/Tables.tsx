import React, { useEffect, useMemo, useRef, useState } from 'react';
import { IListOptions, Order, ORDERS, shown, unused } from '../shared/listing';
import { news } from '../shared/news';
import { IListing, IState } from '../shared/table';
import { IHost } from './host';
import { Icon } from '../shared/icons';
import { Empty, Trouble } from './Notices';
import { Removed } from './Removed';
import { Row } from './Row';
import { Usage } from './Usage';

interface IListProps {
  host: IHost;
  options: IListOptions;
  onOptions: (options: IListOptions) => void;
}

/** The whole panel: what is shared, how big it is, and who uses it. `onOptions` is told what the user sets. */
export function Tables({ state, host, ...props }: IListProps & { state: IState }): React.JSX.Element {
  const { listing, problem } = state;
  // Kept here: a host that draws later than React would take back what was just typed.
  const [options, setOptions] = useState(props.options);
  useEffect(() => setOptions(props.options), [props.options]);
  const onOptions = (changed: IListOptions): void => {
    setOptions(changed);
    props.onOptions(changed);
  };
  return (
    <div className="jp-ArrowSHM-content">
      {problem && <Trouble problem={problem} host={host} brief={listing !== null} />}
      {listing && <List listing={listing} host={host} options={options} onOptions={onOptions} />}
      {!listing && !problem && <p className="jp-ArrowSHM-note">{host.format.trans.__('Looking for tables…')}</p>}
      <LiveRegion listing={listing} host={host} />
    </div>
  );
}

function List({ listing, host, options, onOptions }: IListProps & { listing: IListing }): React.JSX.Element {
  const { trans } = host.format;
  const found = useMemo(() => shown(listing.tables, options), [listing, options]);

  const setExpanded = (name: string, expanded: boolean): void => {
    const others = options.open.filter(one => one !== name);
    onOptions({ ...options, open: expanded ? [...others, name] : others });
  };

  if (!listing.tables.length) {
    return (
      <>
        <Empty host={host} />
        <Removed removed={listing.removed} host={host} />
        <Usage listing={listing} format={host.format} />
      </>
    );
  }
  return (
    <>
      <Controls host={host} options={options} onOptions={onOptions} />
      <ul className="jp-ArrowSHM-list" aria-label={trans.__('Shared tables')} onKeyDown={moveBetweenRows}>
        {found.map(table => (
          <Row
            key={table.name}
            table={table}
            host={host}
            expanded={options.open.includes(table.name)}
            onExpand={expanded => setExpanded(table.name, expanded)}
          />
        ))}
        {!found.length && <li className="jp-ArrowSHM-note">{trans.__('No table matches “%1”.', options.filter)}</li>}
      </ul>
      <Removed removed={listing.removed} host={host} />
      <Unused listing={listing} host={host} />
      <Usage listing={listing} format={host.format} />
    </>
  );
}

/** Search, and order. */
function Controls({ host, options, onOptions }: IListProps): React.JSX.Element {
  const { trans } = host.format;
  const label = trans.__('Filter by table, column, type or notebook');
  const names: Record<Order, string> = {
    name: trans.__('Name'),
    size: trans.__('Size'),
    age: trans.__('Newest'),
    users: trans.__('Users')
  };
  return (
    <div className="jp-ArrowSHM-controls">
      <div className="jp-ArrowSHM-filter">
        <Icon name="search" />
        <input
          type="search"
          value={options.filter}
          placeholder={trans.__('Filter')}
          aria-label={label}
          title={label}
          spellCheck={false}
          onChange={event => onOptions({ ...options, filter: event.target.value })}
          onKeyDown={event => {
            if (event.key === 'Escape') onOptions({ ...options, filter: '' });
          }}
        />
      </div>
      <select
        className="jp-ArrowSHM-select"
        value={options.order}
        aria-label={trans.__('Sort by')}
        title={trans.__('Sort by')}
        onChange={event => onOptions({ ...options, order: event.target.value as Order })}
      >
        {ORDERS.map(order => (
          <option key={order} value={order}>
            {names[order]}
          </option>
        ))}
      </select>
    </div>
  );
}

/** What nobody uses, and that it can go. */
function Unused({ listing, host }: { listing: IListing; host: IHost }): React.JSX.Element | null {
  const { format } = host;
  const { trans } = format;
  const tables = unused(listing);
  if (!tables.length || !host.collect) return null;
  const bytes = tables.reduce((sum, table) => sum + table.nbytes, 0);
  return (
    <p className="jp-ArrowSHM-unused">
      <span>{trans.__('%1 unused, %2', format.tables(tables.length), format.size(bytes))}</span>
      <button type="button" className="jp-ArrowSHM-link" onClick={() => host.collect?.(tables)}>
        {trans.__('Remove…')}
      </button>
    </p>
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

/** Up, Down, Home and End go from table to table, as in JupyterLab's other lists. */
function moveBetweenRows(event: React.KeyboardEvent<HTMLUListElement>): void {
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('.jp-ArrowSHM-row')];
  const here = rows.indexOf(event.target as HTMLElement);
  const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (here < 0 || to === undefined || !rows[to]) return;
  rows[to].focus();
  event.preventDefault();
}
