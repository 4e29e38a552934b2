import React, { useEffect, useMemo, useRef, useState } from 'react';
import { grouped, IGroup, IListOptions, isCompact, memory, shown, unused } from '../shared/listing';
import { news } from '../shared/news';
import { IListing, IState } from '../shared/table';
import { Controls } from './Controls';
import { IListHost, IListProps } from './listhost';
import { Empty, Trouble } from './Notices';
import { Places } from './Places';
import { Removed } from './Removed';
import { Row } from './Row';
import { Usage } from './Usage';

/** The whole panel: what is shared, how big it is, and who uses it. `onOptions` is called with what the user sets. */
export function Tables({ state, host, ...props }: IListProps & { state: IState }): React.JSX.Element {
  const { listing, problem } = state;
  // Kept here: a host that draws later than React would undo what was just typed.
  const [options, setOptions] = useState(props.options);
  useEffect(() => setOptions(props.options), [props.options]);
  const onOptions = (changed: IListOptions): void => {
    setOptions(changed);
    props.onOptions(changed);
  };
  return (
    <div className="jp-ArrowSHM-content">
      {problem && <Trouble problem={problem} host={host} brief={listing !== null} />}
      {listing?.problem && (
        <div className="jp-ArrowSHM-strip" role="status">
          <strong>{host.format.trans.__('Unused tables are not being removed.')}</strong> {listing.problem}
        </div>
      )}
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

  const isEmpty = !listing.tables.length;
  return (
    <>
      {isEmpty ? <Empty host={host} /> : <Controls host={host} options={options} onOptions={onOptions} />}
      <div className={`jp-ArrowSHM-list${isEmpty ? ' jp-mod-places' : ''}`} onKeyDown={moveBetweenRows}>
        {grouped(found, options.grouping).map(group => (
          <Group key={group.key} group={group} host={host}>
            {group.tables.map(table => (
              <Row
                key={table.name}
                table={table}
                host={host}
                isCompact={isCompact(options.density, listing.tables.length)}
                expanded={options.open.includes(table.name)}
                onExpand={expanded => setExpanded(table.name, expanded)}
              />
            ))}
          </Group>
        ))}
        {!found.length && !isEmpty && <p className="jp-ArrowSHM-note">{trans.__('No table matches “%1”.', options.filter)}</p>}
        <Places host={host} density={options.density} />
      </div>
      <Removed removed={listing.removed} host={host} />
      <Unused listing={listing} host={host} />
      <Usage listing={listing} format={host.format} />
    </>
  );
}

/** A group of tables, under the heading that they share. */
function Group({ group, host, children }: React.PropsWithChildren<{ group: IGroup; host: IListHost }>): React.JSX.Element {
  const { format } = host;
  const { trans } = format;
  const { key, tables } = group;
  if (!key) return <ul aria-label={trans.__('Shared tables')}>{children}</ul>;
  const title = { used: trans.__('In use'), unused: trans.__('Unused'), loaded: trans.__('Loaded') }[key] ?? key;
  const bytes = tables.reduce((sum, table) => sum + memory(table), 0);
  return (
    <>
      <h3 className="jp-ArrowSHM-groupTitle" title={title}>
        <span>{title}</span>
        <span>{trans.__('%1, %2', format.tables(tables.length), format.size(bytes))}</span>
      </h3>
      <ul aria-label={title}>{children}</ul>
    </>
  );
}

/** Says how many tables nobody uses, and removes them. */
function Unused({ listing, host }: { listing: IListing; host: IListHost }): React.JSX.Element | null {
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

/** Announces changes to those who cannot see them. */
function LiveRegion({ listing, host }: { listing: IListing | null; host: IListHost }): React.JSX.Element {
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

/** Up, Down, Home and End move from table to table, as in JupyterLab's other lists. */
function moveBetweenRows(event: React.KeyboardEvent<HTMLElement>): void {
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('.jp-ArrowSHM-row, .jp-ArrowSHM-placeTitle')];
  const here = rows.indexOf(event.target as HTMLElement);
  const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (here < 0 || to === undefined || !rows[to]) return;
  rows[to].focus();
  event.preventDefault();
}
