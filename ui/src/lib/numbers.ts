/** Numbers as people read them. */

const WHOLE = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const SIZES = ["B", "KB", "MB", "GB", "TB"];

/** "12,345". */
export function count(value: number): string {
  return WHOLE.format(value);
}

/** "12.3K", for axes and small places. */
export function short(value: number): string {
  return SHORT.format(value);
}

/** "98.4 %"; a dash where there is nothing to divide by. */
export function share(part: number, whole: number): string {
  return whole > 0 ? `${((100 * part) / whole).toFixed(1).replace(/\.0$/, "")} %` : "–";
}

/** Octets: "3.4 MB". */
export function size(octets: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(octets, 1)) / 10), SIZES.length - 1);
  const value = octets / 1024 ** power;
  return `${power > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${SIZES[power]}`;
}

/** Seconds: "42 s", "3 min", "2 h 5 min". */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  return rest ? `${hours} h ${rest} min` : `${hours} h`;
}
