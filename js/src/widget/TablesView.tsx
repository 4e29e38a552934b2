import React, { useEffect, useMemo, useReducer, useState } from 'react';
import { attachLine, placeLine } from '../shared/code';
import { IListOptions, LIST_OPTIONS, Order } from '../shared/listing';
import { IPreviewHost } from '../preview/previewhost';
import { PreviewModel } from '../preview/previewmodel';
import type { IPreviewSource } from '../preview/source';
import { IListing, IRemovedVersion, IState, ITable } from '../shared/table';
import { VERSION } from '../shared/version';
import { IListHost, IPlacesHost } from '../list/listhost';
import { PlacesModel } from '../list/placesmodel';
import { IPlace, IPlaceList } from '../shared/place';
import { RequestError } from '../shared/problem';
import { Icon } from '../shared/icons';
import { Tables } from '../list/Tables';
import { KernelSource, PlacedSource } from './kernelsource';
import { Link } from './link';
import { change, IModel, onChange } from './traits';
import { copyText } from './place';
import { Rows } from './Rows';
import { FORMAT } from './english';

/** How long what became of a copy is shown. */
const SAID = 10_000; // ms
const LISTED = ['tables', '_removed', '_room', '_problem'] as const;
const SHOWN = [...LISTED, 'filter', 'sort', 'selected'] as const;

/** A table of another place. */
interface IPlaced {
  readonly place: IPlace;
  readonly name: string;
}

/** The list, and below it the rows of the selected table, or of one in another place. */
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
  const [placed, setPlaced] = useState<IPlaced | null>(null);
  const [said, say] = useState('');
  // One table at a time: whoever selects another one, in Python too, does not look at that of a place any more.
  useEffect(() => onChange(model, ['selected'], () => model.get('selected') !== null && setPlaced(null)), [model]);
  const places = useMemo(
    () =>
      placesHost(link, say, one => {
        change(model, { selected: null });
        setPlaced(one);
      }),
    [model, link]
  );
  const host = useMemo<IListHost>(
    () => ({
      format: FORMAT,
      preview: table => {
        setPlaced(null);
        change(model, { selected: table.name });
      },
      copyCode: table => copyText(attachLine(table.name, 'python')),
      copyText,
      places,
      setPinned: (table, pinned) => void link.ask({ what: 'pin', name: table.name, pinned }).catch(() => undefined),
      // Any message about watching makes the kernel look.
      refresh: () => model.send({ watch: 'nobody', on: false })
    }),
    [model, link, places]
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
      {selected !== null && (
        <Selected key={selected} title={selected} link={link} open={() => localSource(selected, model, link)} close={() => change(model, { selected: null })} />
      )}
      {placed && (
        <Selected
          key={`${placed.place.name}/${placed.name}`}
          title={FORMAT.trans.__('%1 (%2)', placed.name, placed.place.name)}
          link={link}
          open={() => new PlacedSource(link, placed.place, placed.name)}
          close={() => setPlaced(null)}
          copyHere={() => places.fetch(placed.place, placed)}
        />
      )}
    </div>
  );
}

/** The places, asked by the kernel; `say` tells the user what became of a copy, and `show` shows rows. */
function placesHost(link: Link, say: (text: string) => void, show: (table: IPlaced) => void): IPlacesHost {
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
    preview: (place, { name }) => show({ place, name }),
    copyCode: (place, table) => copyText(placeLine(table.name, place.kind === 'yours' ? place.read_as : place.name, 'python')),
    fetch: (place, { name }) => void copy('copy from', place.name, name, trans.__('this machine')),
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

function localSource(name: string, model: IModel, link: Link): KernelSource {
  const table = (): ITable | null => (model.get('tables') as ITable[]).find(one => one.name === name) ?? null;
  return new KernelSource(link, table, callback => onChange(model, ['tables'], callback));
}

interface ISelectedProps extends Pick<IPreviewHost, 'copyHere'> {
  readonly title: string;
  readonly link: Link;
  /** The rows; called once. */
  readonly open: () => IPreviewSource;
  readonly close: () => void;
}

function Selected({ title, link, open, close, copyHere }: ISelectedProps): React.JSX.Element {
  const [preview, setPreview] = useState<PreviewModel | null>(null);
  useEffect(() => {
    const made = new PreviewModel(open());
    setPreview(made);
    return () => made.dispose();
  }, []);
  return (
    <section className="jp-ArrowSHM-selected" aria-label={title}>
      <div className="jp-ArrowSHM-selectedTitle">
        <strong title={title}>{title}</strong>
        <button
          type="button"
          className="jp-ArrowSHM-tool"
          data-action="close"
          aria-label={FORMAT.trans.__('Close %1', title)}
          title={FORMAT.trans.__('Close %1', title)}
          onClick={close}
        >
          <Icon name="close" />
        </button>
      </div>
      {preview && <Rows preview={preview} link={link} copyHere={copyHere} />}
    </section>
  );
}
