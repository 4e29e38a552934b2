import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../src/lab/client';
import { PlaceSource } from '../src/lab/serversource';
import { PlacedSource } from '../src/widget/kernelsource';
import type { Link } from '../src/widget/link';
import type { IRowsQuery } from '../src/preview/source';
import type { IPlace } from '../src/shared/place';
import { RequestError } from '../src/shared/problem';
import type { Problem } from '../src/shared/table';
import { table } from './made';

const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve));
const { signal } = new AbortController();
const QUERY: IRowsQuery = { offset: 0, limit: 1, columns: [0], sort: [], filter: null, version: '1' };

// The page, which says when a person comes back to it.
Object.assign(globalThis, { document: Object.assign(new EventTarget(), { hidden: false }) });

/** A table of a place, and what the server says of it. */
function placed(kind: IPlace['kind']) {
  const server = { version: '1', problem: null as Problem | null, asked: 0 };
  const answer = <T,>(value: T): Promise<T> => (server.problem ? Promise.reject(new RequestError(server.problem, 'no')) : Promise.resolve(value));
  const client = {
    placedTable: (place: string, name: string) => {
      server.asked++;
      return answer(table(`${name} of ${place}`, { version: server.version }));
    },
    rows: (_: unknown, { version }: IRowsQuery) =>
      version === server.version ? answer(new Uint8Array()) : Promise.reject(new RequestError({ kind: 'changed' }, 'replaced'))
  };
  const source = new PlaceSource({ name: 'team', kind }, 'trips', client as unknown as Client);
  return { server, source };
}

void test('only in stores of this machine can more than rows be asked for', () => {
  const rowsOnly = (['yours', 'user', 'folder', 'cluster'] as const).filter(kind => placed(kind).source.isRowsOnly);
  assert.deepEqual(rowsOnly, ['folder', 'cluster']);
});

void test('a folder is asked once, and again when its rows are of another version', async t => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  const { server, source } = placed('folder');
  let told = 0;
  const stop = source.onChange(() => told++);
  assert.equal(source.table(), undefined);
  await settled();
  assert.equal(source.table()?.name, 'trips of team');
  await source.rows(QUERY, signal);
  t.mock.timers.tick(3_600_000);
  await settled();
  assert.deepEqual([server.asked, told], [1, 1]);

  server.version = '2';
  await assert.rejects(source.rows(QUERY, signal), RequestError);
  await settled();
  assert.equal(source.table()?.version, '2');
  assert.deepEqual([server.asked, told], [2, 2]);
  stop();
});

void test('another user of this machine is asked again and again', async t => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  const { server, source } = placed('user');
  const stop = source.onChange(() => undefined);
  await settled();
  server.version = '2';
  t.mock.timers.tick(5_000);
  await settled();
  assert.equal(source.table()?.version, '2');
  stop();
  t.mock.timers.tick(60_000);
  assert.equal(server.asked, 2);
});

void test('an error of a place stays until it answers, and a table that is gone is said to be', async () => {
  const { server, source } = placed('folder');
  server.problem = { kind: 'failed', message: 'team cannot be used' };
  const stop = source.onChange(() => undefined);
  await settled();
  assert.deepEqual([source.table(), source.problem()], [undefined, server.problem]);
  server.problem = null;
  source.refresh();
  await settled();
  assert.deepEqual([source.table()?.version, source.problem()], ['1', null]);
  server.problem = { kind: 'gone' };
  source.refresh();
  await settled();
  assert.deepEqual([source.table(), source.problem()], [null, null]);
  stop();
});

void test('a widget asks its kernel for rows of the place, and for the table again when they are of another version', async () => {
  const asked: Record<string, unknown>[] = [];
  let version = '1';
  const ask = (question: Record<string, unknown>): Promise<unknown> => {
    asked.push(question);
    if (question.what === 'placed') return Promise.resolve({ head: { table: table('trips', { version }) } });
    return version === question.version ? Promise.resolve({ body: new Uint8Array() }) : Promise.reject(new RequestError({ kind: 'changed' }, 'replaced'));
  };
  const place: IPlace = { name: 'team', description: '', read_as: 'team', kind: 'folder', writable: true };
  const source = new PlacedSource({ ask } as unknown as Link, place, 'trips');
  const stop = source.onChange(() => undefined);
  await settled();
  await source.rows(QUERY, signal);
  assert.deepEqual(asked.map(({ what, place, name }) => [what, place, name]), [
    ['placed', 'team', 'trips'],
    ['rows', 'team', 'trips']
  ]);
  version = '2';
  await assert.rejects(source.rows(QUERY, signal), RequestError);
  await settled();
  assert.equal(source.table()?.version, '2');
  assert.equal(source.isRowsOnly, true);
  stop();
});
