import { Problem } from './table';

/** An error that a view can explain. */
export class RequestError extends Error {
  constructor(
    readonly problem: Problem,
    message: string
  ) {
    super(message);
  }
}

export function problemOf(error: unknown): Problem {
  return error instanceof RequestError ? error.problem : { kind: 'failed', message: String(error) };
}

/** Whether this is not a failure: the answer is simply no longer wanted. */
export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
