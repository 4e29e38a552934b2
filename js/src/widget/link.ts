import { RequestError } from '../shared/problem';
import type { Problem } from '../shared/table';
import type { IModel } from './traits';

export interface IAnswer {
  readonly head: Readonly<Record<string, unknown>>;
  readonly body: Uint8Array;
}

interface IHead extends Record<string, unknown> {
  readonly id?: number;
  /** The name of the error in Python. */
  readonly error?: string;
  readonly message?: string;
}

interface IWaiting {
  readonly since: number;
  readonly resolve: (answer: IAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** The answer may have to wait for a running cell; after this time, the user is told. */
const LATE = 3000; // ms

/** Questions to the kernel, and their answers (jupyter_arrowshm/widget/base.py). */
export class Link {
  constructor(private readonly _model: IModel) {
    _model.on('msg:custom', this._receive);
  }

  /** Ask; rejects with a `RequestError`, or an `AbortError`. */
  ask(question: Record<string, unknown>, signal?: AbortSignal): Promise<IAnswer> {
    // All views of a model, in all pages, hear all answers, so ids are unique whole numbers. ipykernel would keep a
    // text id for ever.
    const id = this._first + ++this._asked;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(aborted());
      const drop = (): void => {
        if (!this._waiting.delete(id)) return;
        this._model.send({ drop: id });
        reject(aborted());
      };
      const done = (): void => signal?.removeEventListener('abort', drop);
      this._waiting.set(id, {
        since: Date.now(),
        resolve: answer => {
          done();
          resolve(answer);
        },
        reject: error => {
          done();
          reject(error);
        }
      });
      signal?.addEventListener('abort', drop);
      this._model.send({ ...question, id });
    });
  }

  /** Whether an answer from the kernel has been due for long. */
  get isLate(): boolean {
    const now = Date.now();
    return [...this._waiting.values()].some(({ since }) => now - since > LATE);
  }

  dispose(): void {
    this._model.off('msg:custom', this._receive);
    for (const { reject } of this._waiting.values()) reject(aborted());
    this._waiting.clear();
  }

  private readonly _receive = (head: IHead, buffers: readonly DataView[] = []): void => {
    const waiting = this._waiting.get(head.id ?? -1);
    if (!waiting) return;
    this._waiting.delete(head.id ?? -1);
    if (head.error !== undefined) return waiting.reject(failure(head));
    const [view] = buffers;
    const body = view ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : new Uint8Array();
    waiting.resolve({ head, body });
  };

  private readonly _first = Math.floor(Math.random() * 2 ** 32) * 2 ** 20;
  private _asked = 0;
  private readonly _waiting = new Map<number, IWaiting>();
}

function aborted(): Error {
  return new DOMException('not wanted any more', 'AbortError');
}

function failure({ error, message = '' }: IHead): RequestError {
  const kinds: Record<string, Problem> = { TableNotFound: { kind: 'gone' }, TableReplaced: { kind: 'changed' } };
  return new RequestError(kinds[error ?? ''] ?? { kind: 'failed', message: message || String(error) }, message);
}
