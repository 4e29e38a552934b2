import React, { useEffect, useState } from 'react';
import type { Format } from '../shared/format';
import { oneLine } from './celltext';
import type { IColumnKey } from './layout';
import type { PreviewModel } from './previewmodel';
import { Condition, IChoice, isEmpty, withCondition } from './query';
import type { IColumnSummary, Kind } from './source';

/** The conditions that make sense for a kind of column, the most useful first. */
export function conditionKinds(kind: Kind): Condition['kind'][] {
  switch (kind) {
    case 'text':
      return ['values', 'except', 'text', 'range', 'missing', 'present'];
    case 'number':
    case 'time':
      return ['range', 'values', 'except', 'missing', 'present'];
    case 'bool':
    case 'binary':
      return ['values', 'except', 'missing', 'present'];
    default:
      return ['missing', 'present'];
  }
}

interface IFilterEditorProps {
  readonly preview: PreviewModel;
  readonly format: Format;
  readonly columnKey: IColumnKey;
  readonly kinds: readonly Condition['kind'][];
  readonly close: () => void;
}

/** The filter of one column, as a form. */
export function FilterEditor({ preview, format, columnKey, kinds, close }: IFilterEditorProps): React.JSX.Element {
  const { trans } = format;
  const current = preview.view.filters.find(filter => filter.column === columnKey.column)?.condition;
  const [draft, setDraft] = useState<Condition>(current ?? empty(kinds[0]));
  const summary = useChoices(preview, columnKey.column, current !== undefined);
  const names: Record<Condition['kind'], string> = {
    values: trans.__('Values'),
    except: trans.__('All but'),
    range: trans.__('Range'),
    text: trans.__('Contains'),
    missing: trans.__('Is null'),
    present: trans.__('Is not null')
  };
  const apply = (condition: Condition | null): void => {
    preview.view = withCondition(preview.view, columnKey, condition);
    close();
  };
  return (
    <form
      onSubmit={event => {
        event.preventDefault();
        apply(draft);
      }}
    >
      <div className="jp-ArrowSHM-formRow">
        <label>
          {trans.__('Filter')}{' '}
          <select className="jp-ArrowSHM-select" value={draft.kind} onChange={event => setDraft(empty(event.target.value as Condition['kind']))}>
            {kinds.map(kind => (
              <option key={kind} value={kind}>
                {names[kind]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {(draft.kind === 'values' || draft.kind === 'except') && (
        <Values draft={draft} setDraft={setDraft} summary={summary} format={format} />
      )}
      {draft.kind === 'range' && <Range draft={draft} setDraft={setDraft} summary={summary} format={format} />}
      {draft.kind === 'text' && (
        <div className="jp-ArrowSHM-formRow">
          <input
            aria-label={trans.__('Text')}
            value={draft.text}
            autoFocus
            spellCheck={false}
            onChange={event => setDraft({ ...draft, text: event.target.value })}
          />
          <label>
            <input
              type="checkbox"
              checked={draft.ignoreCase}
              onChange={event => setDraft({ ...draft, ignoreCase: event.target.checked })}
            />{' '}
            {trans.__('Ignore case')}
          </label>
        </div>
      )}
      <div className="jp-ArrowSHM-buttons">
        <button type="submit" className="jp-ArrowSHM-button jp-mod-accept" disabled={isEmpty(draft)}>
          {trans.__('Apply')}
        </button>
        {current && (
          <button type="button" className="jp-ArrowSHM-button" onClick={() => apply(null)}>
            {trans.__('Clear')}
          </button>
        )}
      </div>
    </form>
  );
}

/** The values that the filter can choose from, including those that it leaves out now. */
function useChoices(preview: PreviewModel, column: number, isFiltered: boolean): IColumnSummary | undefined {
  const [choices, setChoices] = useState<IColumnSummary>();
  useEffect(() => {
    let isWanted = isFiltered;
    if (isFiltered) {
      preview
        .choices(column)
        .then(found => isWanted && setChoices(found))
        // Without them the list has the values of the view, and there is a field to type others into.
        .catch(() => undefined);
    }
    return () => {
      isWanted = false;
    };
  }, [preview, column, isFiltered]);
  return choices ?? preview.summary(column);
}

function empty(kind: Condition['kind']): Condition {
  switch (kind) {
    case 'values':
      return { kind, values: [], missing: false };
    case 'except':
      return { kind, values: [] };
    case 'range':
      return { kind, min: '', max: '' };
    case 'text':
      return { kind, text: '', ignoreCase: true };
    default:
      return { kind };
  }
}

interface IDraftProps<K extends Condition['kind']> {
  readonly draft: Extract<Condition, { kind: K }>;
  readonly setDraft: (draft: Condition) => void;
  readonly summary: IColumnSummary | undefined;
  readonly format: Format;
}

/** The most frequent values, and others that the user types. */
function Values({ draft, setDraft, summary, format }: IDraftProps<'values' | 'except'>): React.JSX.Element {
  const { trans } = format;
  const [typed, setTyped] = useState('');
  const top = (summary?.top ?? []).flatMap(one => (one.value === undefined ? [] : [{ ...one, value: one.value }]));
  const isChosen = (choice: IChoice): boolean => draft.values.some(one => one.value === choice.value);
  const others = draft.values.filter(one => !top.some(choice => choice.value === one.value)).map(one => ({ ...one, count: undefined }));
  const toggle = (choice: IChoice): void => {
    const rest = draft.values.filter(one => one.value !== choice.value);
    const { text, value } = choice;
    setDraft({ ...draft, values: isChosen(choice) ? rest : [...rest, { text, value }] });
  };
  const add = (): void => {
    const value = typed.trim();
    if (value && !isChosen({ text: value, value })) setDraft({ ...draft, values: [...draft.values, { text: value, value }] });
    setTyped('');
  };
  return (
    <>
      <ul className="jp-ArrowSHM-values" aria-label={trans.__('Values')}>
        {[...top, ...others].map(choice => (
          <li key={`${typeof choice.value} ${choice.value}`}>
            <label>
              <input type="checkbox" checked={isChosen(choice)} onChange={() => toggle(choice)} />
              <span>{oneLine(choice.text) || trans.__('(empty)')}</span>
              {choice.count !== undefined && <span className="jp-ArrowSHM-muted">{format.count(choice.count)}</span>}
            </label>
          </li>
        ))}
        {draft.kind === 'values' && (summary?.nulls ?? 0) > 0 && (
          <li>
            <label>
              <input type="checkbox" checked={draft.missing} onChange={event => setDraft({ ...draft, missing: event.target.checked })} />
              <em>null</em>
              <span className="jp-ArrowSHM-muted">{format.count(summary?.nulls ?? 0)}</span>
            </label>
          </li>
        )}
      </ul>
      <div className="jp-ArrowSHM-formRow">
        <input
          aria-label={trans.__('Another value')}
          placeholder={trans.__('Another value')}
          value={typed}
          spellCheck={false}
          onChange={event => setTyped(event.target.value)}
          onBlur={add}
          onKeyDown={event => {
            if (event.key !== 'Enter' || !typed.trim()) return;
            // It is added; the next Enter applies the filter.
            event.preventDefault();
            add();
          }}
        />
      </div>
    </>
  );
}

function Range({ draft, setDraft, summary, format }: IDraftProps<'range'>): React.JSX.Element {
  const { trans } = format;
  return (
    <div className="jp-ArrowSHM-formRow jp-mod-pair">
      <label>
        {trans.__('From')}
        <input
          value={draft.min}
          placeholder={summary?.min?.text}
          spellCheck={false}
          onChange={event => setDraft({ ...draft, min: event.target.value.trim() })}
        />
      </label>
      <label>
        {draft.below ? trans.__('Below') : trans.__('To')}
        <input
          value={draft.max}
          placeholder={summary?.max?.text}
          spellCheck={false}
          onChange={event => setDraft({ kind: 'range', min: draft.min, max: event.target.value.trim() })}
        />
      </label>
    </div>
  );
}
