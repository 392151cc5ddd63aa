import { Modal, Select, Textarea } from "@mantine/core";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { within } from "@/lib/fields";
import { count } from "@/lib/numbers";
import { add, type LISTS } from "./lists";

interface Props {
  opened: boolean;
  close: () => void;
  list: (typeof LISTS)[number];
  domains: { value: string; label: string }[];
}

export function Add({ opened, list, ...props }: Props) {
  return (
    <Modal opened={opened} onClose={props.close} title={`Add to ${list.label.toLowerCase()}`}>
      <AddForm list={list} {...props} />
    </Modal>
  );
}

function AddForm({ close, list, domains }: Omit<Props, "opened">) {
  const everywhere = list.name === "blocklist";
  const form = useApiForm({
    initialValues: { recipients: "", patterns: "", domain_id: everywhere ? "" : (domains[0]?.value ?? "") },
    send: ({ recipients, domain_id }) =>
      add(list.name, {
        domain_id: domain_id || null,
        recipients: recipients.split(/[\s,;]+/).filter(Boolean),
      }),
    refresh: [["suppressions"]],
    done: (number) => {
      notifyDone(number === 1 ? "It is on the list." : `${count(number)} are on the list.`);
      close();
    },
  });
  return (
    <Form form={form} submit="Add them" cancel={close}>
      <Textarea
        label={everywhere ? "Addresses or patterns" : "Addresses"}
        description={everywhere ? "One a line; * stands for anything, as in *@example.com." : "One a line."}
        required
        autosize
        minRows={4}
        maxRows={12}
        data-autofocus
        {...form.getInputProps("recipients")}
        error={within(form.errors, "recipients") ?? within(form.errors, "patterns")}
      />
      <Select
        label="For"
        placeholder="All domains"
        clearable={everywhere}
        allowDeselect={everywhere}
        searchable
        data={domains}
        {...form.getInputProps("domain_id")}
        value={form.values.domain_id || null}
        onChange={(domain) => form.setFieldValue("domain_id", domain ?? "")}
      />
    </Form>
  );
}
