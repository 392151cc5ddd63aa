/** An SMTP user, and its form's values. */
import { data, v1 } from "@/api/client";
import type { components } from "@/generated/v1";

export type SmtpUser = components["schemas"]["SmtpUserOut"];
type Stream = SmtpUser["stream"];

export interface Values extends Record<string, unknown> {
  name: string;
  from_domains: string[];
  hourly_cap: number | "";
  daily_cap: number | "";
  allowed_addresses: string[];
  stream: Stream;
  refuse_suppressed: boolean;
  /** A day, like 2027-01-31; "": never. */
  expires_on: string;
}

export const NEW: Values = {
  name: "",
  from_domains: [],
  hourly_cap: "",
  daily_cap: "",
  allowed_addresses: [],
  stream: "transactional",
  refuse_suppressed: false,
  expires_on: "",
};

export function valuesOf(user: SmtpUser): Values {
  return {
    name: user.name,
    from_domains: user.from_domains,
    hourly_cap: user.hourly_cap ?? "",
    daily_cap: user.daily_cap ?? "",
    allowed_addresses: user.allowed_addresses,
    stream: user.stream,
    refuse_suppressed: user.refuse_suppressed,
    expires_on: user.expires_at?.slice(0, 10) ?? "",
  };
}

/** A limit that is empty is taken away. It ends with the day that was chosen (UTC), unless that is the day of before. */
export function bodyOf(values: Values, before?: SmtpUser) {
  const { expires_on, ...rest } = values;
  const kept = before && valuesOf(before).expires_on === expires_on;
  return {
    ...rest,
    hourly_cap: Number(values.hourly_cap),
    daily_cap: Number(values.daily_cap),
    ...(kept ? {} : { expires_at: expires_on ? `${expires_on}T23:59:59Z` : "0" }),
  };
}

const at = (user: SmtpUser) => ({ path: { domain_id: user.domain_id, smtp_user_id: user.id } });

export function make(domain_id: string, values: Values): Promise<SmtpUser> {
  const { expires_at, ...rest } = bodyOf(values);
  const body = values.expires_on ? { ...rest, expires_at } : rest;
  return data(
    v1.POST("/domains/{domain_id}/smtp-users", {
      params: { path: { domain_id } },
      body: { ...body, enabled: true },
    }),
  );
}

export function change(user: SmtpUser, body: Partial<ReturnType<typeof bodyOf>> & { enabled?: boolean }) {
  return data(v1.PUT("/domains/{domain_id}/smtp-users/{smtp_user_id}", { params: at(user), body }));
}

export function resetPassword(user: SmtpUser): Promise<SmtpUser> {
  return data(v1.POST("/domains/{domain_id}/smtp-users/{smtp_user_id}/reset-password", { params: at(user) }));
}

export function remove(user: SmtpUser) {
  return v1.DELETE("/domains/{domain_id}/smtp-users/{smtp_user_id}", { params: at(user) });
}
