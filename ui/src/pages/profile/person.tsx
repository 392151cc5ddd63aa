import { Select, SimpleGrid, TextInput } from "@mantine/core";
import { console, data } from "@/api/client";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { Section } from "@/components/section";
import { renew, useSession } from "@/session/session";

export function Person() {
  const session = useSession();
  const { name, last_name, time_zone } = session.user;
  const form = useApiForm({
    initialValues: { name, last_name, time_zone },
    send: (values) => data(console.PUT("/profile", { body: values })),
    done: (user) => {
      renew({ ...session, user });
      notifyDone("Saved.");
    },
  });
  const browser = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = Intl.supportedValuesOf("timeZone").map((zone) => ({
    value: zone,
    label: zone.replaceAll("_", " "),
  }));
  return (
    <Section title="You">
      <Form form={form} submit="Save">
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <TextInput label="First name" autoComplete="given-name" {...form.getInputProps("name")} />
          <TextInput label="Last name" autoComplete="family-name" {...form.getInputProps("last_name")} />
          <Select
            label="Time zone"
            description="Of all times that are shown to you"
            searchable
            limit={200}
            nothingFoundMessage="No such zone"
            data={[{ value: "", label: `As the browser (${browser.replaceAll("_", " ")})` }, ...zones]}
            allowDeselect={false}
            {...form.getInputProps("time_zone")}
          />
        </SimpleGrid>
      </Form>
    </Section>
  );
}
