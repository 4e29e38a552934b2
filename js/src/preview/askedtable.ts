import { IPlace, isFar } from '../shared/place';
import { isAborted, problemOf } from '../shared/problem';
import type { Problem } from '../shared/table';
import type { IPreviewTable } from './source';

/** How often it is asked whether there is something new: nothing tells. */
const GLANCE = 5_000; // ms
/** For what is gone or cannot be read: each answer is a line in the server's log. */
const RETRY = 15_000; // ms

/** A table of which nothing tells when it changes, as it was when it was last asked for. */
export class AskedTable {
  /**
   * @param _ask - The table as it is now; `null` if it is still the one that is known.
   * @param _isAskedOften - Whether to ask again and again, or only when somebody comes to look and when an answer makes it necessary.
   */
  constructor(
    private readonly _ask: (known: IPreviewTable | null) => Promise<IPreviewTable | null>,
    private readonly _isAskedOften = true
  ) {}

  /** A table of another place. What is far away is asked only when there is a reason. */
  static placed(place: Pick<IPlace, 'kind'>, ask: () => Promise<IPreviewTable>): AskedTable {
    return new AskedTable(async known => {
      const table = await ask();
      return table.version === known?.version ? null : table;
    }, !isFar(place));
  }

  /** Not known before the first answer; `null` if there is none. */
  get table(): IPreviewTable | null | undefined {
    return this._table;
  }

  get problem(): Problem | null {
    return this._problem;
  }

  /** Rows of the table; if they are of a version that lost the name, nothing else says so, and the table is asked for. */
  async watching<T>(rows: Promise<T>): Promise<T> {
    try {
      return await rows;
    } catch (error) {
      if (!isAborted(error) && problemOf(error).kind === 'changed') this.refresh();
      throw error;
    }
  }

  onChange(callback: () => void): () => void {
    const look = (): void => {
      if (!document.hidden) this.refresh();
    };
    this._callback = callback;
    const again = (): void => {
      const isWell = this._table && !this._problem;
      if (isWell || Date.now() - this._asked >= RETRY) look();
    };
    const timer = this._isAskedOften ? setInterval(again, GLANCE) : undefined;
    document.addEventListener('visibilitychange', look);
    this.refresh();
    return () => {
      this._callback = null;
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }

  refresh(): void {
    if (this._isAsking) return;
    this._isAsking = true;
    this._asked = Date.now();
    void this._look().finally(() => {
      this._isAsking = false;
    });
  }

  private async _look(): Promise<void> {
    try {
      const found = await this._ask(this._problem ? null : (this._table ?? null));
      if (!found && !this._problem) return;
      if (found) this._table = found;
      this._problem = null;
    } catch (error) {
      const problem = problemOf(error);
      if (problem.kind === 'gone') this._table = null;
      this._problem = problem.kind === 'gone' ? null : problem;
    }
    this._callback?.();
  }

  private _table: IPreviewTable | null | undefined;
  private _problem: Problem | null = null;
  private _isAsking = false;
  private _asked = 0;
  private _callback: (() => void) | null = null;
}
