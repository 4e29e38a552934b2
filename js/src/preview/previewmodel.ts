import type { FileFormat, ISaved } from '../shared/download';
import type { Format } from '../shared/format';
import { isAborted, problemOf } from '../shared/problem';
import type { Problem } from '../shared/table';
import { chartOf, IChart } from './chart';
import { ColumnStyle, NumberFormat } from './columnstyle';
import { Cell, IField, Page } from './page';
import { ILayout, pinnedColumns, shownColumns } from './layout';
import { carried, filterJSON, IView, sortJSON, WHOLE } from './query';
import { IWindow, Rows } from './rows';
import { Summaries, Summary } from './summaries';
import { FilterJSON, IColumnSummary, IFindStep, IFound, IGroups, INode, IPageFacts, IPoints, Measure, IPreviewSource, IPreviewTable, SortJSON, WHOLE_CELL } from './source';

export type Change =
  /** Other columns. */
  | { readonly kind: 'columns' }
  /** Other rows, or another number of them. */
  | { readonly kind: 'rows' }
  /** These cells have come. */
  | { readonly kind: 'cells'; readonly window: IWindow }
  | { readonly kind: 'summary' }
  /** Anything else that is shown. */
  | { readonly kind: 'state' };

/** The server keeps a version that lost its name for a few seconds after it was asked for. */
const KEEP_AT_HAND = 2000; // ms

/** The state that a tab remembers. */
export interface IPreviewOptions {
  readonly view: IView;
  /** Show the newest version as soon as there is one. */
  readonly follow: boolean;
  /** The formats of numbers, by column name. */
  readonly numbers: Readonly<Record<string, NumberFormat>>;
}

export const PREVIEW_OPTIONS: IPreviewOptions = { view: WHOLE, follow: true, numbers: {} };

/** The rows of a table under a filter and an order, kept up to date with the table's versions. */
export class PreviewModel {
  constructor(
    private readonly _source: IPreviewSource,
    { view, follow, numbers }: IPreviewOptions = PREVIEW_OPTIONS
  ) {
    this._view = view;
    this._follow = follow;
    this._numbers = numbers;
    this._summaries = new Summaries(_source, this._life.signal, () => this._emit({ kind: 'summary' }));
    this._stop = _source.onChange(() => this._update());
    this._update();
  }

  /** The version that is shown; `null` until there is one. */
  get table(): IPreviewTable | null {
    return this._table;
  }

  get view(): IView {
    return this._view;
  }

  set view(view: IView) {
    this._view = view;
    this._lost = [];
    this._restart();
  }

  get follow(): boolean {
    return this._follow;
  }

  set follow(follow: boolean) {
    this._follow = follow;
    this._update();
    this._emit({ kind: 'state' });
  }

  get options(): IPreviewOptions {
    return { view: this._view, follow: this._follow, numbers: this._numbers };
  }

  /** Whether there is a newer version than the one that is shown. */
  get isOlder(): boolean {
    return this._isOlder;
  }

  /** Whether the table is no longer shared. */
  get isGone(): boolean {
    return this._isGone;
  }

  get isFile(): boolean {
    return this._source.isFile ?? false;
  }

  /** Whether the rows can only be looked at: not sorted, filtered, searched, counted or saved. */
  get isRowsOnly(): boolean {
    return this._source.isRowsOnly ?? false;
  }

  /** Columns of the filter or the order that the shown version does not have. */
  get lost(): readonly string[] {
    return this._lost;
  }

  get problem(): Problem | null {
    return this._problem;
  }

  /** The number of rows in the view as it is now; `null` until its first rows have come. */
  get facts(): IPageFacts | null {
    return this._facts;
  }

  /** The number of rows that can be scrolled through. */
  get num_rows(): number {
    return this._numRows;
  }

  /** The numbers of the columns that are shown, from left to right. */
  get shown(): readonly number[] {
    return this._shown;
  }

  /** The number of columns, from the left, that are pinned. */
  get pinned(): number {
    return this._pinned;
  }

  /** The place of a column among those that are shown; -1 for a hidden one. */
  place(column: number): number {
    return this._places.get(column) ?? -1;
  }

  get layout(): ILayout {
    return this._view.layout;
  }

  /** Show other columns, or the same in another order. */
  set layout(layout: ILayout) {
    this._view = { ...this._view, layout };
    this._restart(false);
    this._emit({ kind: 'columns' });
  }

  field(column: number): IField | undefined {
    return this._fields.get(column);
  }

  summary(column: number): Summary | undefined {
    return this._summaries.get(column);
  }

  /** The chart of the column; `null` where there is none, or not yet. */
  chart(column: number): IChart | null {
    const summary = this._summaries.get(column);
    return summary ? chartOf(summary) : null;
  }

  /** The column's summary under the filters of all other columns: what its own filter can choose from. */
  async choices(column: number): Promise<IColumnSummary | undefined> {
    if (!this._table) return undefined;
    const others = { ...this._view, filters: this._view.filters.filter(filter => filter.column !== column) };
    const query = { columns: [column], filter: filterJSON(others), version: this._table.version };
    return (await this._source.summary(query, this._life.signal)).columns[0];
  }

  cell(row: number, column: number): Cell | undefined {
    return this._rows?.cell(row, this.place(column));
  }

  /** The look of the column's cells; what the first cells have in common is taken to hold for all. */
  style(column: number, format: Format): ColumnStyle {
    const known = this._styles.get(column);
    if (known) return known;
    const sample = this._rows?.sample(this.place(column)) ?? [];
    const made = new ColumnStyle(format, this.field(column), this.numbers(column), sample);
    if (sample.length) this._styles.set(column, made);
    return made;
  }

  /** The format of the column's numbers. */
  numbers(column: number): NumberFormat {
    return this._numbers[this._table?.schema[column]?.name ?? ''] ?? 'auto';
  }

  setNumbers(column: number, numbers: NumberFormat): void {
    const name = this._table?.schema[column]?.name;
    if (name !== undefined) this.formats = { ...this._numbers, [name]: numbers };
  }

  /** The formats of numbers, by column name. */
  get formats(): Readonly<Record<string, NumberFormat>> {
    return this._numbers;
  }

  set formats(formats: Readonly<Record<string, NumberFormat>>) {
    this._numbers = formats;
    this._styles.clear();
    this._emit({ kind: 'cells', window: { r1: 0, r2: this._numRows - 1, c1: 0, c2: this._shown.length - 1 } });
    this._emit({ kind: 'state' });
  }

  /** The text that is looked for in the cells; empty: none. */
  get search(): string {
    return this._search;
  }

  set search(search: string) {
    if (search === this._search) return;
    this._search = search;
    this._emit({ kind: 'state' });
  }

  /** Call back at each change, until the returned function is called. */
  onChange(callback: (change: Change) => void): () => void {
    this._callbacks.add(callback);
    return () => this._callbacks.delete(callback);
  }

  /** Fetch what is missing of these, which are in view. */
  look(window: IWindow): void {
    this._window = window;
    this._rows?.look(window);
    this._summarize();
  }

  /** One cell, as complete as the source gives it. */
  async fetchCell(row: number, column: number): Promise<Cell> {
    const place = this.place(column);
    const [page] = await this.fetch({ r1: row, r2: row, c1: place, c2: place }, WHOLE_CELL);
    return page?.cell(0, column) ?? null;
  }

  /** Cells as complete as the source gives them; columns are counted among those that are shown. */
  async fetch(window: IWindow, cell: number): Promise<Page[]> {
    return (await this._rows?.fetch(window, cell, this._life.signal)) ?? [];
  }

  /** Where the next or the previous cell with a text is, among the columns that are shown. */
  async find(step: IFindStep, signal: AbortSignal): Promise<IFound | null> {
    if (!this._table) return null;
    return this._source.find({ ...step, ...this._query(), columns: this._shown, version: this._table.version }, signal);
  }

  /** A nested cell, with what is inside. */
  async fetchTree(row: number, column: number): Promise<INode> {
    const query = { row, column, ...this._query(), version: this._table?.version ?? '' };
    return this._source.cell(query, this._life.signal);
  }

  /** The rows of the view by the values of a column. */
  async group(by: number, of: number, measure: Measure, signal: AbortSignal): Promise<IGroups> {
    return this._source.group({ by, of, measure, ...this._rest() }, signal);
  }

  /** Two columns of the view against each other. */
  async points(x: number, y: number, signal: AbortSignal): Promise<IPoints> {
    return this._source.points({ x, y, ...this._rest() }, signal);
  }

  get canSave(): boolean {
    return this._source.save !== undefined && !this.isRowsOnly;
  }

  async save(format: FileFormat): Promise<ISaved | undefined> {
    return this._table ? this._source.save?.({ ...this._query(), ...this._chosen(), version: this._table.version }, format) : undefined;
  }

  /** Show the newest version now. */
  catchUp(): void {
    const table = this._source.table();
    if (table) this._show(table);
  }

  /** Somebody has come to look: is there something new? */
  refresh(): void {
    this._source.refresh?.();
  }

  retry(): void {
    this.refresh();
    this._restart();
    this._update();
  }

  dispose(): void {
    this._stop();
    this._rows?.dispose();
    this._life.abort();
    clearInterval(this._keeping);
    this._callbacks.clear();
  }

  private _update(): void {
    const table = this._source.table();
    const told = this._source.problem?.() ?? null;
    if (told !== this._told) {
      this._told = this._problem = told;
      this._emit({ kind: 'state' });
    }
    if (table === undefined || told) return;
    this._isGone = table === null;
    if (table && !this._table) return this._show(table);
    if (table && table.version !== this._table?.version) {
      if (this._follow) return this._show(table);
      this._isOlder = true;
      // Nothing else asks for this version any more.
      this._keeping ??= setInterval(() => void this._touch(), KEEP_AT_HAND);
    }
    this._emit({ kind: 'state' });
  }

  private async _touch(): Promise<void> {
    try {
      await this._rows?.touch(this._life.signal);
    } catch (error) {
      this._fail(error);
    }
  }

  private _show(table: IPreviewTable): void {
    const isSame = JSON.stringify(table.schema) === JSON.stringify(this._table?.schema);
    this._table = table;
    this._isOlder = this._isGone = false;
    clearInterval(this._keeping);
    this._keeping = undefined;
    const { view, lost } = carried(this._view, table.schema);
    this._view = view;
    this._lost = lost;
    if (!isSame) this._fields.clear();
    this._styles.clear();
    this._restart(!isSame);
    if (!isSame) this._emit({ kind: 'columns' });
  }

  /** Start with other rows: nothing that is here is of use. */
  private _restart(isOther = false): void {
    this._rows?.dispose();
    this._rows = null;
    this._facts = null;
    this._problem = null;
    const table = this._table;
    if (!table) return;
    this._shown = shownColumns(this._view.layout, table.schema);
    const pinned = new Set(pinnedColumns(this._view.layout, table.schema));
    this._pinned = this._shown.filter(column => pinned.has(column)).length;
    this._places = new Map(this._shown.map((column, place) => [column, place]));
    const query = this._query();
    this._summaries.restart(table.version, query.filter, isOther);
    const isWhole = !query.filter && !query.sort.length;
    // The number of rows that a filter leaves is not known yet: until it is, the screen stays as it is.
    this._numRows = isWhole ? table.num_rows : Math.min(this._numRows || 1, table.num_rows);
    this._rows = new Rows({
      ...query,
      source: this._source,
      version: table.version,
      columns: this._shown,
      pinned: this._pinned,
      onPage: (facts, fields, window) => this._receive(facts, fields, window),
      onError: error => this._fail(error)
    });
    this._emit({ kind: 'rows' });
    this.look(this._window);
  }

  private _rest(): { filter: FilterJSON | null; version: string } {
    return { filter: filterJSON(this._view), version: this._table?.version ?? '' };
  }

  private _query(): { sort: SortJSON[]; filter: FilterJSON | null } {
    return { sort: sortJSON(this._view), filter: filterJSON(this._view) };
  }

  /** The columns for a file, if they are not simply all. */
  private _chosen(): { columns?: readonly number[] } {
    const isWhole = this._shown.length === this._table?.schema.length && this._shown.every((column, place) => column === place);
    return isWhole ? {} : { columns: this._shown };
  }

  private _receive(facts: IPageFacts, fields: readonly IField[], window: IWindow): void {
    const isNews = this._facts === null || this._facts.sorted !== facts.sorted;
    this._facts = facts;
    this._problem = null;
    for (const field of fields) this._fields.set(field.column, field);
    if (facts.view_rows !== this._numRows) {
      this._numRows = facts.view_rows;
      this._emit({ kind: 'rows' });
    } else {
      this._emit({ kind: 'cells', window });
    }
    if (isNews) this._emit({ kind: 'state' });
    this._summarize();
  }

  private _fail(error: unknown): void {
    if (isAborted(error)) return;
    this._problem = problemOf(error);
    // The list learns of it, too, and shows the next version; there is nothing to say until then.
    if (this._problem.kind === 'changed' && this._follow) this._problem = null;
    if (this._problem?.kind === 'gone') {
      this._isGone = true;
      this._problem = null;
    }
    clearInterval(this._keeping);
    this._keeping = undefined;
    this._emit({ kind: 'state' });
  }

  /** Request the summaries of the columns in view, after their rows, and a few at a time. */
  private _summarize(): void {
    if (!this._facts || this.isRowsOnly) return;
    const { c1, c2 } = this._window;
    this._summaries.look([...new Set([...this._shown.slice(0, this._pinned), ...this._shown.slice(c1, c2 + 1)])]);
  }

  private _emit(change: Change): void {
    for (const callback of [...this._callbacks]) callback(change);
  }

  private readonly _stop: () => void;
  private readonly _life = new AbortController();
  private readonly _callbacks = new Set<(change: Change) => void>();
  private readonly _fields = new Map<number, IField>();
  private readonly _summaries: Summaries;
  private readonly _styles = new Map<number, ColumnStyle>();
  private _numbers: Readonly<Record<string, NumberFormat>>;
  private _view: IView;
  private _shown: readonly number[] = [];
  private _pinned = 0;
  private _places: ReadonlyMap<number, number> = new Map();
  private _search = '';
  private _follow: boolean;
  private _table: IPreviewTable | null = null;
  private _isOlder = false;
  private _isGone = false;
  private _lost: readonly string[] = [];
  private _problem: Problem | null = null;
  /** What the source said last. */
  private _told: Problem | null = null;
  private _facts: IPageFacts | null = null;
  private _numRows = 0;
  private _rows: Rows | null = null;
  private _window: IWindow = { r1: 0, r2: 0, c1: 0, c2: 0 };
  private _keeping: ReturnType<typeof setInterval> | undefined;
}
