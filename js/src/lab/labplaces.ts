import { InputDialog, Notification } from '@jupyterlab/apputils';
import { IPlacesHost } from '../list/listhost';
import { PlacesModel } from '../list/placesmodel';
import { Language, placeCell, placeLine } from '../shared/code';
import { Format } from '../shared/format';
import { IPlace } from '../shared/place';
import { RequestError } from '../shared/problem';
import { ITable } from '../shared/table';
import { Client } from './client';
import { confirm } from './confirm';

/** How long a copy may take before it is said that it goes on. */
const LONG = 1000; // ms

/** What the places need of JupyterLab. */
export interface ILabPlacesOptions {
  readonly client: Client;
  readonly format: Format;
  /** Whether there is a notebook to write code into. */
  hasNotebook(): boolean;
  /** Write a cell into the notebook that was used last. */
  write(cell: (language: Language) => string): void;
  copyAloud(text: string): void;
  /** The language of the notebook that was used last. */
  language(): Language;
  /** The tables of this machine have changed. */
  refresh(): void;
  openPreview(place: IPlace, name: string): void;
}

/** The places in JupyterLab and Notebook 7. */
export class LabPlaces implements IPlacesHost {
  constructor(private readonly _options: ILabPlacesOptions) {
    const { client } = _options;
    this.model = new PlacesModel({ places: () => client.places(), tables: place => client.placed(place.name) });
  }

  readonly model: PlacesModel;

  get insert(): ((place: IPlace, table: ITable) => void) | null {
    if (!this._options.hasNotebook()) return null;
    return (place, table) => this._options.write(language => placeCell(table.name, place.name, language));
  }

  copyCode(place: IPlace, table: ITable, language = this._options.language()): void {
    // Who is told of a table that is open to others needs the name of its user.
    this._options.copyAloud(placeLine(table.name, place.kind === 'yours' ? place.read_as : place.name, language));
  }

  preview(place: IPlace, table: ITable): void {
    this._options.openPreview(place, table.name);
  }

  fetch(place: IPlace, table: ITable): void {
    void this.copyHere(place.name, table.name);
  }

  /** Copy a table of a place to this machine; resolves to whether it was copied. */
  async copyHere(place: string, name: string): Promise<boolean> {
    const isDone = await this._copy(name, 'from', place, this._options.format.trans.__('this machine'));
    if (isDone) this._options.refresh();
    return isDone;
  }

  /** Ask to which place, and copy it there. */
  async copyTo(name: string): Promise<void> {
    const { trans } = this._options.format;
    await this.model.refresh();
    const answer = await InputDialog.getItem({
      title: trans.__('Copy %1 to', name),
      label: trans.__('A place from the list, or the path or URI of a folder or bucket:'),
      items: this.model.targets.map(place => place.name),
      editable: true,
      okLabel: trans.__('Copy')
    });
    const place = answer.value?.trim();
    if (!answer.button.accept || !place) return;
    if (await this._copy(name, 'to', place, place)) {
      await this.model.refresh();
      await this.model.ask(place);
    }
  }

  unshare(place: IPlace, table: ITable): void {
    void this._unshare(place, table);
  }

  private async _unshare(place: IPlace, { name, holders }: ITable): Promise<void> {
    const { client, format } = this._options;
    const { trans } = format;
    const body = holders.length
      ? trans.__('It is in use by %1. They keep what they have attached.', format.names(holders))
      : trans.__('Whoever has it attached keeps it.');
    if (!(await confirm(trans, trans.__('Remove %1 from %2?', name, place.name), body, trans.__('Remove')))) return;
    await client.unshareIn(place, name).catch((error: Error) => Notification.error(error.message));
    await this.model.ask(place.name);
  }

  /** Whether it was copied. Another's table of that name is replaced only if the user says so. */
  private async _copy(name: string, way: 'to' | 'from', place: string, target: string): Promise<boolean> {
    const { client, format } = this._options;
    const { trans } = format;
    const copy = async (replace: boolean): Promise<boolean> => {
      // Not at once: a notification that is changed before it is drawn stays as it was.
      let told = '';
      const later = setTimeout(() => {
        told = Notification.emit(trans.__('Copying %1 to %2…', name, target), 'in-progress', { autoClose: false });
      }, LONG);
      try {
        await client.copy(name, way, place, replace).finally(() => {
          clearTimeout(later);
          if (told) Notification.dismiss(told);
        });
      } catch (error) {
        if (!replace && error instanceof RequestError && error.problem.kind === 'changed') {
          const body = trans.__('There is a table of this name already.');
          const title = trans.__('Replace %1 in %2?', name, target);
          return (await confirm(trans, title, body, trans.__('Replace'))) && copy(true);
        }
        Notification.error(error instanceof Error ? error.message : String(error));
        return false;
      }
      Notification.success(trans.__('Copied %1 to %2', name, target), { autoClose: 3000 });
      return true;
    };
    return copy(false);
  }
}
