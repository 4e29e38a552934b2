import React, { useEffect, useId, useReducer, useRef, useState } from 'react';
import { Icon } from '../shared/icons';
import { Density, isCompact } from '../shared/listing';
import { IPlace } from '../shared/place';
import { IListHost, IPlacesHost } from './listhost';
import { ISection } from './placesmodel';
import { Row } from './Row';

/** How often the places of this machine that are open are asked, and how often it is asked which places there are. */
const OFTEN = 5_000; // ms
const SELDOM = 30_000; // ms

/** Where else tables are: a section for each place, closed at first. Nothing is there where there is no other place. */
export function Places({ host, density }: { host: IListHost; density: Density }): React.JSX.Element | null {
  const { places } = host;
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const node = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!places) return undefined;
    const { model } = places;
    const unsubscribe = model.subscribe(redraw);
    const isSeen = (): boolean => !document.hidden && node.current?.offsetParent !== null;
    const often = setInterval(() => isSeen() && model.refreshOpen(), OFTEN);
    const seldom = setInterval(() => isSeen() && void model.refresh(), SELDOM);
    void model.refresh();
    return () => {
      unsubscribe();
      clearInterval(often);
      clearInterval(seldom);
    };
  }, [places]);
  if (!places?.model.sections.length) return null;
  return (
    <section ref={node} aria-label={host.format.trans.__('Other places')}>
      {places.model.sections.map(section => (
        <Place key={section.place.name} section={section} host={host} places={places} density={density} />
      ))}
    </section>
  );
}

interface IPlaceProps {
  section: ISection;
  host: IListHost;
  places: IPlacesHost;
  density: Density;
}

function Place({ section, host, places, density }: IPlaceProps): React.JSX.Element {
  const { place, isOpen, isAsking, tables, problem } = section;
  const { name, kind, description } = place;
  const { format } = host;
  const { trans } = format;
  const { model } = places;
  const id = useId();
  const [expanded, setExpanded] = useState<readonly string[]>([]);
  const what = { user: trans.__('shared with you'), yours: trans.__('shared by you'), folder: description, cluster: description }[kind];
  return (
    <div className="jp-ArrowSHM-place" data-place={name}>
      <div className="jp-ArrowSHM-placeHead">
        <button
          type="button"
          className="jp-ArrowSHM-placeTitle"
          aria-expanded={isOpen}
          aria-controls={isOpen ? id : undefined}
          title={description}
          onClick={() => model.setOpen(name, !isOpen)}
          onKeyDown={event => {
            if (event.key === 'ArrowRight' && !isOpen) model.setOpen(name, true);
            if (event.key === 'ArrowLeft' && isOpen) model.setOpen(name, false);
          }}
        >
          <Icon name="right" />
          <Icon name={kind === 'folder' || kind === 'cluster' ? 'folder' : 'users'} />
          <span className="jp-ArrowSHM-name">{name}</span>
          <span className="jp-ArrowSHM-placeKind">{isOpen && tables ? format.tables(tables.length) : what}</span>
        </button>
        {isOpen && (
          <button
            type="button"
            className="jp-ArrowSHM-tool"
            data-action="refresh"
            aria-label={trans.__('Look again in %1', name)}
            title={trans.__('Look again in %1', name)}
            onClick={() => void model.ask(name)}
          >
            <Icon name="refresh" />
          </button>
        )}
      </div>
      {isOpen && (
        <div id={id}>
          {isAsking && !tables && <p className="jp-ArrowSHM-note">{trans.__('Looking for tables…')}</p>}
          {problem && (
            <p className="jp-ArrowSHM-note" role="alert">
              {problem.kind === 'failed' ? problem.message : trans.__('The server does not answer.')}
            </p>
          )}
          {tables && !tables.length && <p className="jp-ArrowSHM-note">{trans.__('There are no tables.')}</p>}
          {tables && tables.length > 0 && (
            <ul aria-label={trans.__('Tables: %1', name)}>
              {tables.map(table => (
                <Row
                  key={table.name}
                  table={table}
                  host={hostFor(place, host, places)}
                  from={place}
                  isCompact={isCompact(density, tables.length)}
                  expanded={expanded.includes(table.name)}
                  onExpand={isExpanded =>
                    setExpanded([...expanded.filter(one => one !== table.name), ...(isExpanded ? [table.name] : [])])
                  }
                />
              ))}
            </ul>
          )}
        </div>
      )}
    </div>
  );
}

/** What can be done with a table in another place. */
function hostFor(place: IPlace, host: IListHost, places: IPlacesHost): IListHost {
  const { insert } = places;
  return {
    format: host.format,
    hasMenu: host.hasMenu,
    insert: insert && (table => insert(place, table)),
    preview: places.preview && (table => places.preview?.(place, table)),
    copyCode: table => places.copyCode(place, table),
    fetch: table => places.fetch(place, table),
    unshare: place.writable && places.unshare ? table => places.unshare?.(place, table) : undefined,
    refresh: () => void places.model.ask(place.name)
  };
}
