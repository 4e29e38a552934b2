/** Values of filters as literals of Python, Julia and R. */
import { juliaString, pythonString, rString } from '../../shared/code';
import type { Scalar } from '../source';

export type Family = 'text' | 'number' | 'float' | 'decimal' | 'bool' | 'date' | 'timestamp' | 'time' | 'binary' | 'other';

/** The parts of a column's type that matter to code about it. */
export interface IColumnType {
  readonly family: Family;
  /** The zone of a timestamp, `''` if it has none. */
  readonly zone: string;
  /** Its values are in a dictionary: pandas and polars call that categorical. */
  readonly isDictionary: boolean;
}

/** @param type - As PyArrow writes it: `int64`, `timestamp[us, tz=UTC]`, `dictionary<values=string, ...>`. */
export function columnType(type: string): IColumnType {
  const dictionary = /^dictionary<values=([^,>]*(?:\[[^\]]*\])?)/.exec(type);
  const inner = dictionary ? dictionary[1] : type;
  return { family: familyOf(inner), zone: /tz=([^\]]+)/.exec(inner)?.[1] ?? '', isDictionary: dictionary !== null };
}

function familyOf(type: string): Family {
  if (/^(large_)?(string|utf8)(_view)?$/.test(type)) return 'text';
  if (/^u?int\d+$/.test(type)) return 'number';
  if (/^(halffloat|float|double|float\d+)$/.test(type)) return 'float';
  if (/^decimal/.test(type)) return 'decimal';
  if (type === 'bool') return 'bool';
  if (/^date/.test(type)) return 'date';
  if (/^timestamp/.test(type)) return 'timestamp';
  if (/^time/.test(type)) return 'time';
  if (/^(large_|fixed_size_)?binary/.test(type)) return 'binary';
  return 'other';
}

/** `null` means that there is no such literal. */
export function pythonLiteral(value: Scalar, { family, zone }: IColumnType): string | null {
  const text = String(value);
  switch (family) {
    case 'text':
      return pythonString(text);
    case 'bool':
      return text === 'true' ? 'True' : text === 'false' ? 'False' : null;
    case 'number':
    case 'float':
      return isNumber(text) ? text : null;
    case 'decimal':
      return isNumber(text) ? `Decimal("${text}")` : null;
    case 'binary':
      return /^([0-9a-f]{2})*$/i.test(text) ? `bytes.fromhex("${text}")` : null;
    case 'date':
      return parsed(text) ? `date.fromisoformat("${text.slice(0, 10)}")` : null;
    case 'time':
      return /^\d\d:\d\d(:\d\d(\.\d{1,6})?)?$/.test(text) ? `time.fromisoformat("${text}")` : null;
    case 'timestamp': {
      const moment = parsed(text);
      if (!moment) return null;
      const call = `datetime.fromisoformat("${moment.local}${moment.offset}")`;
      if (!zone) return moment.offset ? null : call;
      return moment.offset ? `${call}.astimezone(ZoneInfo("${zone}"))` : `${call}.replace(tzinfo=ZoneInfo("${zone}"))`;
    }
    case 'other':
      return null;
  }
}

export function juliaLiteral(value: Scalar, { family, zone }: IColumnType): string | null {
  const text = String(value);
  switch (family) {
    case 'text':
      return juliaString(text);
    case 'bool':
      return text === 'true' || text === 'false' ? text : null;
    case 'number':
    case 'float':
      return isNumber(text) ? text : null;
    case 'date':
      return parsed(text) ? `Date("${text.slice(0, 10)}")` : null;
    case 'timestamp': {
      const moment = parsed(text);
      // The standard library knows no time zones, and nothing finer than thousandths of a second.
      if (!moment || moment.offset || (zone && zone !== 'UTC') || /\.\d{4,}/.test(moment.local)) return null;
      return `DateTime("${moment.local}")`;
    }
    default:
      return null;
  }
}

export function rLiteral(value: Scalar, { family, zone }: IColumnType): string | null {
  const text = String(value);
  switch (family) {
    case 'text':
      return rString(text);
    case 'bool':
      return text === 'true' ? 'TRUE' : text === 'false' ? 'FALSE' : null;
    case 'number':
    case 'float':
      return isNumber(text) ? text : null;
    case 'date':
      return parsed(text) ? `as.Date("${text.slice(0, 10)}")` : null;
    case 'timestamp': {
      const moment = parsed(text);
      // R's times are fractions of a second in binary: two that are the same here may differ there.
      if (!moment || moment.local.includes('.') || !['', '+00:00'].includes(moment.offset)) return null;
      return `as.POSIXct("${moment.local.replace('T', ' ')}", tz = ${rString(moment.offset ? 'UTC' : zone || 'UTC')})`;
    }
    default:
      return null;
  }
}

function isNumber(text: string): boolean {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
}

/** A date, or a date and a time, as all versions of Python read it; `null` if the text is neither. */
function parsed(text: string): { local: string; offset: string } | null {
  const found = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,6})?)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(text);
  if (!found) return null;
  const [, day, minutes = '00:00', seconds = ':00', offset = ''] = found;
  const [, whole, fraction] = /^(:\d\d)(?:\.(\d+))?$/.exec(seconds) ?? [];
  const local = `${day}T${minutes}${whole}${fraction ? `.${fraction.padEnd(fraction.length > 3 ? 6 : 3, '0')}` : ''}`;
  return { local, offset: offset === 'Z' ? '+00:00' : offset.replace(/^(.\d\d)(\d\d)$/, '$1:$2') };
}
