import { DataType, Precision, tableFromIPC, Vector } from 'apache-arrow';
import type { IPageFacts, Kind } from './source';

/** A cell as it came: a number, a bool, or else the text to show. `null` is a missing value. */
export type Cell = number | bigint | boolean | string | null;

/** The facts that a page gives about one of its columns. */
export interface IField {
  /** Its number in the table. */
  readonly column: number;
  readonly name: string;
  readonly kind: Kind;
  readonly sortable: boolean;
  readonly filterable: boolean;
  /** The type in which its numbers travel: a float32 has fewer digits than JavaScript would show. */
  readonly number: 'integer' | 'float32' | 'float64' | null;
  /** Whether cells of this page were cut. */
  readonly cut: boolean;
}

/** Some rows of some columns. */
export class Page {
  readonly facts: IPageFacts;
  readonly fields: readonly IField[];
  readonly num_rows: number;

  /** @param bytes - An Arrow IPC stream. */
  constructor(bytes: Uint8Array) {
    const table = tableFromIPC(bytes);
    const facts = table.schema.metadata.get('arrowshm.preview');
    if (facts === undefined) throw new Error('these are no rows of a preview');
    this.facts = JSON.parse(facts) as IPageFacts;
    this.num_rows = table.numRows;
    this.fields = table.schema.fields.map((field, i) => ({
      column: Number(field.metadata.get('column') ?? i),
      name: field.name,
      kind: (field.metadata.get('kind') ?? 'other') as Kind,
      sortable: field.metadata.get('sortable') === 'true',
      filterable: field.metadata.get('filterable') === 'true',
      number: numberOf(field.type as DataType),
      cut: Number(field.metadata.get('cut') ?? 0) > 0
    }));
    this.fields.forEach((field, i) => {
      const vector = table.getChildAt(i);
      if (vector) this._vectors.set(field.column, vector);
    });
  }

  /** `row` is counted from the page's first; `undefined` for a column that did not come. */
  cell(row: number, column: number): Cell | undefined {
    return this._vectors.get(column)?.get(row) as Cell | undefined;
  }

  private readonly _vectors = new Map<number, Vector>();
}

function numberOf(type: DataType): IField['number'] {
  if (DataType.isInt(type)) return 'integer';
  if (!DataType.isFloat(type)) return null;
  return type.precision === Precision.DOUBLE ? 'float64' : 'float32';
}
