import React, { useEffect, useMemo, useReducer, useState } from 'react';
import { attachLine } from '../shared/code';
import { IListOptions, LIST_OPTIONS, Order } from '../shared/listing';
import { PreviewModel } from '../preview/previewmodel';
import { IListing, IRemovedVersion, IState, ITable } from '../shared/table';
import { VERSION } from '../shared/version';
import { IListHost } from '../list/listhost';
import { Icon } from '../shared/icons';
import { Tables } from '../list/Tables';
import { KernelSource } from './kernelsource';
import { Link } from './link';
import { change, IModel, onChange } from './traits';
import { copyText } from './place';
import { Rows } from './Rows';
import { FORMAT } from './english';

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
  const host = useMemo<IListHost>(
    () => ({
      format: FORMAT,
      preview: table => change(model, { selected: table.name }),
      copyCode: table => copyText(attachLine(table.name, 'python')),
      copyText,
      setPinned: (table, pinned) => void link.ask({ what: 'pin', name: table.name, pinned }).catch(() => undefined),
      // Any message about watching makes the kernel look.
      refresh: () => model.send({ watch: 'nobody', on: false })
    }),
    [model, link]
  );
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
      {selected !== null && <Selected key={selected} name={selected} model={model} link={link} />}
    </div>
  );
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
