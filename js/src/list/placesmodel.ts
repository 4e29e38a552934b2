import { IPlace, IPlaceList, IPlaceSource } from '../shared/place';
import { problemOf } from '../shared/problem';
import { ITable, Problem } from '../shared/table';

/** A place, and what is known about the tables in it. */
export interface ISection {
  readonly place: IPlace;
  readonly isOpen: boolean;
  readonly isAsking: boolean;
  /** As they were when the place last answered; `null` before. */
  readonly tables: readonly ITable[] | null;
  readonly problem: Problem | null;
}

/**
 * The places besides this machine's tables.
 *
 * A place is asked when somebody opens it, and again while it is open if its answer costs nothing; a folder or bucket only
 * when somebody wants it.
 */
export class PlacesModel {
  constructor(private readonly _source: IPlaceSource) {}

  get sections(): readonly ISection[] {
    return this._sections;
  }

  get targets(): readonly IPlace[] {
    return this._list.targets;
  }

  section(name: string): ISection | undefined {
    return this._sections.find(one => one.place.name === name);
  }

  /** Call back when something has changed, until the returned function is called. */
  subscribe(callback: () => void): () => void {
    this._callbacks.add(callback);
    return () => this._callbacks.delete(callback);
  }

  /** Which places there are; an error is no place: what is wrong with the server, the list of this machine says. */
  async refresh(): Promise<void> {
    const list = await this._source.places().catch((): IPlaceList => ({ places: [], targets: [] }));
    if (JSON.stringify(list) === JSON.stringify(this._list)) return;
    this._list = list;
    const closed = { isOpen: false, isAsking: false, tables: null, problem: null };
    this._sections = list.places.map(place => ({ ...(this.section(place.name) ?? closed), place }));
    this._changed();
  }

  setOpen(name: string, isOpen: boolean): void {
    this._set(name, { isOpen });
    if (isOpen) void this.ask(name);
  }

  /** Ask the places of this machine that are open. */
  refreshOpen(): void {
    for (const { place, isOpen, isAsking } of this._sections) {
      if (isOpen && !isAsking && (place.kind === 'yours' || place.kind === 'user')) void this.ask(place.name);
    }
  }

  /** Ask a place, if it is open. */
  async ask(name: string): Promise<void> {
    const place = this.section(name)?.place;
    if (!place || !this.section(name)?.isOpen) return;
    // An answer that is overtaken by a later question may be older than what made us ask.
    const question = (this._asked.get(name) ?? 0) + 1;
    this._asked.set(name, question);
    this._set(name, { isAsking: true });
    const answer = await this._source.tables(place).then(
      tables => ({ tables, problem: null }),
      (error: unknown) => ({ problem: problemOf(error) })
    );
    if (this._asked.get(name) === question) this._set(name, { ...answer, isAsking: false });
  }

  private _set(name: string, change: Partial<ISection>): void {
    this._sections = this._sections.map(one => (one.place.name === name ? { ...one, ...change } : one));
    this._changed();
  }

  private _changed(): void {
    for (const callback of [...this._callbacks]) callback();
  }

  private _list: IPlaceList = { places: [], targets: [] };
  private _sections: readonly ISection[] = [];
  private readonly _asked = new Map<string, number>();
  private readonly _callbacks = new Set<() => void>();
}
