/** What the list is asked for: the filters of the address in the words of the API. */
import type { components, paths } from "@/generated/v1";
import { beginOf, endOf } from "@/lib/days";

export type FoundEmail = components["schemas"]["FoundEmail"];
export type Found = components["schemas"]["Found"];
export type Query = NonNullable<paths["/emails/search"]["get"]["parameters"]["query"]>;

export const FILTERS = [
  "recipient",
  "subject",
  "state",
  "domain",
  "event",
  "tag",
  "from",
  "to",
  "message",
] as const;
export type Filters = Record<(typeof FILTERS)[number], string>;

const SHORTEST = { recipient: 2, subject: 3 }; // characters; fewer would match nearly everything

/** `from` and `to` are whole days in the zone of the person. */
export function queryOf(filters: Filters, zone: string): Query {
  const query: Query = {};
  if (filters.recipient.length >= SHORTEST.recipient) query.recipient = filters.recipient;
  if (filters.subject.length >= SHORTEST.subject) query.subject = filters.subject;
  if (filters.state) query["state[]"] = [filters.state] as Query["state[]"];
  if (filters.event) query["event[]"] = [filters.event] as Query["event[]"];
  if (filters.domain) query.domain_id = filters.domain;
  if (filters.tag) query.tag = filters.tag;
  const [from, to] = [beginOf(filters.from, zone), endOf(filters.to, zone)];
  if (from) query.date_from = from;
  if (to) query.date_to = to;
  const message = messageId(filters.message);
  if (message) query.message_id = message;
  return query;
}

/** The id within whatever was pasted: a whole Message-ID, say. */
function messageId(text: string): string {
  return /[0-9a-f]{24}/.exec(text)?.[0] ?? text.trim().slice(0, 24);
}

/** Rows that have changed take their places; new ones come on top, the newest first. */
export function merged<Page extends { data: FoundEmail[] }>(pages: Page[], changed: FoundEmail[]): Page[] {
  const [first] = pages;
  if (first === undefined || changed.length === 0) return pages;
  const byId = new Map(changed.map((email) => [email.id, email]));
  const known = new Set(pages.flatMap((page) => page.data.map((email) => email.id)));
  const newest = first.data[0]?.id ?? "";
  const added = changed.filter((email) => !known.has(email.id) && email.id > newest);
  added.sort((one, other) => (one.id < other.id ? 1 : -1));
  return pages.map((page, number) => {
    const rows = page.data.map((email) => byId.get(email.id) ?? email);
    return { ...page, data: number === 0 ? [...added, ...rows] : rows };
  });
}
