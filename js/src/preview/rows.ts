import { isAborted } from '../shared/problem';
import { Cell, IField, Page } from './page';
import type { FilterJSON, IPageFacts, IPreviewSource, SortJSON } from './source';

/** The rows and columns that are fetched together. */
export const BLOCK_ROWS = 200;
export const BLOCK_COLUMNS = 40;
/** The number of blocks that are kept; a page is 2 MB at most and usually far less. */
const KEPT = 120;
const AT_ONCE = 2;
/** The wait during which nothing is requested, while the user drags the scroll bar past. */
const SETTLED = 40; // ms

/** A range from the first row or column to the last, inclusive. */
export interface IWindow {
  readonly r1: number;
  readonly r2: number;
  readonly c1: number;
  readonly c2: number;
}

export interface IRowsOptions {
  readonly source: IPreviewSource;
  readonly version: string;
  readonly sort: readonly SortJSON[];
  readonly filter: FilterJSON | null;
  /** The numbers of the columns that are shown; windows and places are counted among these. */
  readonly columns: readonly number[];
  /** The first so many of them are always in view. */
  readonly pinned?: number;
  onPage(facts: IPageFacts, fields: readonly IField[], window: IWindow): void;
  onError(error: unknown): void;
}

/**
 * The rows of one view of one version, fetched as they come into view.
 *
 * The rows in view are requested when they have not changed for a moment; a
 * request for rows that are no longer in view is not waited for.
 */
export class Rows {
  constructor(private readonly _options: IRowsOptions) {}

  /** `undefined` means not here yet. Rows are counted in the view. */
  cell(row: number, column: number): Cell | undefined {
    const pages = this._blocks.get(key(Math.floor(row / BLOCK_ROWS), Math.floor(column / BLOCK_COLUMNS)));
    const page = pages?.find(one => row >= one.facts.offset && row < one.facts.offset + one.num_rows);
    return page?.cell(row - page.facts.offset, this._options.columns[column]);
  }

  /** Some cells of the column that are here. */
  sample(column: number): Cell[] {
    const index = Math.floor(column / BLOCK_COLUMNS);
    for (const [block, pages] of this._blocks) {
      if (Number(block.split(':')[1]) === index) {
        return pages.flatMap(page => Array.from({ length: page.num_rows }, (_, row) => page.cell(row, this._options.columns[column]) ?? null));
      }
    }
    return [];
  }

  /** Note that these are in view. */
  look(window: IWindow): void {
    if (this._isDisposed) return;
    this._window = window;
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._fetchMissing(), this._hasAny ? SETTLED : 0);
  }

  /** Cells as complete as the server gives them, for a copy; they are not kept. */
  async fetch(window: IWindow, cell: number, signal: AbortSignal): Promise<Page[]> {
    const columns = this._options.columns.slice(window.c1, window.c2 + 1);
    const pages: Page[] = [];
    for (let offset = window.r1; offset <= window.r2; ) {
      const page = await this._page(offset, window.r2 - offset + 1, columns, signal, cell);
      if (!page.num_rows) break;
      pages.push(page);
      offset += page.num_rows;
    }
    return pages;
  }

  /** Ask the server to keep this version at hand. */
  async touch(signal: AbortSignal): Promise<void> {
    await this._page(0, 0, this._options.columns.slice(0, 1), signal);
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._timer);
    for (const running of this._running.values()) running.abort();
  }

  private _fetchMissing(): void {
    const { r1, r2, c1, c2 } = this._window;
    const wanted = new Set<string>();
    for (let row = Math.floor(r1 / BLOCK_ROWS); row * BLOCK_ROWS <= r2; row++) {
      for (let column = 0; column * BLOCK_COLUMNS <= c2; column++) {
        const isPinned = column * BLOCK_COLUMNS < (this._options.pinned ?? 0);
        if (column < Math.floor(c1 / BLOCK_COLUMNS) && !isPinned) continue;
        const block = key(row, column);
        wanted.add(block);
        if (this._isWhole(block)) this._used(block);
      }
    }
    for (const [block, running] of this._running) if (!wanted.has(block)) running.abort();
    for (const block of wanted) {
      if (this._running.size >= AT_ONCE) return;
      if (!this._running.has(block) && !this._isWhole(block)) void this._fetchBlock(block);
    }
  }

  private async _fetchBlock(block: string): Promise<void> {
    const running = new AbortController();
    this._running.set(block, running);
    const [row, column] = block.split(':').map(Number);
    const pages = this._blocks.get(block) ?? [];
    const last = pages.at(-1);
    // A page may have fewer rows than were asked for: go on after them.
    const offset = last ? last.facts.offset + last.num_rows : row * BLOCK_ROWS;
    const c1 = column * BLOCK_COLUMNS;
    const columns = this._options.columns.slice(c1, c1 + BLOCK_COLUMNS);
    const c2 = c1 + columns.length - 1;
    try {
      const page = await this._page(offset, (row + 1) * BLOCK_ROWS - offset, columns, running.signal);
      if (running.signal.aborted) return;
      this._hasAny = true;
      this._rows = page.facts.view_rows;
      // Rows that have not been sorted yet are asked for again.
      if (page.num_rows || (page.facts.sorted ?? 1) === 1) {
        this._blocks.set(block, [...pages, page]);
        if (!page.num_rows) this._ended.add(block);
        this._used(block);
      }
      this._options.onPage(page.facts, page.fields, { r1: offset, r2: offset + page.num_rows - 1, c1, c2 });
    } catch (error) {
      // After an error nothing is requested automatically: the failing request would be repeated at once.
      if (!isAborted(error) && !running.signal.aborted) return this._options.onError(error);
    } finally {
      this._running.delete(block);
    }
    if (!this._isDisposed) this._fetchMissing();
  }

  private async _page(offset: number, limit: number, columns: readonly number[], signal: AbortSignal, cell?: number): Promise<Page> {
    const { source, sort, filter, version } = this._options;
    return new Page(await source.rows({ offset, limit, columns, sort, filter, version, cell }, signal));
  }

  private _isWhole(block: string): boolean {
    const last = this._blocks.get(block)?.at(-1);
    if (!last) return false;
    const end = last.facts.offset + last.num_rows;
    return this._ended.has(block) || end % BLOCK_ROWS === 0 || end >= this._rows;
  }

  /** The block that was used last is the last to go. */
  private _used(block: string): void {
    const pages = this._blocks.get(block);
    if (!pages) return;
    this._blocks.delete(block);
    this._blocks.set(block, pages);
    for (const oldest of this._blocks.keys()) {
      if (this._blocks.size <= KEPT) return;
      this._blocks.delete(oldest);
    }
  }

  private readonly _blocks = new Map<string, Page[]>();
  private readonly _ended = new Set<string>();
  private readonly _running = new Map<string, AbortController>();
  private _window: IWindow = { r1: 0, r2: 0, c1: 0, c2: 0 };
  private _rows = Infinity;
  private _hasAny = false;
  private _isDisposed = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

function key(row: number, column: number): string {
  return `${row}:${column}`;
}
