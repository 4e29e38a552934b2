import React from 'react';
import type { Format } from '../shared/format';
import { Icon } from '../shared/icons';
import { oneLine } from './celltext';
import { limitWords } from './chart';
import type { IColumnSummary } from './source';

interface IStatisticsProps {
  readonly summary: IColumnSummary | undefined;
  readonly type: string;
  readonly isTime: boolean;
  readonly format: Format;
}

/** A column in words and numbers: everything that the header's chart shows, and more. */
export function Statistics({ summary, type, isTime, format }: IStatisticsProps): React.JSX.Element {
  const { trans } = format;
  if (!summary) return <p className="jp-ArrowSHM-muted">{trans.__('Computing the summary…')}</p>;
  if (summary.problem) return <p className="jp-ArrowSHM-muted">{summary.problem}</p>;
  const { rows, nulls, distinct, min, max, mean, deviation, lengths, top } = summary;
  const [lower, median, upper] = summary.quartiles ?? [];
  const facts: [string, string | undefined][] = [
    [trans.__('Arrow type'), type],
    [trans.__('Nulls'), nulls ? `${format.count(nulls)} (${format.share(nulls / rows)})` : trans.__('none')],
    [trans.__('Distinct values'), distinct === null ? undefined : format.count(distinct)],
    [isTime ? trans.__('First') : trans.__('Smallest'), min?.text],
    [trans.__('Lower quartile'), lower?.text],
    [trans.__('Median'), median?.text],
    [trans.__('Upper quartile'), upper?.text],
    [isTime ? trans.__('Last') : trans.__('Largest'), max?.text],
    [trans.__('Mean'), mean?.text],
    [trans.__('Standard deviation'), deviation?.text],
    [trans.__('Most frequent'), top?.length && distinct !== rows - nulls ? `${top[0].text} (${format.share(top[0].count / rows)})` : undefined],
    [trans.__('Length'), lengths ? lengthWords(lengths, format) : undefined]
  ];
  return (
    <div className="jp-ArrowSHM-summary">
      {!summary.exact && (
        <p>
          <Icon name="search" /> {trans.__('From a sample of %1', format.rows(rows))}
        </p>
      )}
      <dl>
        {facts.map(
          ([name, value]) =>
            value !== undefined && (
              <React.Fragment key={name}>
                <dt>{name}</dt>
                <dd title={value}>{oneLine(limitWords(value))}</dd>
              </React.Fragment>
            )
        )}
      </dl>
    </div>
  );
}

function lengthWords({ min, mean, max }: { min: number; mean: number; max: number }, format: Format): string {
  if (min === max) return format.count(min);
  return format.trans.__('%1 to %2, mean %3', format.count(min), format.count(max), format.decimal(mean, 1));
}
