/** The look of a column's cells in the grid: what fits, not all digits. Panels and copies have the whole value. */
import type { Format } from '../shared/format';
import { cellText, oneLine } from './celltext';
import type { Cell, IField } from './page';

/** The number of digits after the point, or: 4 to 6 significant digits; all digits; a percentage. */
export type NumberFormat = number | 'auto' | 'raw' | 'percent';

export const NUMBER_FORMATS: readonly NumberFormat[] = ['auto', 'raw', 'percent', 0, 1, 2, 3, 4, 5, 6];

/** The formats that were stored with a tab, without those that only another release knows. */
export function restoredNumbers(stored: unknown): Readonly<Record<string, NumberFormat>> {
  const found = Object.entries((stored ?? {}) as Record<string, NumberFormat>);
  return Object.fromEntries(found.filter(([, one]) => NUMBER_FORMATS.includes(one)));
}

/** Numbers from here up, and those below the other limit, have an exponent. */
const HUGE = 1e15;
const TINY = 1e-5;
const SIGNIFICANT = 6;
/** At least this many digits are shown of a number that the column's decimals would cut. */
const LEAST = 4;
const MIDNIGHT = /[ T]00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d\d:?\d\d)?$/;

export class ColumnStyle {
  /** @param sample - Some cells of the column: what they have in common is taken to hold for all. */
  constructor(
    private readonly _format: Format,
    private readonly _field: Pick<IField, 'kind' | 'number'> | undefined,
    private readonly _numbers: NumberFormat,
    sample: readonly Cell[]
  ) {
    const isTime = _field?.kind === 'time';
    this._isDay = isTime && sample.some(isText) && sample.filter(isText).every(cell => MIDNIGHT.test(cell));
    const floats = sample.filter((cell): cell is number => typeof cell === 'number' && Number.isFinite(cell));
    this._decimals = typeof _numbers === 'number' ? _numbers : decimalsOf(floats);
    this.fraction = Math.max(0, ...sample.map(cell => this.fractionOf(cell === null ? '' : this.text(cell)).length));
  }

  /** Characters from the point on, in the longest cell: the points of all cells line up. */
  readonly fraction: number;

  get isRight(): boolean {
    return this._field?.kind === 'number';
  }

  text(cell: NonNullable<Cell>): string {
    const number = this._field?.number ?? null;
    if (number === null || this._numbers === 'raw' || typeof cell === 'string' || typeof cell === 'boolean') {
      const text = oneLine(cellText(cell, number));
      return this._isDay ? text.replace(MIDNIGHT, '') : text;
    }
    if (this._numbers === 'percent') return `${this._format.decimal(Number(cell) * 100, 1)}%`;
    if (number === 'integer') return this._format.decimal(cell, typeof this._numbers === 'number' ? this._numbers : 0);
    return this._float(Number(cell), number);
  }

  /** The point and what follows it, including an exponent. */
  fractionOf(text: string): string {
    const isPlain = this._numbers === 'raw' || text.includes('e');
    const at = text.lastIndexOf(isPlain ? '.' : this._format.point);
    return at >= 0 && /^\d+(e-?\d+)?$/.test(text.slice(at + 1)) ? text.slice(at) : '';
  }

  private _float(value: number, number: IField['number']): string {
    const size = Math.abs(value);
    if (!Number.isFinite(value)) return cellText(value, number);
    if (typeof this._numbers === 'number') return this._format.decimal(value, this._numbers);
    if (size >= HUGE || (size < TINY && size > 0)) {
      return value.toExponential(LEAST - 1).replace(/\.?0+e/, 'e').replace('e+', 'e');
    }
    const isKept = size === 0 || size >= 10 ** (LEAST - 1 - this._decimals) || Number(value.toFixed(this._decimals)) === value;
    return this._format.decimal(value, isKept ? this._decimals : decimalsIn(value, LEAST));
  }

  private readonly _isDay: boolean;
  private readonly _decimals: number;
}

function isText(cell: Cell): cell is string {
  return typeof cell === 'string';
}

/** The decimals that the values have, as long as the largest value has at most six digits. */
function decimalsOf(values: readonly number[]): number {
  const plain = values.filter(value => value !== 0 && Math.abs(value) < HUGE && Math.abs(value) >= TINY);
  const largest = Math.max(1, ...plain.map(Math.abs));
  const room = Math.max(0, SIGNIFICANT - 1 - Math.floor(Math.log10(largest)));
  return Math.min(room, Math.max(0, ...plain.map(value => decimalsIn(value, SIGNIFICANT))));
}

/** The decimals of a number with this many significant digits, without trailing zeros. */
function decimalsIn(value: number, digits: number): number {
  const [mantissa, exponent] = value.toExponential(digits - 1).split('e');
  const significant = mantissa.replace(/[-.]/g, '').replace(/0+$/, '').length;
  return Math.max(0, significant - 1 - Number(exponent));
}
