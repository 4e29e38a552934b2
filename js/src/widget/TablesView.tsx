import React, { useEffect, useMemo, useReducer, useState } from 'react';
import { attachLine, placeLine } from '../shared/code';
import { IListOptions, LIST_OPTIONS, Order } from '../shared/listing';
import { PreviewModel } from '../preview/previewmodel';
import { IListing, IRemovedVersion, IState, ITable } from '../shared/table';
import { VERSION } from '../shared/version';
import { IListHost, IPlacesHost } from '../list/listhost';
import { PlacesModel } from '../list/placesmodel';
import { IPlaceList } from '../shared/place';
import { RequestError } from '../shared/problem';
import { Icon } from '../shared/icons';
import { Tables } from '../list/Tables';
import { KernelSource } from './kernelsource';
import { Link } from './link';
import { change, IModel, onChange } from './traits';
import { copyText } from './place';
import { Rows } from './Rows';
import { FORMAT } from './english';

/** How long what became of a copy is shown. */
const SAID = 10_000; // ms
const LISTED = ['tables', '_removed', '_room', '_problem'] as const;
const SHOWN = [...LISTED, 'filter', 'sort', 'selected'] as const;

/** The list, and below it the rows of the selected table. */
export function TablesView({ model, link }: { model: IModel; link: Link }): React.JSX.Element {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [own, setOwn] = useState<IListOptions>(LIST_OPTIONS);
  useEffect(() => onChange(model, SHOWN, redraw), [model]);

  const [tables, removed, room, problem] = LISTED.map(name => model.get(name));
  const state = useMemo(
    () => stateOf(tables as ITable[], removed as IRemovedVersion[], room as Room, problem as string),
    [tables, removed, room, problem]
  );
  const [filter, order] = [model.get('filter') as string, model.get('sort') as Order];
  const options = useMemo<IListOptions>(() => ({ ...own, filter, order }), [own, filter, order]);
  const selected = model.get('selected') as string | null;
  const [said, say] = useState('');
  const host = useMemo<IListHost>(
    () => ({
      format: FORMAT,
      preview: table => change(model, { selected: table.name }),
      copyCode: table => copyText(attachLine(table.name, 'python')),
      copyText,
      places: placesHost(link, say),
      setPinned: (table, pinned) => void link.ask({ what: 'pin', name: table.name, pinned }).catch(() => undefined),
      // Any message about watching makes the kernel look.
      refresh: () => model.send({ watch: 'nobody', on: false })
    }),
    [model, link]
  );
  useEffect(() => {
    if (!said) return undefined;
    const later = setTimeout(() => say(''), SAID);
    return () => clearTimeout(later);
  }, [said]);
  return (
    <div className="jp-ArrowSHM-widgetTables">
      <Tables
        state={state}
        host={host}
        options={options}
        onOptions={changed => {
          setOwn(changed);
          change(model, { filter: changed.filter, sort: changed.order });
        }}
      />
      <p className="jp-ArrowSHM-said" role="status">
        {said}
      </p>
      {selected !== null && <Selected key={selected} name={selected} model={model} link={link} />}
    </div>
  );
}

/** The places, asked by the kernel; `say` tells the user what became of a copy. */
function placesHost(link: Link, say: (text: string) => void): IPlacesHost {
  const { trans } = FORMAT;
  const model = new PlacesModel({
    places: async () => (await link.ask({ what: 'places' })).head as unknown as IPlaceList,
    tables: async place => (await link.ask({ what: 'place', place: place.name })).head.tables as ITable[]
  });
  const copy = async (what: string, place: string, name: string, target: string): Promise<void> => {
    say(trans.__('Copying %1 to %2…', name, target));
    try {
      await link.ask({ what, place, name, replace: false });
      say(trans.__('Copied %1 to %2', name, target));
    } catch (error) {
      say(error instanceof RequestError && error.problem.kind === 'failed' ? error.problem.message : String(error));
    }
    await model.refresh();
    await model.ask(place);
  };
  return {
    model,
    copyCode: (place, table) => copyText(placeLine(table.name, place.kind === 'yours' ? place.read_as : place.name, 'python')),
    fetch: (place, table) => void copy('copy from', place.name, table.name, trans.__('this machine')),
    put: (place, table) => void copy('copy to', place.name, table.name, place.name)
  };
}

/** Free bytes, total bytes, and what limits them (jupyter_arrowshm/widget/tables.py). */
type Room = readonly [number, number, IListing['limited_by']];

function stateOf(tables: ITable[], removed: IRemovedVersion[], [free, total, limited_by]: Room, problem: string): IState {
  if (problem) return { listing: null, problem: { kind: 'failed', message: problem } };
  const listing: IListing = { tables, removed, free, total, limited_by, problem: null, version: VERSION, protocol: 1 };
  return { listing, problem: null };
}

function Selected({ name, model, link }: { name: string; model: IModel; link: Link }): React.JSX.Element {
  const [preview, setPreview] = useState<PreviewModel | null>(null);
  useEffect(() => {
    const table = (): ITable | null => (model.get('tables') as ITable[]).find(one => one.name === name) ?? null;
    const made = new PreviewModel(new KernelSource(link, table, callback => onChange(model, ['tables'], callback)));
    setPreview(made);
    return () => made.dispose();
  }, [name, model, link]);
  return (
    <section className="jp-ArrowSHM-selected" aria-label={name}>
      <div className="jp-ArrowSHM-selectedTitle">
        <strong title={name}>{name}</strong>
        <button
          type="button"
          className="jp-ArrowSHM-tool"
          data-action="close"
          aria-label={FORMAT.trans.__('Close %1', name)}
          title={FORMAT.trans.__('Close %1', name)}
          onClick={() => change(model, { selected: null })}
        >
          <Icon name="close" />
        </button>
      </div>
      {preview && <Rows preview={preview} link={link} />}
    </section>
  );
}
