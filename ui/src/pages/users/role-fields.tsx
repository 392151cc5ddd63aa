/** What somebody may do: a role, and of a Custom User the permissions, domains and templates. */
import { MultiSelect, Select, Text } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { body, v1 } from "@/api/client";
import permissions from "@/generated/permissions.json";
import type { components } from "@/generated/v1";
import { within } from "@/lib/fields";

export type Role = components["schemas"]["Role"];
export type Permission = components["schemas"]["Permission"];

export interface Granted extends Record<string, unknown> {
  role: Role;
  permissions: Permission[];
  domains: string[];
  templates: string[];
}

const ROLES: Record<Role, string> = {
  Admin: "Everything in the account",
  Manager: "Everything but tokens, users and billing",
  Designer: "Templates",
  Accountant: "Billing",
  "Custom User": "What you choose, also for some domains and templates only",
};
const CUSTOM = "Custom User";
const MOST = 100;

type Used = "values" | "errors" | "getInputProps";

/** The fields of `Granted` in any form that has them. */
export function RoleFields({ form }: { form: Pick<UseFormReturnType<Granted>, Used> }) {
  const custom = form.values.role === CUSTOM;
  const domains = useQuery({
    queryKey: ["domains", "names"],
    queryFn: () => body(v1.GET("/domains", { params: { query: { limit: MOST } } })),
    enabled: custom,
  });
  const chosen = custom && seesChosen(form.values.permissions);
  const templates = useQuery({
    queryKey: ["templates", "names"],
    queryFn: () => body(v1.GET("/templates", { params: { query: { limit: MOST } } })),
    enabled: chosen,
  });
  return (
    <>
      <Select
        label="Role"
        data={Object.keys(ROLES)}
        allowDeselect={false}
        description={ROLES[form.values.role]}
        inputWrapperOrder={["label", "input", "description", "error"]}
        renderOption={({ option }) => (
          <div>
            <Text size="sm">{option.value}</Text>
            <Text size="xs" c="dimmed">
              {ROLES[option.value as Role]}
            </Text>
          </div>
        )}
        {...form.getInputProps("role")}
      />
      {custom && (
        <>
          <MultiSelect
            label="Permissions"
            required
            searchable
            data={permissions.Admin.map((value) => ({ value, label: value.replaceAll("-", " ") }))}
            {...form.getInputProps("permissions")}
          />
          <MultiSelect
            label="Domains"
            description="None: all of them"
            searchable
            data={domains.data?.data.map((domain) => ({ value: domain.id, label: domain.name })) ?? []}
            {...form.getInputProps("domains")}
            error={within(form.errors, "domains")}
          />
          {chosen && (
            <MultiSelect
              label="Templates"
              description="“Read own templates” shows these, and no others"
              placeholder={templates.data?.data.length === 0 ? "There are none yet" : undefined}
              searchable
              data={templates.data?.data.map(({ id, name }) => ({ value: id, label: name })) ?? []}
              {...form.getInputProps("templates")}
              error={within(form.errors, "templates")}
            />
          )}
        </>
      )}
    </>
  );
}

/** What the API is told; only a Custom User has permissions, domains and templates of their own. */
export function grantOf({ role, permissions, domains, templates }: Granted) {
  if (role !== CUSTOM) return { role };
  return { role, permissions, domains, templates: seesChosen(permissions) ? templates : [] };
}

/** Who may read all templates needs no list of them. */
function seesChosen(permissions: Permission[]): boolean {
  return permissions.includes("read-own-templates") && !permissions.includes("read-all-templates");
}
