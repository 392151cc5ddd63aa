import { Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { body, v1 } from "@/api/client";
import { useFilters } from "@/components/filters";
import { useTimeZone } from "@/components/time";
import { beginOf, endOf } from "@/lib/days";
import { fullName } from "@/pages/users/members";

/** What entries are about: the first half of their actions, as the API filters by it. */
const KINDS: Record<string, string> = {
  "account.": "Account",
  "approval_request.": "Approval",
  "quota_request.": "Larger quotas",
  "domain.": "Domains",
  "smtp_user.": "SMTP users",
  "token.": "API tokens",
  "user.": "Users",
  "invite.": "Invitations",
  "webhook.": "Webhooks",
  "suppression.": "Suppressions",
  "template.": "Templates",
  "sender_identity.": "Sender identities",
  "inbound.": "Inbound routes",
};
const NAMES = ["action", "actor", "from", "to"] as const;
const MOST = 100;
const GROWS = "1 1 10rem";
const NAMELESS = [
  { value: "command", label: "The command line" },
  { value: "system", label: "Postroom itself" },
];

/** What the address asks for, as the API takes it; the days are whole ones in the zone of the person. */
export function useWanted(): Record<string, string> {
  const { action, actor, from, to } = useFilters(NAMES).values;
  const zone = useTimeZone() || Intl.DateTimeFormat().resolvedOptions().timeZone;
  const wanted = {
    action,
    actor,
    date_from: beginOf(from, zone) ?? "",
    date_to: endOf(to, zone) ?? "",
  };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value));
}

export function Filters() {
  const { values, set } = useFilters(NAMES);
  const users = useQuery({
    queryKey: ["users", "names"],
    queryFn: () => body(v1.GET("/users", { params: { query: { limit: MOST } } })),
  });
  const people = users.data?.data.map((user) => ({ value: user.id, label: fullName(user) })) ?? [];
  return (
    <>
      <Select
        label="About"
        placeholder="Everything"
        clearable
        searchable
        data={Object.entries(KINDS).map(([value, label]) => ({ value, label }))}
        value={values.action || null}
        onChange={(value) => set({ action: value ?? "" })}
        flex={GROWS}
      />
      <Select
        label="By"
        placeholder="Everybody"
        clearable
        searchable
        data={[...people, ...NAMELESS]}
        value={values.actor || null}
        onChange={(value) => set({ actor: value ?? "" })}
        flex={GROWS}
      />
      <TextInput
        type="date"
        label="From"
        flex={GROWS}
        value={values.from}
        onChange={(event) => set({ from: event.currentTarget.value })}
      />
      <TextInput
        type="date"
        label="Until"
        flex={GROWS}
        value={values.to}
        onChange={(event) => set({ to: event.currentTarget.value })}
      />
    </>
  );
}
