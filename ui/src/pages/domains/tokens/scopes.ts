/** What a token may do, in words; only what this installation can do. */
import type { components } from "@/generated/v1";

export type Scope = components["schemas"]["Scope"];

export const SCOPES: { value: Scope; label: string }[] = [
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

const LABELS = new Map<string, string>(SCOPES.map(({ value, label }) => [value, label]));

export type Access = "send" | "full" | "custom";

export function scopesOf(access: Access, chosen: Scope[]): Scope[] {
  if (access === "send") return ["email_full"];
  return access === "full" ? SCOPES.map(({ value }) => value) : chosen;
}

/** "Send email, See domains and 3 more". */
export function summary(scopes: string[]): string {
  if (SCOPES.every(({ value }) => scopes.includes(value))) return "Everything";
  const words = scopes.map((scope) => LABELS.get(scope) ?? scope);
  return words.length > 3 ? `${words.slice(0, 2).join(", ")} and ${words.length - 2} more` : words.join(", ");
}
