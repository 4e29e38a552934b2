import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlacesModel } from '../src/list/placesmodel';
import { placeCell, placeLine } from '../src/shared/code';
import type { IPlace } from '../src/shared/place';
import type { ITable } from '../src/shared/table';
import { table } from './made';

function place(name: string, kind: IPlace['kind']): IPlace {
  return { name, kind, description: '', read_as: name, writable: kind !== 'user' };
}

/** A source that answers when the test says so. */
class Source {
  readonly asked: { name: string; answer: (tables: ITable[]) => void; fail: (error: Error) => void }[] = [];
  list = { places: [place('ada', 'user'), place('team', 'folder')], targets: [place('team', 'folder')] };
  places = (): Promise<Source['list']> => Promise.resolve(this.list);
  tables = ({ name }: IPlace): Promise<ITable[]> =>
    new Promise((answer, fail) => this.asked.push({ name, answer, fail }));
}

const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve));

async function made(): Promise<[Source, PlacesModel]> {
  const source = new Source();
  const model = new PlacesModel(source);
  await model.refresh();
  return [source, model];
}

void test('a place is asked when it is opened, and a folder not again by itself', async () => {
  const [source, model] = await made();
  model.refreshOpen();
  assert.equal(source.asked.length, 0);
  model.setOpen('team', true);
  model.setOpen('ada', true);
  model.refreshOpen();
  assert.deepEqual(source.asked.map(one => one.name), ['team', 'ada']);
  source.asked[1].answer([table('trips')]);
  await settled();
  assert.deepEqual(model.section('ada')?.tables?.map(one => one.name), ['trips']);
  assert.equal(model.section('team')?.isAsking, true);
  model.refreshOpen();
  assert.deepEqual(source.asked.map(one => one.name), ['team', 'ada', 'ada']);
  model.setOpen('ada', false);
  await model.ask('ada');
  assert.equal(source.asked.length, 3);
});

void test('an answer that was overtaken is not shown', async () => {
  const [source, model] = await made();
  model.setOpen('team', true);
  void model.ask('team');
  source.asked[1].answer([table('new')]);
  await settled();
  source.asked[0].answer([table('old')]);
  await settled();
  assert.deepEqual(model.section('team')?.tables?.map(one => one.name), ['new']);
});

void test('what is wrong with a place is said, and what it said before stays', async () => {
  const [source, model] = await made();
  model.setOpen('team', true);
  source.asked[0].answer([table('trips')]);
  await settled();
  void model.ask('team');
  source.asked[1].fail(new Error('gone'));
  await settled();
  assert.equal(model.section('team')?.problem?.kind, 'failed');
  assert.equal(model.section('team')?.tables?.length, 1);
  source.list = { ...source.list, places: [place('team', 'folder'), place('new', 'folder')] };
  await model.refresh();
  assert.deepEqual(model.sections.map(one => [one.place.name, one.isOpen]), [['team', true], ['new', false]]);
});

void test('the line that attaches a table of a place', () => {
  assert.equal(placeLine('trips', 'ada', 'python'), '%attach trips --from ada');
  assert.equal(placeLine('trips-1', 'my team', 'python'), "%attach trips-1 as trips_1 --from 'my team'");
  assert.equal(placeLine('trips', 'ada', 'julia'), 'trips = attach("trips"; from="ada");');
  assert.equal(placeLine('a b', 'group:x', 'r'), 'a_b <- attach_table("a b", from = "group:x")');
  assert.equal(placeCell('trips', 'ada', 'r'), 'library(arrowshm)\ntrips <- attach_table("trips", from = "ada")');
});
