/** Whole days in the zone of the person, as the API takes them: seconds since 1970, as text. */
import dayjs from "dayjs";
import timezone from "dayjs/plugin/timezone";
import utc from "dayjs/plugin/utc";

dayjs.extend(utc);
dayjs.extend(timezone);

/** The first second of "2026-11-23"; undefined for what is no day. */
export function beginOf(day: string, zone: string): string | undefined {
  return isDay(day) ? String(dayjs.tz(day, zone).unix()) : undefined;
}

/** The last second of it. */
export function endOf(day: string, zone: string): string | undefined {
  return isDay(day) ? String(dayjs.tz(day, zone).add(1, "day").unix() - 1) : undefined;
}

function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
}
