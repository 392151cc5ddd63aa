/** What a token may do, in words; only what this installation can do. */
import type { components } from "@/generated/v1";

export type Scope = components["schemas"]["Scope"];

const SCOPES: { value: Scope; label: string }[] = [
  { value: "email_full", label: "Send email" },
  { value: "domains_read", label: "See domains" },
  { value: "domains_full", label: "Manage domains" },
  { value: "activity_read", label: "See activity" },
  { value: "activity_full", label: "See and act on activity" },
  { value: "analytics_read", label: "See analytics" },
  { value: "tokens_full", label: "Manage API tokens" },
  { value: "webhooks_full", label: "Manage webhooks" },
  { value: "templates_full", label: "Manage templates" },
  { value: "suppressions_read", label: "See suppressions" },
  { value: "suppressions_full", label: "Manage suppressions" },
  { value: "inbounds_full", label: "Manage inbound routes" },
  { value: "recipients_read", label: "See recipients" },
  { value: "recipients_full", label: "Manage recipients" },
  { value: "sender_identity_read", label: "See sender identities" },
  { value: "sender_identity_full", label: "Manage sender identities" },
  { value: "smtp_users_read", label: "See SMTP users" },
  { value: "smtp_users_full", label: "Manage SMTP users" },
];

/** What concerns no domain, so that only a token of the whole account can have it. */
const OF_ACCOUNT: typeof SCOPES = [
  { value: "users_read", label: "See users and the audit log" },
  { value: "users_full", label: "Manage users" },
];

const LABELS = new Map<string, string>([...SCOPES, ...OF_ACCOUNT].map(({ value, label }) => [value, label]));

export function labelOf(scope: string): string {
  return LABELS.get(scope) ?? scope;
}

/** Those to choose from. */
export function scopesFor(wholeAccount: boolean): typeof SCOPES {
  return wholeAccount ? [...SCOPES, ...OF_ACCOUNT] : SCOPES;
}

export type Access = "send" | "full" | "custom";

export function scopesOf(access: Access, chosen: Scope[], wholeAccount: boolean): Scope[] {
  if (access === "send") return ["email_full"];
  const all = scopesFor(wholeAccount).map(({ value }) => value);
  return access === "full" ? all : chosen.filter((scope) => all.includes(scope));
}

/** "Send email, See domains and 3 more". */
export function summary({ scopes, domain }: { scopes: string[]; domain: unknown }): string {
  if (scopesFor(domain === null).every(({ value }) => scopes.includes(value))) return "Everything";
  const words = scopes.map(labelOf);
  return words.length > 3 ? `${words.slice(0, 2).join(", ")} and ${words.length - 2} more` : words.join(", ");
}
