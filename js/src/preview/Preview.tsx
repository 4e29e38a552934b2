import React, { useEffect, useReducer, useRef, useState } from 'react';
import { Icon } from '../shared/icons';
import { CellPanel, WHOLE_CELL } from './CellPanel';
import { cellText, oneLine, tsv } from './celltext';
import { ColumnPanel } from './ColumnPanel';
import { Grid } from './grid';
import type { IPreviewHost } from './host';
import { Menu } from './Menu';
import type { PreviewModel } from './model';
import { nextDirection, WHOLE, withCondition, withSort } from './query';
import type { ExportFormat } from './source';
import { onThemeChange } from './theme';
import { LANGUAGES, viewCode } from './code';
import { filterWords, rowsWords, sortWords } from './words';

/** Cells that are copied at most: more is a file. */
const COPIED = 200_000;

interface IPreviewProps {
  readonly preview: PreviewModel;
  readonly host: IPreviewHost;
}

type Open = { kind: 'column'; column: number; left: number; top: number } | { kind: 'cell'; row: number; column: number } | null;

/** A table's rows, with everything that can be asked of them. */
export function Preview({ preview, host }: IPreviewProps): React.JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const grid = useRef<Grid | null>(null);
  const [open, setOpen] = useState<Open>(null);
  const [cursor, setCursor] = useState<{ row: number; column: number } | null>(null);
  const [, redraw] = useReducer((count: number) => count + 1, 0);

  useEffect(() => {
    const node = place.current;
    if (!node) return undefined;
    const made = new Grid(preview, host.format, {
      onHeader: (column, add) => {
        const schema = preview.table?.schema[column];
        if (!schema || preview.field(column)?.sortable === false) return;
        preview.view = withSort(preview.view, { column, ...schema }, nextDirection(preview.view, column), add);
      },
      onColumnMenu: column => {
        const { left, right, bottom } = made.headerPlace(column);
        const width = Math.min(PANEL_WIDTH, node.clientWidth - 8);
        setOpen({ kind: 'column', column, left: Math.max(4, Math.min(left, right - width, node.clientWidth - width - 4)), top: bottom });
      },
      onOpenCell: (row, column) => setOpen({ kind: 'cell', row, column }),
      onCopy: () => void copySelection(preview, made, host),
      onCursor: setCursor,
      onSelect: () => host.onSelect?.(made)
    });
    grid.current = made;
    made.mount(node);
    host.onSelect?.(made);
    const stops = [
      onThemeChange(() => made.retheme()),
      preview.onChange(change => {
        if (change.kind === 'columns') setOpen(null);
        redraw();
      })
    ];
    return () => {
      for (const stop of stops) stop();
      grid.current = null;
      made.dispose();
    };
  }, [preview, host]);

  const close = (): void => {
    setOpen(null);
    grid.current?.focus();
  };
  return (
    <div className="jp-ArrowSHM-preview">
      <Toolbar preview={preview} host={host} go={row => grid.current?.go(row, cursor?.column ?? 0)} focus={() => grid.current?.focus()} />
      <Banner preview={preview} host={host} />
      <div className="jp-ArrowSHM-gridPlace">
        <div className="jp-ArrowSHM-grid" ref={place} />
        {open?.kind === 'column' && (
          <ColumnPanel preview={preview} format={host.format} column={open.column} place={open} close={close} />
        )}
        {open?.kind === 'cell' && <CellPanel preview={preview} host={host} row={open.row} column={open.column} close={close} />}
        {preview.facts?.view_rows === 0 && !preview.problem && (
          <p className="jp-ArrowSHM-noRows">
            {preview.view.filters.length ? host.format.trans.__('No row matches the filter.') : host.format.trans.__('The table has no rows.')}
          </p>
        )}
      </div>
      <Status preview={preview} host={host} cursor={cursor} />
    </div>
  );
}

const PANEL_WIDTH = 280;

interface IToolbarProps extends IPreviewProps {
  readonly go: (row: number) => void;
  readonly focus: () => void;
}

function Toolbar({ preview, host, go, focus }: IToolbarProps): React.JSX.Element {
  const { format } = host;
  const { trans } = format;
  const { view } = preview;
  const save = (as: ExportFormat): void => {
    preview
      .save(as)
      .then(saved => {
        if (!saved) return;
        const rows = format.rows(saved.num_rows);
        host.notify(saved.is_cut ? trans.__('Saved the first %1: a file takes no more.', rows) : trans.__('Saved: %1', rows));
      })
      .catch((error: unknown) => host.notify(error instanceof Error ? error.message : String(error), true));
  };
  return (
    <div className="jp-ArrowSHM-toolbar" role="toolbar" aria-label={trans.__('Preview')}>
      <span className="jp-ArrowSHM-shape" aria-live="polite">{rowsWords(preview, format)}</span>
      <span className="jp-ArrowSHM-controlGroup">
        <Jump preview={preview} host={host} go={go} focus={focus} />
        {host.copyText && (
          <Menu
            label={trans.__('Copy as code')}
            items={LANGUAGES.map(language => ({
              label: language,
              run: () => {
                if (!preview.table) return;
                host.copyText?.(viewCode(preview.table, view, language));
                host.notify(trans.__('Copied: the code that makes this view in %1', language));
              }
            }))}
          />
        )}
        {preview.canSave && (
          <Menu
            label={trans.__('Save')}
            items={[
              { label: 'CSV', run: () => save('csv') },
              { label: 'Parquet', run: () => save('parquet') },
              { label: 'Arrow', run: () => save('arrow') }
            ]}
          />
        )}
        <label className="jp-ArrowSHM-follow" title={trans.__('Show a new version of the table as soon as there is one')}>
          <input
            type="checkbox"
            checked={preview.follow}
            onChange={event => {
              preview.follow = event.target.checked;
            }}
          />
          {trans.__('Follow')}
        </label>
      </span>
      {view.filters.length + view.sort.length > 0 && (
        <span className="jp-ArrowSHM-chips" role="group" aria-label={trans.__('Filters and order')}>
          {view.filters.map(filter => (
            <Chip
              key={`filter ${filter.column}`}
              text={filterWords(filter, format)}
              label={trans.__('Remove the filter: %1', filterWords(filter, format))}
              remove={() => {
                preview.view = withCondition(view, filter, null);
                focus();
              }}
            />
          ))}
          {view.sort.map(sort => (
            <Chip
              key={`sort ${sort.column}`}
              text={sortWords(sort)}
              label={trans.__('Do not sort by %1', sort.name)}
              remove={() => {
                preview.view = withSort(view, sort, null, false);
                focus();
              }}
            />
          ))}
          {view.filters.length + view.sort.length > 1 && (
            <button
              type="button"
              className="jp-ArrowSHM-link"
              onClick={() => {
                preview.view = WHOLE;
                focus();
              }}
            >
              {trans.__('Clear all')}
            </button>
          )}
        </span>
      )}
    </div>
  );
}

function Chip({ text, label, remove }: { text: string; label: string; remove: () => void }): React.JSX.Element {
  return (
    <button type="button" className="jp-ArrowSHM-chip" aria-label={label} title={label} onClick={remove}>
      <span>{text}</span>
      <Icon name="close" />
    </button>
  );
}

function Jump({ preview, host, go, focus }: IToolbarProps): React.JSX.Element {
  const { trans } = host.format;
  const [text, setText] = useState('');
  return (
    <form
      className="jp-ArrowSHM-jump"
      onSubmit={event => {
        event.preventDefault();
        // As people write it: 1,000,000 or 1 000 000.
        const row = Number(text.replace(/[\s,.'’_]/g, ''));
        if (!text.trim() || !Number.isInteger(row) || !preview.num_rows) return;
        go(Math.max(0, Math.min(row, preview.num_rows) - 1));
        focus();
      }}
    >
      <input
        inputMode="numeric"
        aria-label={trans.__('Go to row')}
        placeholder={trans.__('Go to row')}
        value={text}
        onChange={event => setText(event.target.value)}
      />
    </form>
  );
}

/** What is not as usual. */
function Banner({ preview, host }: IPreviewProps): React.JSX.Element | null {
  const { trans } = host.format;
  const { problem, lost } = preview;
  const strip = (text: string, action?: { label: string; run: () => void }): React.JSX.Element => (
    <div className="jp-ArrowSHM-strip" role="alert">
      <span>{text}</span>{' '}
      {action && (
        <button type="button" className="jp-ArrowSHM-link" onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  );
  const newest = { label: trans.__('Show the new version'), run: () => preview.catchUp() };
  if (preview.isGone) return strip(trans.__('This table is not shared any more. What was loaded of it stays here.'));
  if (problem?.kind === 'changed') return strip(trans.__('The older version that was shown here is gone.'), newest);
  if (problem?.kind === 'offline') {
    return strip(trans.__('No connection: the server does not answer.'), { label: trans.__('Try again'), run: () => preview.retry() });
  }
  if (problem) {
    const text = problem.kind === 'failed' ? problem.message : trans.__('The rows cannot be read.');
    return strip(text, { label: trans.__('Try again'), run: () => preview.retry() });
  }
  if (preview.isOlder) return strip(trans.__('There is a new version of this table.'), newest);
  if (lost.length) return strip(trans.__('The new version has no such column: %1. It is not filtered or sorted by it any more.', lost.join(', ')));
  return null;
}

/** The cell that the keyboard is on, for those who do not see it, and as much of it as has room for those who do. */
function Status({ preview, host, cursor }: IPreviewProps & { cursor: { row: number; column: number } | null }): React.JSX.Element {
  const { format } = host;
  const { trans } = format;
  const column = cursor ? preview.table?.schema[cursor.column] : undefined;
  const cell = cursor ? preview.cell(cursor.row, cursor.column) : undefined;
  let text = '';
  if (cursor && column) {
    const value = cell === undefined ? '…' : cell === null ? 'null' : oneLine(cellText(cell, preview.field(cursor.column)?.number ?? null));
    text = trans.__('Row %1, %2: %3', format.count(cursor.row + 1), column.name, value);
  }
  return (
    <div className="jp-ArrowSHM-status">
      <span role="status">{text}</span>
      <span>{preview.table ? format.columns(preview.table.schema.length) : trans.__('Looking for the table…')}</span>
    </div>
  );
}

/** What is selected, with the names of its columns, for a spreadsheet. */
async function copySelection(preview: PreviewModel, grid: Grid, host: IPreviewHost): Promise<void> {
  const { format } = host;
  const { trans } = format;
  const window = grid.selected();
  if (!window || !host.copyText) return;
  const { r1, r2, c1, c2 } = window;
  const [rows, columns] = [r2 - r1 + 1, c2 - c1 + 1];
  if (rows * columns > COPIED) {
    host.notify(trans.__('%1 cells are too many to copy: save them as a file.', format.count(rows * columns)), true);
    return;
  }
  try {
    const pages = await preview.fetch(window, WHOLE_CELL);
    const names = (preview.table?.schema ?? []).slice(c1, c2 + 1).map(column => column.name);
    const lines = pages.flatMap(page =>
      Array.from({ length: page.num_rows }, (_, row) =>
        page.fields.map(field => {
          const cell = page.cell(row, field.column);
          return cell === null || cell === undefined ? '' : cellText(cell, field.number);
        })
      )
    );
    // One cell is pasted into a text; more go into a table.
    host.copyText(rows * columns === 1 ? (lines[0]?.[0] ?? '') : tsv([names, ...lines]));
    host.notify(
      rows * columns === 1 ? trans.__('Copied') : trans.__('Copied: %1 x %2, with the names', format.rows(lines.length), format.columns(columns))
    );
  } catch (error) {
    host.notify(error instanceof Error ? error.message : String(error), true);
  }
}
