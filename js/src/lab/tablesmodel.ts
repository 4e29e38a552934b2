import { ISignal, Signal } from '@lumino/signaling';
import { isThisVersion } from './client';
import { problemOf } from '../shared/problem';
import { IListing, IState, ITable } from '../shared/table';

/** The source of the lists. */
export interface ISource {
  /** The list, or `null` if it has not changed since the last one. */
  list(): Promise<IListing | null>;
  forget(): void;
}

/** The wait for a burst of events to pass before the list is requested. */
const DEBOUNCE = 100; // ms
const HEARTBEAT = 30_000; // ms
/** How often a server that does not answer is tried. */
const RETRY = 5_000; // ms

/**
 * The list of tables, kept up to date while somebody looks.
 *
 * An event is only ever a reason to ask again: some are lost while there is no
 * connection, and anybody with the server's token can post one.
 */
export class TablesModel {
  constructor(private readonly _source: ISource) {
    document.addEventListener('visibilitychange', this._onVisible);
    window.addEventListener('online', this._onVisible);
  }

  get state(): IState {
    return this._state;
  }

  /** Also emitted when only the time has changed: "3 minutes ago" becomes 4. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The table of that name, as it was last seen. */
  table(name: string): ITable | undefined {
    return this._state.listing?.tables.find(table => table.name === name);
  }

  /** Note that somebody looks, until the returned function is called. Nothing is requested while nobody looks. */
  watch(): () => void {
    const watcher = {};
    this._watchers.add(watcher);
    void this.refresh();
    return () => {
      this._watchers.delete(watcher);
      if (!this._watchers.size) this._stopTimers();
    };
  }

  /** Ask soon: something happened. */
  hint(): void {
    if (!this._isWatched) return;
    clearTimeout(this._soon);
    this._soon = setTimeout(() => void this.refresh(), DEBOUNCE);
  }

  /** Ask now; resolves when the state is that of a request that began after this call. */
  refresh(): Promise<void> {
    if (this._waiting) return this._waiting;
    if (!this._running) return this._ask();
    // The answer on its way may be older than what made us ask.
    this._waiting = this._running.then(() => this._ask());
    return this._waiting;
  }

  dispose(): void {
    this._isDisposed = true;
    this._stopTimers();
    document.removeEventListener('visibilitychange', this._onVisible);
    window.removeEventListener('online', this._onVisible);
    Signal.clearData(this);
  }

  private get _isWatched(): boolean {
    return this._watchers.size > 0 && !document.hidden && !this._isDisposed;
  }

  private readonly _onVisible = (): void => this.hint();

  private _ask(): Promise<void> {
    this._waiting = undefined;
    this._stopTimers();
    this._running = this._fetch().finally(() => {
      this._running = undefined;
      this._schedule();
    });
    return this._running;
  }

  private async _fetch(): Promise<void> {
    try {
      const listing = (await this._source.list()) ?? this._state.listing;
      const other = listing && !isThisVersion(listing.version);
      this._state = { listing, problem: other ? { kind: 'version', server: listing.version } : null };
    } catch (error) {
      // The next list is wanted in full.
      this._source.forget();
      const problem = problemOf(error);
      // A slightly old list is better than none.
      this._state = { listing: problem.kind === 'offline' ? this._state.listing : null, problem };
    }
    if (!this._isDisposed) this._changed.emit();
  }

  private _schedule(): void {
    const { problem } = this._state;
    // A missing extension does not appear by itself: asking would only fill the server's log.
    if (!this._isWatched || this._waiting || problem?.kind === 'missing' || problem?.kind === 'forbidden') return;
    this._later = setTimeout(() => void this.refresh(), problem?.kind === 'offline' ? RETRY : HEARTBEAT);
  }

  private _stopTimers(): void {
    clearTimeout(this._soon);
    clearTimeout(this._later);
  }

  private _state: IState = { listing: null, problem: null };
  private readonly _watchers = new Set<object>();
  private _isDisposed = false;
  private _running: Promise<void> | undefined;
  private _waiting: Promise<void> | undefined;
  private _soon: ReturnType<typeof setTimeout> | undefined;
  private _later: ReturnType<typeof setTimeout> | undefined;
  private readonly _changed = new Signal<this, void>(this);
}
