import { count } from "@/lib/numbers";
import type { SmtpUser } from "./user";

/** The limits of an SMTP user in a few words each. */
export function limitsOf(user: SmtpUser): string[] {
  const found: (string | false | null)[] = [
    user.hourly_cap !== null && `${count(user.hourly_cap)} an hour`,
    user.daily_cap !== null && `${count(user.daily_cap)} a day`,
    user.allowed_addresses.length > 0 && `from ${user.allowed_addresses.join(", ")}`,
    user.from_domains.length > 0 &&
      `for ${user.from_domains.length === 1 ? "one domain" : `${user.from_domains.length} domains`}`,
    user.stream === "broadcast" && "broadcast",
    user.refuse_suppressed && "refuses suppressed recipients",
    user.expires_at !== null && `ends on ${user.expires_at.slice(0, 10)}`,
  ];
  return found.filter((one): one is string => typeof one === "string");
}
