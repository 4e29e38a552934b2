import React, { useState } from 'react';
import type { FileFormat } from '../shared/download';
import { Icon } from '../shared/icons';
import { Menu } from '../shared/Menu';
import { LANGUAGES, viewCode } from './code';
import { ColumnFinder } from './ColumnFinder';
import type { IPreviewProps } from './previewhost';
import { WHOLE, withCondition, withSort } from './query';
import { filterWords, rowsWords, sortWords } from './viewwords';

interface IToolbarProps extends IPreviewProps {
  readonly go: (row: number) => void;
  readonly goColumn: (column: number) => void;
  readonly focus: () => void;
  readonly find: () => void;
  readonly look: () => void;
}

/** The actions for the view, and its filters and order. */
export function Toolbar({ preview, host, go, goColumn, focus, find, look }: IToolbarProps): React.JSX.Element {
  const { format } = host;
  const { trans } = format;
  const { view } = preview;
  const save = (as: FileFormat): void => {
    preview
      .save(as)
      .then(saved => {
        if (!saved) return;
        const rows = format.rows(saved.num_rows);
        host.notify(saved.is_cut ? trans.__('Saved only the first %1, the most that a file can have.', rows) : trans.__('Saved: %1', rows));
      })
      .catch((error: unknown) => host.notify(error instanceof Error ? error.message : String(error), true));
  };
  return (
    <div className="jp-ArrowSHM-toolbar" role="toolbar" aria-label={trans.__('Preview')}>
      <span className="jp-ArrowSHM-shape" aria-live="polite">{rowsWords(preview, format)}</span>
      <span className="jp-ArrowSHM-controlGroup">
        {(preview.table?.schema.length ?? 0) > 1 && <ColumnFinder preview={preview} format={format} go={goColumn} />}
        {!preview.isRowsOnly && (
          <>
            <button type="button" className="jp-ArrowSHM-button" title={trans.__('Find a text in the cells (Ctrl+F)')} onClick={find}>
              {trans.__('Find')}
            </button>
            <button type="button" className="jp-ArrowSHM-button" aria-haspopup="dialog" title={trans.__('Count rows by a column, or draw two columns')} onClick={look}>
              {trans.__('Quick look')}
            </button>
          </>
        )}
        {host.openSql && (
          <button
            type="button"
            className="jp-ArrowSHM-button"
            title={trans.__('Ask about shared tables with SQL')}
            onClick={() => host.openSql?.(`FROM "${(preview.table?.name ?? '').replace(/"/g, '""')}"`)}
          >
            {trans.__('SQL')}
          </button>
        )}
        <Jump preview={preview} host={host} go={go} focus={focus} />
        {/* That code would look for the table on this machine. */}
        {host.copyText && !host.copyHere && (
          <Menu
            label={trans.__('Copy as code')}
            sections={[
              {
                items: LANGUAGES.map(language => ({
                  label: language,
                  run: () => {
                    if (!preview.table) return;
                    host.copyText?.(viewCode(preview.table, view, language));
                    host.notify(trans.__('Copied the %1 code for this view', language));
                  }
                }))
              }
            ]}
          />
        )}
        {preview.canSave && (
          <Menu
            label={trans.__('Save')}
            sections={[
              {
                items: [
                  { label: 'CSV', run: () => save('csv') },
                  { label: 'Parquet', run: () => save('parquet') },
                  { label: 'Arrow', run: () => save('arrow') }
                ]
              }
            ]}
          />
        )}
        {!preview.isRowsOnly && (
          <label className="jp-ArrowSHM-follow" title={preview.isFile ? trans.__('Show the file anew when it has changed') : trans.__('Show each new version of the table as soon as it is shared')}>
            <input
              type="checkbox"
              checked={preview.follow}
              onChange={event => {
                preview.follow = event.target.checked;
              }}
            />
            {trans.__('Follow')}
          </label>
        )}
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
                preview.view = { ...WHOLE, layout: view.layout };
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

function Jump({ preview, host, go, focus }: Omit<IToolbarProps, 'goColumn' | 'find' | 'look'>): React.JSX.Element {
  const { trans } = host.format;
  const [text, setText] = useState('');
  return (
    <form
      className="jp-ArrowSHM-jump"
      onSubmit={event => {
        event.preventDefault();
        // People write it as 1,000,000 or 1 000 000.
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
