import { Button, Group, Stack, TextInput } from "@mantine/core";
import { body, data, v1 } from "@/api/client";
import { useChange } from "@/api/queries";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { PageButton } from "@/components/page-button";
import { Authentication } from "./authentication";
import { FIRST_RUN } from "./first-run";
import type { StepProps } from "./step";

export function DomainStep({ step, run }: StepProps) {
  if (run.domain_id === null) return <Add />;
  return (
    <Stack gap="md">
      {step.state !== "done" && <Authentication found={run.authentication} />}
      <Group>
        {step.state !== "done" && <Check domainId={run.domain_id} />}
        <PageButton to={`/domains/${run.domain_id}`}>Show its DNS records</PageButton>
      </Group>
    </Stack>
  );
}

function Add() {
  const form = useApiForm({
    initialValues: { name: "" },
    send: (values) => data(v1.POST("/domains", { body: values })),
    refresh: [...FIRST_RUN, ["domains"]],
    done: (added) => notifyDone(`${added.name} is added. Its DNS records come next.`),
  });
  return (
    <Form form={form} submit="Add the domain">
      <TextInput
        label="Domain"
        description="What stands after the @ of your sender addresses."
        placeholder="example.com"
        required
        maw={360}
        autoCapitalize="off"
        {...form.getInputProps("name")}
      />
    </Form>
  );
}

export function Check({ domainId }: { domainId: string }) {
  const check = useChange(
    () => body(v1.GET("/domains/{domain_id}/verify", { params: { path: { domain_id: domainId } } })),
    { refresh: [...FIRST_RUN, ["domains"]], done: ({ message }) => notifyDone(message) },
  );
  return (
    <Button variant="default" loading={check.isPending} onClick={() => check.mutate(undefined)}>
      Check its records now
    </Button>
  );
}
