import React, { useEffect, useMemo, useRef, useState } from 'react';
import type { Format } from '../shared/format';
import { Icon } from '../shared/icons';
import { isAborted } from '../shared/problem';
import { oneLine } from './celltext';
import { Plot, PlotKind } from './Plot';
import type { PreviewModel } from './previewmodel';
import { IGroups, IPoints, MEASURES, Measure } from './source';
import { kindOfType } from './typewords';

interface IQuickLookProps {
  readonly preview: PreviewModel;
  readonly format: Format;
  readonly close: () => void;
}

type Answer = { readonly groups: IGroups } | { readonly points: IPoints };

/** Bars beyond these are too thin to be told apart, and rows of a list too many to be read. */
const BARS = 200;
const LISTED = 100;

/** The rows of the view by the values of a column, or two columns against each other, in a small chart. */
export function QuickLook({ preview, format, close }: IQuickLookProps): React.JSX.Element {
  const { trans } = format;
  const schema = preview.table?.schema ?? [];
  const { shown } = preview;
  const numbers = shown.filter(column => ['number', 'bool'].includes(kindOfType(schema[column].type)));
  const axes = shown.filter(column => ['number', 'bool', 'time'].includes(kindOfType(schema[column].type)));
  const node = useRef<HTMLDivElement>(null);
  const [kind, setKind] = useState<PlotKind>('bar');
  const [by, setBy] = useState(shown.find(column => kindOfType(schema[column].type) === 'text') ?? shown[0] ?? 0);
  const [measure, setMeasure] = useState<Measure>('count');
  const [of, setOf] = useState(numbers[0] ?? -1);
  const [x, setX] = useState(axes[0] ?? 0);
  const [y, setY] = useState(axes[1] ?? axes[0] ?? 0);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => node.current?.querySelector<HTMLElement>('select')?.focus(), []);
  const asked = JSON.stringify([kind, by, measure, of, x, y, preview.view.filters, preview.table?.version]);
  useEffect(() => {
    const life = new AbortController();
    const ask = async (): Promise<Answer> =>
      kind === 'bar' ? { groups: await preview.group(by, measure === 'count' ? -1 : of, measure, life.signal) } : { points: await preview.points(x, y, life.signal) };
    setProblem('');
    ask()
      .then(found => !life.signal.aborted && setAnswer(found))
      .catch((error: unknown) => {
        if (life.signal.aborted || isAborted(error)) return;
        setAnswer(null);
        setProblem(error instanceof Error ? error.message : String(error));
      });
    return () => life.abort();
    // The rest is in what was asked.
  }, [preview, asked]);
  const choose = (label: string, value: number, columns: readonly number[], set: (column: number) => void): React.JSX.Element => (
    <label>
      {label}{' '}
      <select aria-label={label} value={value} onChange={event => set(Number(event.target.value))}>
        {columns.map(column => (
          <option key={column} value={column}>
            {schema[column].name}
          </option>
        ))}
      </select>
    </label>
  );
  const measures: Record<Measure, string> = {
    count: trans.__('Number of rows'),
    sum: trans.__('Sum'),
    mean: trans.__('Mean'),
    min: trans.__('Smallest'),
    max: trans.__('Largest')
  };
  return (
    <div
      ref={node}
      className="jp-ArrowSHM-popup jp-ArrowSHM-quick"
      role="dialog"
      aria-label={trans.__('Quick look')}
      onKeyDown={event => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        close();
      }}
    >
      <div className="jp-ArrowSHM-quickChoices">
        <label>
          {trans.__('Chart')}{' '}
          <select aria-label={trans.__('Chart')} value={kind} onChange={event => setKind(event.target.value as PlotKind)}>
            <option value="bar">{trans.__('Groups')}</option>
            {axes.length > 0 && <option value="line">{trans.__('Line')}</option>}
            {axes.length > 0 && <option value="dots">{trans.__('Scatter')}</option>}
          </select>
        </label>
        {kind === 'bar' ? (
          <>
            {choose(trans.__('Group by'), by, shown, setBy)}
            <label>
              {trans.__('Show')}{' '}
              <select aria-label={trans.__('Show')} value={measure} onChange={event => setMeasure(event.target.value as Measure)}>
                {MEASURES.filter(one => one === 'count' || numbers.length).map(one => (
                  <option key={one} value={one}>
                    {measures[one]}
                  </option>
                ))}
              </select>
            </label>
            {measure !== 'count' && choose(trans.__('Of column'), of, numbers, setOf)}
          </>
        ) : (
          <>
            {choose(trans.__('Across'), x, axes, setX)}
            {choose(trans.__('Up'), y, axes, setY)}
          </>
        )}
        <button type="button" className="jp-ArrowSHM-tool" aria-label={trans.__('Close')} onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      {problem && <p role="alert">{problem}</p>}
      {!answer && !problem && <p className="jp-ArrowSHM-muted">{trans.__('Looking…')}</p>}
      {answer && 'groups' in answer && <Groups found={answer.groups} format={format} />}
      {answer && 'points' in answer && kind !== 'bar' && (
        <Points found={answer.points} kind={kind} names={[schema[x]?.name ?? '', schema[y]?.name ?? '']} format={format} />
      )}
    </div>
  );
}

function Groups({ found, format }: { found: IGroups; format: Format }): React.JSX.Element {
  const { trans } = format;
  const { groups, total, searched, num_rows: rows } = found;
  const bars = useMemo(() => groups.slice(0, BARS).map(one => one.result ?? 0), [groups]);
  const number = (value: number | null): string => (value === null ? '' : Number.isInteger(value) ? format.count(value) : String(Number(value.toPrecision(6))));
  const words = [trans._n('%2 group', '%2 groups', total, format.count(total))];
  if (groups.length > BARS) words.push(trans.__('chart of the first %1', format.count(BARS)));
  if (searched < rows) words.push(trans.__('of the first %1', format.rows(searched)));
  return (
    <>
      <Plot kind="bar" x={bars} y={bars} label={trans.__('Bars: %1', words.join(', '))} />
      <p role="status">{words.join(', ')}</p>
      <div className="jp-ArrowSHM-groups" tabIndex={0} role="group" aria-label={trans.__('Groups')}>
        <table>
          <tbody>
            {groups.slice(0, LISTED).map((one, at) => (
              <tr key={at}>
                <th scope="row">{one.text === null ? <i>null</i> : oneLine(one.text) || trans.__('(empty)')}</th>
                <td>{number(one.result)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {groups.length > LISTED && <p className="jp-ArrowSHM-muted">{trans.__('… and %1 more', format.count(total - LISTED))}</p>}
      </div>
    </>
  );
}

function Points({ found, kind, names, format }: { found: IPoints; kind: PlotKind; names: [string, string]; format: Format }): React.JSX.Element {
  const { trans } = format;
  const { x, y, rows, matches, is_sample: isSample } = found;
  const words = [trans._n('%2 point', '%2 points', x.length, format.count(x.length))];
  if (isSample) words.push(trans.__('of %1 of %2', format.count(rows), format.rows(matches)));
  return (
    <>
      <Plot kind={kind} x={x} y={y} label={trans.__('%2 by %1: %3', names[0], names[1], words.join(', '))} />
      <p role="status">{words.join(', ')}</p>
    </>
  );
}
