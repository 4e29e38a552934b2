import type { TranslationBundle } from '@jupyterlab/translation';
import { IProcess, ITable } from './table';

const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'];
const SPANS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60]
];

/** Numbers, sizes and times for people to read, in the language of the page. */
export class Format {
  /**
   * @param trans - The page's translations.
   * @param language - Its language code, such as `en` or `fr_FR`.
   */
  constructor(
    readonly trans: TranslationBundle,
    language: string
  ) {
    const locale = language.replace('_', '-');
    this._locale = locale;
    this._compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumSignificantDigits: 3 });
    this._count = new Intl.NumberFormat(locale);
    this._one = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
    this._percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
    this._relative = new Intl.RelativeTimeFormat(locale);
    this._narrow = new Intl.RelativeTimeFormat(locale, { style: 'narrow' });
    this._moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  }

  count(n: number): string {
    return this._count.format(n);
  }

  /** A number with thousands separators from 10,000 on (a year has none), and this many decimals. */
  decimal(n: number | bigint, decimals: number): string {
    let made = this._decimals[decimals];
    if (!made) {
      const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
      made = new Intl.NumberFormat(this._locale, { ...digits, useGrouping: 'min2' } as unknown as Intl.NumberFormatOptions);
      this._decimals[decimals] = made;
    }
    return made.format(n);
  }

  /** The separator between the digits of a number and its decimals. */
  get point(): string {
    return this.decimal(0.5, 1).charAt(1);
  }

  /** Three digits and a letter: `1.23M`. */
  compact(n: number | bigint): string {
    return this._compact.format(n);
  }

  rows(n: number): string {
    return this.trans._n('%2 row', '%2 rows', n, this.count(n));
  }

  columns(n: number): string {
    return this.trans._n('%2 column', '%2 columns', n, this.count(n));
  }

  tables(n: number): string {
    return this.trans._n('%2 table', '%2 tables', n, this.count(n));
  }

  shape(table: ITable): string {
    return this.trans.__('%1 x %2', this.rows(table.num_rows), this.columns(table.num_columns));
  }

  /** A part of the whole, from 0 to 1, as `12%`; only nothing is 0%, and only the whole is 100%. */
  share(part: number): string {
    if (part > 0 && part < 0.01) return `<${this._percent.format(0.01)}`;
    return this._percent.format(part < 1 ? Math.min(part, 0.99) : 1);
  }

  /** Decimal units and at most three digits, as on the Python side (words.py): `42.3 MB`. */
  size(nbytes: number): string {
    let value = nbytes;
    let unit = -1;
    while (value >= 999.5 && unit < UNITS.length - 1) {
      value /= 1000;
      unit++;
    }
    if (unit < 0) return this.trans._n('%2 byte', '%2 bytes', nbytes, this.count(nbytes));
    return `${value >= 99.95 ? this.count(Math.round(value)) : this._one.format(value)} ${UNITS[unit]}`;
  }

  /** A moment from now: `3 minutes ago`, `in 23 hours`. */
  relative(iso: string): string {
    const seconds = (Date.parse(iso) - Date.now()) / 1000;
    const span = SPANS.find(([, length]) => Math.abs(seconds) >= length);
    if (span) return this._relative.format(Math.trunc(seconds / span[1]), span[0]);
    // A future time is given in whole minutes; one that has passed (or a clock that was set back) is now.
    return seconds > 0 ? this.trans.__('in less than a minute') : this.trans.__('just now');
  }

  /** The age of something, in a few letters: `3m ago`. */
  age(iso: string): string {
    const seconds = (Date.parse(iso) - Date.now()) / 1000;
    const span = SPANS.find(([, length]) => Math.abs(seconds) >= length);
    return span ? this._narrow.format(Math.trunc(seconds / span[1]), span[0]) : this.trans.__('now');
  }

  moment(iso: string): string {
    return this._moment.format(new Date(iso));
  }

  /** `in use by 2`, in a cluster `on 3 machines`; only whether it is in use where the system does not tell by whom. */
  users(table: ITable): string {
    if (table.machines === 0) return this.trans.__('lost');
    if (table.machines) return this.trans._n('on %2 machine', 'on %2 machines', table.machines, this.count(table.machines));
    if (table.countable === null) return this.trans.__('use not known');
    if (!table.holders.length) return this.trans.__('unused');
    if (!table.countable) return this.trans.__('in use');
    return this.trans.__('in use by %1', this.count(table.holders.length));
  }

  /** `Loaded from trips.parquet on Jan 1, 2026, 12:00 PM`. */
  loaded({ origin, published_at: published }: ITable): string {
    const { trans } = this;
    return published ? trans.__('Loaded from %1 on %2', origin, this.moment(published)) : trans.__('Loaded from %1', origin);
  }

  publisher(table: ITable): string {
    const { label, alive } = table.publisher;
    return alive === false ? this.trans.__('%1 (ended)', label) : label;
  }

  /** The labels; if there are many, only the first ones. */
  names(processes: readonly Pick<IProcess, 'label'>[], most = 5): string {
    const labels = processes.map(one => one.label);
    if (labels.length <= most) return labels.join(', ');
    const rest = labels.length - most;
    return this.trans.__('%1 and %2 more', labels.slice(0, most).join(', '), this.count(rest));
  }

  private readonly _locale: string;
  private readonly _decimals: (Intl.NumberFormat | undefined)[] = [];
  private readonly _compact: Intl.NumberFormat;
  private readonly _count: Intl.NumberFormat;
  private readonly _one: Intl.NumberFormat;
  private readonly _percent: Intl.NumberFormat;
  private readonly _relative: Intl.RelativeTimeFormat;
  private readonly _narrow: Intl.RelativeTimeFormat;
  private readonly _moment: Intl.DateTimeFormat;
}
