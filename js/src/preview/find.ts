/** A search for a text in the text columns of a view: its cells one after the other, and the number of rows that have it. */
import { isAborted } from '../shared/problem';
import type { IPlace } from './cellactions';
import type { PreviewModel } from './previewmodel';
import type { IFound } from './source';

export type Direction = -1 | 0 | 1;

export class Find {
  /** @param _show - Bring a cell that was found into view. */
  constructor(
    private readonly _preview: PreviewModel,
    private readonly _show: (place: IPlace) => void,
    private readonly _onChange: () => void
  ) {
    this._stop = _preview.onChange(() => {
      if (!this._text || this._searched === this._view) return;
      // Other rows: where the cells with the text are, and how many, is not known any more.
      this._clear();
      void this.go(0, null, false);
    });
  }

  get text(): string {
    return this._text;
  }

  get ignoreCase(): boolean {
    return this._ignoreCase;
  }

  /** How far the search is; `null` before the first answer. */
  get found(): IFound | null {
    return this._found;
  }

  /** The present cell's row among those that have the text, from 1, where that is known. */
  get number(): number | null {
    return this._number;
  }

  get isBusy(): boolean {
    return this._running !== null;
  }

  get problem(): string {
    return this._problem;
  }

  /** Look for another text from this cell on. */
  start(text: string, ignoreCase: boolean, from: IPlace | null): void {
    this._text = text;
    this._ignoreCase = ignoreCase;
    this._clear();
    this._preview.search = text;
    if (text) void this.go(0, from);
    else this._onChange();
  }

  /** Go on to the next cell, or back to the previous one; `isShown`: or only count. Steps of a key that is held follow one another. */
  async go(direction: Direction, from: IPlace | null, isShown = true): Promise<void> {
    if (direction && this._isOnItsWay) {
      this._ahead += direction;
      return;
    }
    this._running?.abort();
    if (!this._text) return;
    const running = new AbortController();
    this._isOnItsWay = isShown;
    this._running = running;
    this._searched = this._view;
    this._problem = '';
    this._onChange();
    try {
      await this._search(direction, from, isShown, running.signal);
    } catch (error) {
      if (!isAborted(error) && !running.signal.aborted) this._problem = error instanceof Error ? error.message : String(error);
    }
    if (this._running === running) {
      this._running = null;
      this._isOnItsWay = false;
      this._ahead = 0;
      this._onChange();
    }
  }

  dispose(): void {
    this._stop();
    this._running?.abort();
  }

  private async _search(direction: Direction, from: IPlace | null, isShown: boolean, signal: AbortSignal): Promise<void> {
    let hit: IPlace | null = null;
    // An answer takes a second at most: the next one goes on where it stopped.
    for (;;) {
      const at: IPlace | null = hit ?? from;
      const step = { direction: hit ? (0 as const) : direction, row: at?.row ?? -1, column: at?.column ?? -1 };
      const found = await this._preview.find({ text: this._text, ignore_case: this._ignoreCase ? 1 : 0, ...step }, signal);
      if (signal.aborted || !found) return;
      this._found = found;
      if (!found.done) from = found.from === null ? from : { row: found.from, column: -1 };
      else if (!hit && found.row !== null && found.column !== null) {
        hit = { row: found.row, column: found.column };
        if (isShown) this._arrive(hit, found.number);
      }
      this._onChange();
      // When the cell is known, only the other rows are counted.
      if (found.done && (found.searched >= found.num_rows || !hit)) return;
    }
  }

  private _arrive(hit: IPlace, number: number | null): void {
    // Another cell of the same row has the same number.
    this._number = number ?? (hit.row === this._row ? this._number : null);
    this._row = hit.row;
    this._show(hit);
    this._isOnItsWay = false;
    const next = Math.sign(this._ahead) as Direction;
    this._ahead -= next;
    if (next) void this.go(next, hit);
  }

  private _clear(): void {
    this._running?.abort();
    this._running = null;
    this._found = null;
    this._number = this._row = null;
    this._problem = '';
    this._isOnItsWay = false;
    this._ahead = 0;
  }

  private get _view(): string {
    const { view, shown, table } = this._preview;
    return JSON.stringify([view.filters, view.sort, shown, table?.version]);
  }

  private readonly _stop: () => void;
  private _text = '';
  private _ignoreCase = true;
  private _found: IFound | null = null;
  private _number: number | null = null;
  private _row: number | null = null;
  private _running: AbortController | null = null;
  private _isOnItsWay = false; // to a cell, which is not known yet
  private _ahead = 0; // steps that were asked for meanwhile
  private _searched = '';
  private _problem = '';
}
