/** Times as people read them, in their own zone. */

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** "3 minutes ago", "in 2 hours", "just now". `at` and `now` are milliseconds. */
export function relative(at: number, now: number): string {
  const seconds = Math.round((at - now) / 1000);
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) {
      return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.trunc(seconds / size), unit);
    }
  }
  return "just now";
}

/** "23 Nov 2026, 14:05:09 GMT+1". `zone` is an IANA name; without one it is the browser's. */
export function exact(at: number, zone?: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "short",
    timeZone: zone || undefined,
  }).format(at);
}

/** Milliseconds in which `relative` may have become another text. */
export function nextChange(at: number, now: number): number {
  const age = Math.abs(at - now);
  return age < 3_600_000 ? 15_000 : 600_000;
}
