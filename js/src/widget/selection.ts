import type { Grid } from '../preview/grid';
import type { PreviewModel } from '../preview/previewmodel';
import { filterJSON, sortJSON } from '../preview/query';
import { question } from '../preview/question';
import { isAborted } from '../shared/problem';
import type { Link } from './link';
import { change, IModel, isSame, onChange } from './traits';

/** The wait during which nothing is requested, while the user drags. */
const SETTLED = 150; // ms

/** Keeps the widget's `selected`, which has row numbers of the table, in step with the selection in the grid. */
export class Selection {
  constructor(
    private readonly _preview: PreviewModel,
    private readonly _model: IModel,
    private readonly _link: Link
  ) {
    this._stops = [
      onChange(_model, ['selected'], () => {
        if (!isSame(this._rows, this._known)) void this._show();
      }),
      // After a new sort, the same rows are in other places.
      _preview.onChange(() => {
        if (!this._grid || !_preview.facts || this._shownIn === this._view) return;
        if (this._rows.length) return void this._show();
        // This is what the user selected before the rows had come.
        this._shownIn = this._view;
        this._tellLater();
      })
    ];
  }

  /** Handle a new selection, or a new grid. */
  readonly changed = (grid: Grid): void => {
    const isNew = grid !== this._grid;
    this._grid = grid;
    if (isNew || this._isShowing) return;
    this._wishes++;
    if (this._preview.facts) this._tellLater();
  };

  dispose(): void {
    clearTimeout(this._later);
    for (const stop of this._stops) stop();
  }

  private get _rows(): readonly number[] {
    return this._model.get('selected') as number[];
  }

  private get _view(): string {
    const { view, table } = this._preview;
    return JSON.stringify([sortJSON(view), filterJSON(view), table?.version]);
  }

  private _tellLater(): void {
    clearTimeout(this._later);
    this._later = setTimeout(() => void this._tell(), SETTLED);
  }

  private async _tell(): Promise<void> {
    const window = this._grid?.selected();
    if (!window) return;
    const before = this._rows;
    const rows = await this._ask('rows_of', { first: window.r1, last: window.r2 });
    if (!rows || !isSame(before, this._rows)) return;
    this._known = rows;
    change(this._model, { selected: rows });
  }

  private async _show(): Promise<void> {
    const rows = this._rows;
    const view = this._view;
    this._known = rows;
    clearTimeout(this._later);
    // Rows that are not there yet cannot be selected; when they come, this is called again. An empty selection can be
    // made at once: what the user selects from here on stays.
    this._shownIn = this._preview.facts ? view : '';
    if (!this._shownIn && rows.length) return;
    const wishes = this._wishes;
    const places = rows.length ? await this._ask('places_of', { rows }) : [];
    // Python or the user has changed the selection by now.
    if (!places || !isSame(rows, this._rows) || view !== this._view || wishes !== this._wishes) return;
    this._isShowing = true;
    this._grid?.selectRows(places.sort((a, b) => a - b));
    this._isShowing = false;
  }

  private async _ask(what: 'rows_of' | 'places_of', more: Record<string, unknown>): Promise<number[] | null> {
    const { view, table } = this._preview;
    const query = { version: table?.version, sort: sortJSON(view), filter: filterJSON(view) };
    try {
      const { head } = await this._link.ask({ what, ...question(query), ...more });
      return head[what === 'rows_of' ? 'rows' : 'places'] as number[];
    } catch (error) {
      // The version has changed by now: the selection was of the older version's rows.
      if (!isAborted(error)) this._known = this._rows;
      return null;
    }
  }

  private readonly _stops: (() => void)[];
  private _grid: Grid | null = null;
  private _known: readonly number[] = [];
  private _shownIn = '';
  private _isShowing = false;
  /** The number of times that the user has selected something. */
  private _wishes = 0;
  private _later: ReturnType<typeof setTimeout> | undefined;
}
