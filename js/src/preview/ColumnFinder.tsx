import React, { useEffect, useId, useMemo, useRef, useState } from 'react';
import type { Format } from '../shared/format';
import { useOutside } from '../shared/Menu';
import type { IColumn } from '../shared/table';
import { oneLine } from './celltext';
import { ColumnChooser } from './ColumnChooser';
import { matchScore } from './fuzzy';
import type { PreviewModel } from './previewmodel';
import { typeWords } from './typewords';

/** The list is no longer than this: another typed letter brings up the rest. */
const LISTED = 200;

interface IColumnFinderProps {
  readonly preview: PreviewModel;
  readonly format: Format;
  /** Go to the column. */
  readonly go: (column: number) => void;
}

/** A button that lists the columns that match the typed text, or all, best first; it scrolls to the chosen one. */
export function ColumnFinder({ preview, format, go }: IColumnFinderProps): React.JSX.Element {
  const { trans } = format;
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [isChoosing, setChoosing] = useState(false);
  const close = (): void => {
    setOpen(false);
    setChoosing(false);
    button.current?.focus();
  };
  useOutside(place, isOpen, () => setOpen(false));
  return (
    <div className="jp-ArrowSHM-menu jp-ArrowSHM-finderPlace" ref={place}>
      <button
        type="button"
        ref={button}
        className="jp-ArrowSHM-button"
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {trans.__('Columns')} <span aria-hidden="true">▾</span>
      </button>
      {isOpen && !isChoosing && (
        <Finder
          preview={preview}
          format={format}
          go={column => {
            setOpen(false);
            go(column);
          }}
          close={close}
          choose={() => setChoosing(true)}
        />
      )}
      {isOpen && isChoosing && (
        <div
          className="jp-ArrowSHM-popup jp-ArrowSHM-finder"
          role="dialog"
          aria-label={trans.__('Show, hide and order columns')}
          ref={dialog => {
            if (dialog && !dialog.contains(document.activeElement)) dialog.querySelector('input')?.focus();
          }}
          onKeyDown={event => {
            if (event.key !== 'Escape') return;
            event.stopPropagation();
            close();
          }}
        >
          <ColumnChooser preview={preview} format={format} facts={column => facts(preview, format, column)} />
        </div>
      )}
    </div>
  );
}

interface IFinderProps extends IColumnFinderProps {
  readonly close: () => void;
  /** Show or hide columns instead. */
  readonly choose: () => void;
}

function Finder({ preview, format, go, close, choose }: IFinderProps): React.JSX.Element {
  const { trans } = format;
  const id = useId();
  const list = useRef<HTMLUListElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState('');
  const [chosen, setChosen] = useState(0);
  const schema = preview.table?.schema ?? [];
  const { shown: visible } = preview;
  const found = useMemo(() => matches(schema, visible, typed), [schema, visible, typed]);
  const shown = found.slice(0, LISTED);
  useEffect(() => input.current?.focus(), []);
  useEffect(() => {
    // Not the effect's own value: in newer browsers that is a promise, which React would call.
    list.current?.children[chosen]?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);

  const press = (event: React.KeyboardEvent): void => {
    const last = shown.length - 1;
    const to = { ArrowDown: Math.min(last, chosen + 1), ArrowUp: Math.max(0, chosen - 1) }[event.key];
    if (event.key === 'Escape') close();
    else if (event.key === 'Enter' && shown[chosen] !== undefined) go(shown[chosen]);
    else if (to !== undefined) setChosen(to);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="jp-ArrowSHM-popup jp-ArrowSHM-finder" role="dialog" aria-label={trans.__('Find a column')} onKeyDown={press}>
      <input
        ref={input}
        role="combobox"
        aria-label={trans.__('Find a column')}
        aria-expanded={true}
        aria-controls={id}
        aria-activedescendant={shown[chosen] === undefined ? undefined : `${id}-${shown[chosen]}`}
        placeholder={trans.__('Find a column')}
        spellCheck={false}
        value={typed}
        onChange={event => {
          setTyped(event.target.value);
          setChosen(0);
        }}
      />
      <ul id={id} ref={list} role="listbox" aria-label={trans.__('Columns')}>
        {shown.map((column, place) => (
          <li
            key={column}
            id={`${id}-${column}`}
            role="option"
            aria-selected={place === chosen}
            title={`${schema[column].name}: ${schema[column].type}`}
            onClick={() => go(column)}
          >
            <span>{oneLine(schema[column].name)}</span>
            <span className="jp-ArrowSHM-muted">{facts(preview, format, column)}</span>
          </li>
        ))}
      </ul>
      {!found.length && <p className="jp-ArrowSHM-note">{trans.__('No column matches.')}</p>}
      {found.length > LISTED && (
        <p className="jp-ArrowSHM-muted">{trans.__('%1 more match.', format.count(found.length - LISTED))}</p>
      )}
      <div className="jp-ArrowSHM-buttons">
        <button type="button" className="jp-ArrowSHM-button" onClick={choose} onKeyDown={event => event.key !== 'Escape' && event.stopPropagation()}>
          {trans.__('Show, hide, order…')}
        </button>
      </div>
    </div>
  );
}

/** Numbers of the columns that are shown, best match first; equally good matches are in the table's order. */
function matches(schema: readonly IColumn[], visible: readonly number[], typed: string): number[] {
  return visible
    .map(column => ({ column, score: matchScore(schema[column]?.name ?? '', typed) }))
    .filter((one): one is { column: number; score: number } => one.score !== null)
    .sort((a, b) => b.score - a.score || a.column - b.column)
    .map(({ column }) => column);
}

/** The column's type, and its share of nulls where that is known. */
function facts(preview: PreviewModel, format: Format, column: number): string {
  const type = typeWords(preview.table?.schema[column]?.type ?? '', format.trans);
  const summary = preview.summary(column);
  return summary?.nulls ? format.trans.__('%1, %2 null', type, format.share(summary.nulls / summary.rows)) : type;
}
