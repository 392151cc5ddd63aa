/** The five lists: how each is asked for, and in which words. */
import { body, v1 } from "@/api/client";
import type { Listed } from "@/api/queries";
import type { components } from "@/generated/v1";

type Schemas = components["schemas"];

export type ListName = "hard-bounces" | "spam-complaints" | "unsubscribes" | "on-hold-list" | "blocklist";

/** A row of any of them. */
export interface Suppressed {
  id: string;
  /** Or a pattern like *@example.com. */
  address: string;
  /** Null: for the whole account. */
  domain: string | null;
  reason: string | null;
  since: string;
  until: string | null;
}

interface Words {
  name: ListName;
  label: string;
  about: string;
  /** Whether people put addresses there themselves. */
  adds: boolean;
}

export const LISTS: Words[] = [
  {
    name: "hard-bounces",
    label: "Hard bounces",
    about: "Addresses that do not exist. They are not tried again.",
    adds: true,
  },
  {
    name: "spam-complaints",
    label: "Spam complaints",
    about: "Whoever called a message of yours spam gets no more.",
    adds: true,
  },
  {
    name: "unsubscribes",
    label: "Unsubscribes",
    about: "They want no more of the stream broadcast; other messages still reach them.",
    adds: true,
  },
  {
    name: "on-hold-list",
    label: "On hold",
    about: "Left alone for a while after several soft bounces. They come and go by themselves.",
    adds: false,
  },
  {
    name: "blocklist",
    label: "Blocklist",
    about: "Addresses and patterns that you never want to send to.",
    adds: true,
  },
];

type Query = { page: number; limit: number; search?: string; domain_id?: string };

export async function ask(name: ListName, query: Query): Promise<Listed<Suppressed>> {
  const params = { params: { query } };
  if (name === "blocklist") return shown(await body(v1.GET("/suppressions/blocklist", params)), ofPattern);
  if (name === "hard-bounces") return shown(await body(v1.GET("/suppressions/hard-bounces", params)), ofOne);
  if (name === "unsubscribes") return shown(await body(v1.GET("/suppressions/unsubscribes", params)), ofOne);
  if (name === "on-hold-list") return shown(await body(v1.GET("/suppressions/on-hold-list", params)), ofOne);
  return shown(await body(v1.GET("/suppressions/spam-complaints", params)), ofOne);
}

function shown<Row>(listed: Listed<Row>, row: (row: Row) => Suppressed): Listed<Suppressed> {
  return { ...listed, data: listed.data.map(row) };
}

function ofPattern(row: Schemas["BlockedOut"]): Suppressed {
  return {
    id: row.id,
    address: row.pattern,
    domain: row.domain?.name ?? null,
    reason: null,
    since: row.created_at,
    until: null,
  };
}

type Told = Schemas["ComplainedOut"] &
  Partial<Pick<Schemas["OnHoldOut"], "reason" | "readable_reason" | "on_hold_until">>;

function ofOne(row: Told): Suppressed {
  return {
    id: row.id,
    address: row.recipient.email,
    domain: row.recipient.domain?.name ?? null,
    reason: row.readable_reason ?? row.reason ?? null,
    since: row.created_at,
    until: row.on_hold_until ?? null,
  };
}

export function remove(name: ListName, ids: string[]) {
  return body(v1.DELETE(`/suppressions/${name}`, { body: { ids } }));
}

/** Where the list is a file: what is shown of it, on all its pages. */
export function exportOf(name: ListName, wanted: { search: string; domain_id: string }): string {
  const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value)).toString();
  return `/v1/suppressions/${name}/export${query && `?${query}`}`;
}

interface Addition {
  domain_id: string | null;
  recipients: string[];
}

/** How many are on it then. On the blocklist what has a * is a pattern, and no domain is all of them. */
export async function add(name: ListName, { domain_id, recipients }: Addition): Promise<number> {
  if (name === "on-hold-list") throw new Error("nobody is put on hold by hand");
  if (name !== "blocklist") {
    const wanted = { domain_id: domain_id ?? "", recipients };
    return (await body(v1.POST(`/suppressions/${name}`, { body: wanted }))).data.length;
  }
  const patterns = recipients.filter((one) => one.includes("*"));
  const exact = recipients.filter((one) => !one.includes("*"));
  const wanted = { domain_id, recipients: exact, patterns };
  return (await body(v1.POST("/suppressions/blocklist", { body: wanted }))).data.length;
}
