/** The actions for one cell: filters made of its value, and copies. */
import type { IMenuSection } from '../shared/Menu';
import { pythonString, variableFor } from '../shared/code';
import { cellText, tsv } from './celltext';
import { columnType, pythonLiteral } from './code/literal';
import type { Cell, IField } from './page';
import type { IPreviewHost } from './previewhost';
import type { PreviewModel } from './previewmodel';
import { Condition, IChoice, withCondition } from './query';

export interface IPlace {
  readonly row: number;
  readonly column: number;
}

export function cellActions(preview: PreviewModel, host: IPreviewHost, { row, column }: IPlace, open: () => void): IMenuSection[] {
  const { trans } = host.format;
  const schema = preview.table?.schema[column];
  const field = preview.field(column);
  const cell = preview.cell(row, column);
  if (!schema || !field || cell === undefined) return [];
  const key = { column, ...schema };
  const filter = (condition: Condition | null): void => {
    preview.view = withCondition(preview.view, key, condition);
  };
  const copy = (text: string): void => {
    host.copyText?.(text);
    host.notify(trans.__('Copied'));
  };
  const inFull = async (use: (cell: Cell) => void): Promise<void> => {
    try {
      use(await preview.fetchCell(row, column));
    } catch (error) {
      host.notify(error instanceof Error ? error.message : String(error), true);
    }
  };
  const text = (value: Cell): string => (value === null ? '' : cellText(value, field.number));
  const before = preview.view.filters.find(one => one.column === column)?.condition;
  const others = before?.kind === 'except' ? before.values : [];
  const sections: IMenuSection[] = [];
  if (preview.isRowsOnly) {
    // Nothing can be filtered.
  } else if (cell === null) {
    const items = [
      { label: trans.__('Only nulls'), run: () => filter({ kind: 'missing' }) },
      { label: trans.__('Exclude nulls'), run: () => filter({ kind: 'present' }) }
    ];
    sections.push({ items });
  } else if (canBeFound(field)) {
    const choose = (use: (choice: IChoice) => void): void => void inFull(value => value !== null && use(choiceOf(value, field)));
    sections.push({
      items: [
        { label: trans.__('Only this value'), run: () => choose(one => filter({ kind: 'values', values: [one], missing: false })) },
        { label: trans.__('Exclude this value'), run: () => choose(one => filter({ kind: 'except', values: [...others, one] })) }
      ]
    });
  }
  if (host.copyText) {
    sections.push({
      items: [
        { label: trans.__('Copy'), run: () => void inFull(value => copy(text(value))) },
        { label: trans.__('Copy with column name'), run: () => void inFull(value => copy(tsv([[schema.name], [text(value)]]))) },
        {
          label: trans.__('Copy as condition'),
          run: () =>
            void inFull(value => {
              const condition = conditionCode(preview.table?.name ?? '', schema, value === null ? null : choiceOf(value, field));
              if (condition) copy(condition);
              else host.notify(trans.__('Python has no literal of this value.'), true);
            })
        }
      ]
    });
  }
  return [...sections, { items: [{ label: trans.__('Show in full'), run: open }] }];
}

function canBeFound({ kind, filterable }: IField): boolean {
  return filterable && ['number', 'text', 'bool', 'time'].includes(kind);
}

function choiceOf(cell: NonNullable<Cell>, { number }: IField): IChoice {
  const text = cellText(cell, number);
  return { text, value: typeof cell === 'boolean' ? cell : text };
}

/** `trips["city"] == "Oslo"`; `null` if there is no such literal. */
function conditionCode(table: string, { name, type }: { name: string; type: string }, choice: IChoice | null): string | null {
  const column = `${variableFor(table, 'python')}[${pythonString(name)}]`;
  if (!choice) return `${column}.isna()`;
  const literal = pythonLiteral(choice.value, columnType(type));
  return literal && `${column} == ${literal}`;
}
