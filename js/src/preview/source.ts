/** The source of a preview's rows: server or kernel. The shapes are those of jupyter_arrowshm/server/rest-api.yml. */
import type { FileFormat, ISaved } from '../shared/download';
import type { IColumn, Problem } from '../shared/table';

export type FilterJSON =
  | { readonly and: readonly FilterJSON[] }
  | { readonly or: readonly FilterJSON[] }
  | { readonly column: number; readonly op: string; readonly value?: Scalar | readonly Scalar[]; readonly ignore_case?: boolean };

export interface SortJSON {
  readonly column: number;
  readonly descending: boolean;
}

export interface IRowsQuery {
  readonly offset: number;
  readonly limit: number;
  /** Numbers of columns. */
  readonly columns: readonly number[];
  readonly sort: readonly SortJSON[];
  readonly filter: FilterJSON | null;
  readonly version: string;
  /** The most characters of a cell. */
  readonly cell?: number;
}

/** From a cell, whose row is counted in the view, to the next (1) or the previous (-1) one with the text, or (0) on from itself. */
export interface IFindStep {
  readonly text: string;
  readonly ignore_case: 0 | 1;
  readonly row: number;
  readonly column: number;
  readonly direction: -1 | 0 | 1;
}

export interface IFindQuery extends IFindStep, ISummaryQuery {
  readonly sort: readonly SortJSON[];
}

export interface IFound {
  readonly row: number | null;
  readonly column: number | null;
  /** The row's number among those that have the text, from 1, where that is known. */
  readonly number: number | null;
  /** Whether there is nothing more to ask for. */
  readonly done: boolean;
  /** The row to ask again from, if not the same. */
  readonly from: number | null;
  readonly matches: number;
  readonly searched: number;
  readonly num_rows: number;
  /** The number of columns that have text. */
  readonly columns: number;
}

/** One cell, whose row is counted in the view. */
export interface ICellQuery extends Omit<ISummaryQuery, 'columns'> {
  readonly row: number;
  readonly column: number;
  readonly sort: readonly SortJSON[];
}

/** A nested cell, or a value in one. */
export interface INode {
  readonly name?: string;
  readonly text?: string | null;
  readonly kind?: 'list' | 'struct' | 'map';
  /** The number of all children, of which there may be fewer here. */
  readonly length?: number;
  readonly children?: readonly INode[];
}

export const MEASURES = ['count', 'sum', 'mean', 'min', 'max'] as const;
export type Measure = (typeof MEASURES)[number];

export interface IGroupQuery extends Omit<ISummaryQuery, 'columns'> {
  readonly by: number;
  /** The column that is measured; -1 for a count of rows. */
  readonly of: number;
  readonly measure: Measure;
}

export interface IGroups {
  readonly groups: readonly { readonly text: string | null; readonly result: number | null }[];
  /** The number of all groups, of which there may be fewer here. */
  readonly total: number;
  readonly searched: number;
  readonly num_rows: number;
}

export interface IPointsQuery extends Omit<ISummaryQuery, 'columns'> {
  readonly x: number;
  readonly y: number;
}

export interface IPoints {
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** The number of rows that were taken, of those that match. */
  readonly rows: number;
  readonly matches: number;
  readonly is_sample: boolean;
}

export interface ISummaryQuery {
  readonly columns: readonly number[];
  readonly filter: FilterJSON | null;
  readonly version: string;
}

/** The most characters of one cell that the server gives. */
export const WHOLE_CELL = 10_000;

/** The facts about a table that are known without reading it. */
export interface IPreviewTable {
  readonly name: string;
  readonly version: string;
  readonly num_rows: number;
  readonly schema: readonly IColumn[];
  /** Whether these are only the first rows of a file. */
  readonly is_cut?: boolean;
}

/** Errors are `RequestError`s: `changed` for a version that is no longer there, `gone` for a table. */
export interface IPreviewSource {
  /** The table as it is now; `null` if nobody shares it or it is gone, `undefined` while that is not known. */
  table(): IPreviewTable | null | undefined;
  /** Whether that is a file, which nobody shares. */
  readonly isFile?: boolean;
  /** Whether rows and single cells are all that can be asked for: nothing that needs every row. */
  readonly isRowsOnly?: boolean;
  /** The reason why it is not known, or was not when it was last asked for. */
  problem?(): Problem | null;
  /** Ask again. */
  refresh?(): void;
  /** Call back whenever that may have changed, until the returned function is called. */
  onChange(callback: () => void): () => void;
  /** An Arrow IPC stream of one batch. */
  rows(query: IRowsQuery, signal: AbortSignal): Promise<Uint8Array>;
  summary(query: ISummaryQuery, signal: AbortSignal): Promise<ISummary>;
  find(query: IFindQuery, signal: AbortSignal): Promise<IFound>;
  group(query: IGroupQuery, signal: AbortSignal): Promise<IGroups>;
  points(query: IPointsQuery, signal: AbortSignal): Promise<IPoints>;
  cell(query: ICellQuery, signal: AbortSignal): Promise<INode>;
  /** Save the view as a file, where that is possible. */
  save?(view: Omit<ISummaryQuery, 'columns'> & { columns?: readonly number[]; sort: readonly SortJSON[] }, format: FileFormat): Promise<ISaved>;
}

/** `arrowshm.preview` in the metadata of a page's schema. */
export interface IPageFacts {
  readonly version: string;
  readonly num_rows: number;
  readonly view_rows: number;
  readonly matches: number;
  readonly searched: number;
  /** The share of the table that is sorted; while it is less than 1, a page may be empty and has to be asked for again. */
  readonly sorted?: number;
  readonly limited: boolean;
  readonly offset: number;
}

export type Kind = 'number' | 'text' | 'bool' | 'time' | 'binary' | 'nested' | 'null' | 'other';
export type Scalar = number | string | boolean;

export interface IValue {
  readonly text: string;
  /** The value that a filter takes; absent where no filter can find it. */
  readonly value?: Scalar;
}

export interface IHistogram {
  readonly edges: readonly IValue[];
  readonly counts: readonly number[];
}

export type ITop = readonly (IValue & { readonly count: number })[];

/** The contents of a column in all rows, and how many rows of a filtered summary are in each part of them. */
export interface IWhole {
  readonly rows: number;
  readonly nulls: number;
  readonly histogram: IHistogram | null;
  readonly top: ITop | null;
  readonly found?: readonly number[];
}

export interface IColumnSummary {
  readonly column: number;
  readonly rows: number;
  readonly exact: boolean;
  readonly nulls: number;
  readonly distinct: number | null;
  readonly min: IValue | null;
  readonly max: IValue | null;
  readonly mean: IValue | null;
  readonly deviation?: IValue | null;
  readonly quartiles?: readonly IValue[] | null;
  readonly lengths?: { readonly min: number; readonly mean: number; readonly max: number } | null;
  readonly histogram: IHistogram | null;
  readonly top: ITop | null;
  /** With a filter: what all rows have. */
  readonly whole?: IWhole;
  /** The reason why nothing more is said of this column. */
  readonly problem?: string;
}

export interface ISummary {
  readonly version: string;
  readonly matches: number;
  readonly searched: number;
  readonly columns: readonly IColumnSummary[];
}
