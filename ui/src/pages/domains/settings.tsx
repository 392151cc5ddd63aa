/** Pausing, what else can be set, and taking the domain away. */
import { Button, Modal, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate } from "react-router";
import { data, v1 } from "@/api/client";
import { queries } from "@/api/queries";
import { confirm } from "@/components/confirm";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { Section } from "@/components/section";
import { useMay } from "@/session/session";
import type { Domain } from "./domain";
import { useMayPause, usePause } from "./pause";

export function Settings({ domain }: { domain: Domain }) {
  const pauses = useMayPause();
  const manages = useMay("manage-domain");
  return (
    <Stack gap="lg">
      {pauses && <Pause domain={domain} />}
      {manages && <Advanced key={domain.updated_at} domain={domain} />}
      {manages && <Delete domain={domain} />}
    </Stack>
  );
}

function Pause({ domain }: { domain: Domain }) {
  const pause = usePause(domain);
  const paused = domain.domain_settings.send_paused;
  const ask = () =>
    confirm({
      title: `Pause sending from ${domain.name}?`,
      children: "Messages are accepted and wait. Nothing is lost: they go out when you resume sending.",
      confirm: "Pause sending",
      onConfirm: () => pause.mutate(true),
    });
  return (
    <Section
      title="Sending pause"
      about={
        paused
          ? "Sending is paused: messages are accepted and wait."
          : "When something goes wrong: messages are accepted and wait until you resume sending."
      }
      actions={
        <Button
          variant="default"
          loading={pause.isPending}
          onClick={paused ? () => pause.mutate(false) : ask}
        >
          {paused ? "Resume sending" : "Pause sending"}
        </Button>
      }
    />
  );
}

function Advanced({ domain }: { domain: Domain }) {
  const now = domain.domain_settings;
  const form = useApiForm({
    initialValues: {
      smtp_enabled: now.smtp_enabled,
      strict_envelope: now.strict_envelope,
      track_content: now.track_content,
      precedence_bulk: now.precedence_bulk,
      ignore_duplicated_recipients: now.ignore_duplicated_recipients,
      return_path_subdomain: now.return_path_subdomain,
    },
    send: (values) => {
      const { return_path_subdomain, ...switches } = values;
      const moved = return_path_subdomain !== now.return_path_subdomain;
      return data(
        v1.PUT("/domains/{domain_id}/settings", {
          params: { path: { domain_id: domain.id } },
          body: moved ? values : switches,
        }),
      );
    },
    refresh: [["domains"], ["dns"]],
    done: () => notifyDone("Saved."),
  });
  const on = (name: keyof typeof form.values) => form.getInputProps(name, { type: "checkbox" });
  return (
    <Section title="Advanced">
      <Form form={form} submit="Save">
        <Switch label="SMTP" description="Its SMTP users may log in." {...on("smtp_enabled")} />
        <Switch
          label="Strict envelope"
          description="The envelope sender, too, has to be under a verified domain."
          {...on("strict_envelope")}
        />
        <Switch
          label="Keep content"
          description="What was sent can be looked at in the activity after delivery."
          {...on("track_content")}
        />
        <Switch
          label="Precedence: bulk"
          description="Added to every message that does not say otherwise: automatic answers stay away."
          {...on("precedence_bulk")}
        />
        <Switch
          label="Ignore duplicate recipients"
          description="An address twice in a list is taken for once, instead of being an error."
          {...on("ignore_duplicated_recipients")}
        />
        <TextInput
          label="Return path"
          description={`Bounces come back to this host below ${domain.name}. Changed, its record has to be published anew.`}
          maw={360}
          {...form.getInputProps("return_path_subdomain")}
        />
      </Form>
    </Section>
  );
}

function Delete({ domain }: { domain: Domain }) {
  const [deleting, ask] = useDisclosure();
  return (
    <>
      <Section
        title="Delete the domain"
        about="With its keys, SMTP users, tokens, webhooks and suppressions. What was sent stays in the activity."
        actions={
          <Button color="red" variant="light" onClick={ask.open}>
            Delete {domain.name}
          </Button>
        }
      />
      <Modal opened={deleting} onClose={ask.close} title={`Delete ${domain.name}?`}>
        <DeleteForm domain={domain} close={ask.close} />
      </Modal>
    </>
  );
}

function DeleteForm({ domain, close }: { domain: Domain; close: () => void }) {
  const navigate = useNavigate();
  const form = useApiForm({
    initialValues: { typed: "" },
    validate: { typed: (typed) => (typed.trim() === domain.name ? null : `Type ${domain.name}.`) },
    send: () => v1.DELETE("/domains/{domain_id}", { params: { path: { domain_id: domain.id } } }),
    done: () => {
      notifyDone(`${domain.name} is deleted.`);
      navigate("/domains");
      // Not asked for at once: this page is still there, and its domain is not.
      queries.invalidateQueries({ queryKey: ["domains"], refetchType: "none" });
    },
    refresh: [["home"]],
  });
  return (
    <Form form={form} submit="Delete the domain" danger cancel={close}>
      <Text size="sm">
        What is queued is cancelled. Programs that log in with its SMTP users or tokens are refused within a
        second. This cannot be taken back.
      </Text>
      <TextInput
        label={`Type ${domain.name} to go on`}
        required
        data-autofocus
        autoComplete="off"
        {...form.getInputProps("typed")}
      />
    </Form>
  );
}
