/** How DNS providers want a record to be written: most add the zone to the name by themselves. */
import type { components } from "@/generated/v1";

export type DnsRecord = components["schemas"]["RecordOut"];

export interface Provider {
  key: string;
  name: string;
  /** The name field is relative to the zone, and "@" is the zone itself. */
  relative: boolean;
  /** Targets of CNAME and MX end with a dot, or they are taken for names within the zone. */
  dot?: true;
  /** A text stands in quotes, in pieces of at most 255 characters. */
  quoted?: true;
  notes: string[];
}

const NO_PROXY = "CNAME records: switch the proxy off (“DNS only”, the grey cloud), or they are not found.";
const WITHOUT_ZONE =
  "The name is without your domain: the form adds it. With it, the record ends up doubled.";

export const PROVIDERS: Provider[] = [
  {
    key: "other",
    name: "Another one",
    relative: false,
    notes: [
      "If the form already shows your domain behind the name field, leave your domain out of the name.",
      "If a record is not found although you have published it, look whether your domain stands twice in its name.",
    ],
  },
  {
    key: "cloudflare",
    name: "Cloudflare",
    relative: true,
    notes: [NO_PROXY, "DNS → Records → Add record. TTL: Auto."],
  },
  {
    key: "route53",
    name: "Amazon Route 53",
    relative: true,
    quoted: true,
    notes: [
      "Record name: only what is shown; the zone stands behind the field.",
      "A TXT value stands in double quotes, long ones in several pieces. Copy it from here: it is written so already.",
      "Routing policy: simple. CNAME records are no aliases here.",
    ],
  },
  {
    key: "godaddy",
    name: "GoDaddy",
    relative: true,
    notes: [WITHOUT_ZONE, "The domain itself is written @."],
  },
  {
    key: "namecheap",
    name: "Namecheap",
    relative: true,
    notes: [
      "Advanced DNS → Add new record. The host is without your domain; the domain itself is written @.",
      "MX records stand under Mail settings: choose Custom MX first.",
    ],
  },
  {
    key: "hetzner",
    name: "Hetzner",
    relative: true,
    dot: true,
    notes: [
      WITHOUT_ZONE,
      "The value of a CNAME or MX record ends with a dot, as shown, or Hetzner adds your domain to it.",
    ],
  },
  {
    key: "ionos",
    name: "IONOS",
    relative: true,
    notes: [
      WITHOUT_ZONE,
      "A CNAME cannot stand where IONOS has made other records by itself: delete those of that name first.",
    ],
  },
  {
    key: "squarespace",
    name: "Squarespace (formerly Google Domains)",
    relative: true,
    notes: [
      "DNS settings → Custom records. The host is without your domain; the domain itself is written @.",
    ],
  },
];

/** What to write into the field for the name. */
export function nameFor(provider: Provider, hostname: string, zone: string): string {
  if (!provider.relative) return hostname;
  if (hostname === zone) return "@";
  return hostname.endsWith(`.${zone}`) ? hostname.slice(0, -zone.length - 1) : hostname;
}

const LONGEST = 255; // octets of one string in a TXT record (RFC 1035 section 3.3.14)

/** What to write into the field for the value. */
export function valueFor(provider: Provider, record: Pick<DnsRecord, "type" | "value">): string {
  if (record.type !== "TXT") return provider.dot ? `${record.value}.` : record.value;
  if (!provider.quoted) return record.value;
  const pieces = record.value.match(new RegExp(`.{1,${LONGEST}}`, "gs")) ?? [""];
  return pieces.map((piece) => `"${piece.replace(/[\\"]/g, "\\$&")}"`).join(" ");
}
