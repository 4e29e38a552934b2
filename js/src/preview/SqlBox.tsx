import React, { useRef, useState } from 'react';
import type { Format } from '../shared/format';
import { isAborted } from '../shared/problem';
import { cellText, oneLine } from './celltext';
import { Page } from './page';

/** The things that a box for SQL asks of the place where it is. */
export interface ISqlHost {
  readonly format: Format;
  /** The first rows of the result, an Arrow stream, and whether there are more. */
  query(statement: string, signal: AbortSignal): Promise<{ rows: Uint8Array; isCut: boolean }>;
  /** Share the result; resolves to its number of rows. */
  share(statement: string, name: string): Promise<number>;
  open(name: string): void;
  notify(message: string, isError?: boolean): void;
}

interface IResult {
  readonly page: Page;
  readonly isCut: boolean;
}

/** The rows that are shown of a result; all of it can be shared. */
const SHOWN = 200;

/** A box for a SELECT over shared tables, its first rows, and a name to share it under. */
export function SqlBox({ host, first }: { host: ISqlHost; first: string }): React.JSX.Element {
  const { trans } = host.format;
  const running = useRef<AbortController | null>(null);
  const [statement, setStatement] = useState(first);
  const [asked, setAsked] = useState('');
  const [result, setResult] = useState<IResult | null>(null);
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [name, setName] = useState('');
  const during = async (work: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    running.current?.abort();
    const life = new AbortController();
    running.current = life;
    setBusy(true);
    setProblem('');
    try {
      await work(life.signal);
    } catch (error) {
      if (!isAborted(error)) setProblem(error instanceof Error ? error.message : String(error));
    }
    if (running.current === life) setBusy(false);
  };
  const run = (): Promise<void> =>
    during(async signal => {
      const { rows, isCut } = await host.query(statement, signal);
      setResult({ page: new Page(rows), isCut });
      setAsked(statement);
    });
  const share = (): Promise<void> =>
    during(async () => {
      const count = await host.share(asked, name.trim());
      host.notify(trans.__('Shared %1 as %2', host.format.rows(count), name.trim()));
      host.open(name.trim());
    });
  return (
    <div className="jp-ArrowSHM-sql">
      <textarea
        aria-label={trans.__('SQL')}
        placeholder={trans.__('FROM trips JOIN zones USING (zone) SELECT …')}
        spellCheck={false}
        rows={5}
        value={statement}
        onChange={event => setStatement(event.target.value)}
        onKeyDown={event => {
          if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
          event.preventDefault();
          event.stopPropagation();
          void run();
        }}
      />
      <div className="jp-ArrowSHM-sqlButtons">
        <button type="button" className="jp-ArrowSHM-button jp-mod-accept" title={trans.__('Ctrl+Enter')} disabled={!statement.trim()} onClick={() => void run()}>
          {trans.__('Run')}
        </button>
        {isBusy && (
          <button type="button" className="jp-ArrowSHM-button" onClick={() => running.current?.abort()}>
            {trans.__('Stop')}
          </button>
        )}
        <span role="status">{isBusy ? trans.__('Running…') : result ? resultWords(result, host.format) : ''}</span>
        {result && (
          <form
            onSubmit={event => {
              event.preventDefault();
              if (name.trim()) void share();
            }}
          >
            <input aria-label={trans.__('Name')} placeholder={trans.__('Name')} spellCheck={false} value={name} onChange={event => setName(event.target.value)} />
            <button type="submit" className="jp-ArrowSHM-button" disabled={isBusy || !name.trim()}>
              {trans.__('Share the result')}
            </button>
          </form>
        )}
      </div>
      {problem && (
        <div className="jp-ArrowSHM-strip" role="alert">
          {problem}
        </div>
      )}
      {result && <Result page={result.page} format={host.format} />}
    </div>
  );
}

function resultWords({ page, isCut }: IResult, format: Format): string {
  if (isCut) return format.trans.__('More than %1, the first %2 are shown', format.rows(page.num_rows), format.count(Math.min(SHOWN, page.num_rows)));
  return page.num_rows > SHOWN ? format.trans.__('%1, the first %2 are shown', format.rows(page.num_rows), format.count(SHOWN)) : format.rows(page.num_rows);
}

function Result({ page, format }: { page: Page; format: Format }): React.JSX.Element {
  const rows = Array.from({ length: Math.min(SHOWN, page.num_rows) }, (_, row) => row);
  return (
    <div className="jp-ArrowSHM-sqlResult" tabIndex={0} role="group" aria-label={format.trans.__('Result')}>
      <table>
        <thead>
          <tr>
            {page.fields.map(({ column, name }) => (
              <th key={column} scope="col">
                {oneLine(name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={row}>
              {page.fields.map(({ column, kind, number }) => {
                const cell = page.cell(row, column);
                return (
                  <td key={column} className={kind === 'number' ? 'jp-mod-number' : undefined}>
                    {cell === null || cell === undefined ? <i>null</i> : oneLine(cellText(cell, number))}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
