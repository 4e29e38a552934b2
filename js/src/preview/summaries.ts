import type { FilterJSON, IColumnSummary, IPreviewSource } from './source';

/** The number of summaries that are requested together. */
const AT_ONCE = 12;

/** A column's summary, and the share of the table's rows that it is about. */
export type Summary = IColumnSummary & { readonly share: number };

/** The summaries of the columns in view, requested a few at a time. Those of the last view stay until others are there. */
export class Summaries {
  constructor(
    private readonly _source: IPreviewSource,
    private readonly _signal: AbortSignal,
    private readonly _onChange: () => void
  ) {}

  get(column: number): Summary | undefined {
    return this._known.get(column);
  }

  /** The filter has changed, or the version (`all`: nothing that is known can be shown any longer). */
  restart(version: string, filter: FilterJSON | null, all: boolean): void {
    this._view = { version, filter };
    this._asked.clear();
    if (all) this._known.clear();
  }

  /** Request those of these columns that are not here yet. */
  look(columns: readonly number[]): void {
    const view = this._view;
    if (this._isAsking || !view) return;
    this._looked = columns;
    const missing = columns.filter(column => !this._asked.has(column)).slice(0, AT_ONCE);
    if (!missing.length) return;
    for (const column of missing) this._asked.add(column);
    this._isAsking = true;
    const forget = (): void => missing.forEach(column => this._known.delete(column));
    this._source
      .summary({ columns: missing, ...view }, this._signal)
      .then(({ columns: found, matches, searched }) => {
        // The view has changed by now: these are not its summaries.
        if (view !== this._view) return;
        forget();
        for (const one of found) this._known.set(one.column, { ...one, share: searched ? matches / searched : 0 });
      })
      // The rows are there without them; the rows report what is wrong.
      .catch(() => {
        if (view === this._view) forget();
      })
      .finally(() => {
        this._isAsking = false;
        if (view === this._view) this._onChange();
        this.look(this._looked);
      });
  }

  private readonly _known = new Map<number, Summary>();
  private readonly _asked = new Set<number>();
  private _view: { readonly version: string; readonly filter: FilterJSON | null } | null = null;
  private _looked: readonly number[] = [];
  private _isAsking = false;
}
